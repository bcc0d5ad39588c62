//! What a kind of target needs to be allowed; the chart's roles are printed from this. Pure data.

/// Rights of one kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// For the resources that are built in.
    pub rules: &'static [Rule],
    /// For each resource that the administrator listed.
    pub listed: &'static [ListedRule],
}

/// One rule of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it holds.
    pub scope: Scope,
    /// API group.
    pub group: &'static str,
    /// Resources, subresources with their slash.
    pub resources: &'static [&'static str],
    /// Verbs.
    pub verbs: &'static [&'static str],
}

/// One rule of a role for a listed resource: group and plural come from the chart's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedRule {
    /// Where it holds.
    pub scope: Scope,
    /// Put after the plural: empty for the object itself, or as in `/scale`.
    pub suffix: &'static str,
    /// Verbs.
    pub verbs: &'static [&'static str],
}

/// Where a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere: a `ClusterRole` that is bound once. Reads only.
    Cluster,
    /// By a `RoleBinding` in each enrolled namespace: writes.
    Enrolled,
}
