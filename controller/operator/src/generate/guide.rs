//! docs/target-kinds.md: what each kind of target is, from the registry. Pure.

use crate::target::{Guide, Scope, TARGETS, TargetKind};

const HEAD: &str = "# Target kinds

Made by `make generate` from the registry of kinds; [scalers.md](scalers.md) tells what happens to the field.

| the target | the floor that is written | the user's own value is kept | acts after | zero |
|---|---|---|---|---|
";

const RIGHTS: &str = "
What each kind reads everywhere, and writes in enrolled namespaces:

| kind | reads | writes |
|---|---|---|
";

/// The page.
pub(super) fn page() -> String {
    let rows: String = TARGETS.iter().map(|kind| row(*kind)).collect();
    let rights: String = TARGETS.iter().map(|kind| rights(*kind)).collect();
    [HEAD, &rows, RIGHTS, &rights].concat()
}

fn row(kind: &dyn TargetKind) -> String {
    let Guide {
        target,
        floor,
        kept,
        zero,
    } = kind.guide();
    format!(
        "| {target} | {floor} | {kept} | up to {} s | {zero} |\n",
        kind.latency().0
    )
}

fn rights(kind: &dyn TargetKind) -> String {
    let of = |scope: Scope| {
        let rules = kind.rights().rules.iter().filter(|rule| rule.scope == scope);
        let resources = rules.flat_map(|rule| rule.resources.iter().map(|resource| format!("`{resource}`")));
        resources.collect::<Vec<_>>().join(", ")
    };
    let (reads, writes) = (of(Scope::Cluster), of(Scope::Enrolled));
    format!("| `{}` | {reads} | {writes} |\n", kind.name())
}
