//! Columns: every way to an upper quantile that the mixture weighs, one line each. Pure.

/// How a column comes to its quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A forest's own quantile.
    Tree(Tree),
    /// The same, moved by a slowly tracked share of the local scale.
    Tracked(Tree),
    /// The middle between both forests' tracked quantiles.
    Between,
    /// An expert's own quantile, by its place.
    Own(usize),
    /// An expert's point and a tracked share of the local scale above it.
    Local(usize),
    /// The same with the scale of the whole day.
    Long(usize),
    /// The same with the root of the point, by which chance alone moves a count.
    Root(usize),
}

/// Which forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// The shipped one.
    Prior,
    /// The one learned from the cluster's own functions.
    Fleet,
}

/// All columns by their stable names. Experts are named by their place in [`super::expert::EXPERTS`].
pub(crate) const COLUMNS: [(&str, Source); 16] = [
    ("tree-prior", Source::Tree(Tree::Prior)),
    ("tree-prior-tracked", Source::Tracked(Tree::Prior)),
    ("tree-fleet", Source::Tree(Tree::Fleet)),
    ("tree-fleet-tracked", Source::Tracked(Tree::Fleet)),
    ("tree-between", Source::Between),
    ("trailing-day", Source::Own(0)),
    ("trailing-hour", Source::Own(1)),
    ("level", Source::Local(2)),
    ("level-long", Source::Long(2)),
    ("holt-winters", Source::Root(3)),
    ("holt-winters-long", Source::Long(3)),
    ("seasonal-naive", Source::Local(4)),
    ("ridge", Source::Root(5)),
    ("ridge-long", Source::Long(5)),
    ("trailing-half-hour", Source::Own(6)),
    ("trailing-ten-minutes", Source::Own(7)),
];

/// Place of the level expert.
pub(crate) const LEVEL: usize = 2;
/// Place of the seasonal expert.
pub(crate) const SEASONAL: usize = 4;
/// Place of the column that says the quantile of the last day.
pub(crate) const TRAILING_DAY: usize = 5;
/// How many there are.
pub(crate) const COUNT: usize = COLUMNS.len();

/// Names of all columns, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(name, _)| *name)
}

impl Source {
    /// True for what needs a forest.
    pub(crate) const fn is_tree(self) -> bool {
        matches!(self, Self::Tree(_) | Self::Tracked(_) | Self::Between)
    }

    /// True for what needs the cluster's own forest.
    pub(crate) const fn is_fleet(self) -> bool {
        matches!(
            self,
            Self::Tree(Tree::Fleet) | Self::Tracked(Tree::Fleet) | Self::Between
        )
    }
}
