//! The shape of an admission rail: a `ValidatingAdmissionPolicy` that holds a kind of target in bounds even when
//! the operator is wrong or its token is stolen. Pure data; the chart prints it and adds the match on our
//! service account (`request.userInfo.username == ...`) and `failurePolicy: Fail`.

/// One policy, for one kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rail {
    /// The kind's name; the policy is called after it.
    pub name: &'static str,
    /// The built-in resources it guards.
    pub guards: &'static [Guarded],
    /// The subresource it guards of each listed resource; empty: listed resources are none of its kind.
    pub listed_subresource: &'static str,
    /// Operations it sees. A patch is an `UPDATE`.
    pub operations: &'static [&'static str],
    /// Named expressions, in order.
    pub variables: &'static [Variable],
    /// What must hold, in order.
    pub validations: &'static [Validation],
}

/// Built-in resources under a rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// API group.
    pub group: &'static str,
    /// API versions.
    pub versions: &'static [&'static str],
    /// Resources, subresources with their slash.
    pub resources: &'static [&'static str],
}

/// A CEL expression with a name; others say `variables.NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// The expression.
    pub expression: &'static str,
}

/// A CEL expression that must be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The expression.
    pub expression: &'static str,
    /// What is said when it is not.
    pub complaint: Complaint,
}

/// What a rail says when it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// `message`: these words.
    Says(&'static str),
    /// `messageExpression`: a CEL expression that makes the words.
    Computes(&'static str),
}
