//! Methods: the columns of the report, in their order.

use super::classical;
use forewarm_forecast::engine::names;

/// Ours first, then the classical ones.
#[derive(Clone, Debug)]
pub(crate) struct Methods {
    pub(crate) names: Vec<String>,
    columns: usize,
}

impl Methods {
    pub(crate) fn new() -> Self {
        let mut all: Vec<String> = names().map(str::to_owned).collect();
        let columns = all.len();
        all.extend(["prior", "mixture"].map(str::to_owned));
        all.extend(classical::NAMES.map(|name| format!("classical-{name}")));
        Self { names: all, columns }
    }

    /// Columns of the mixture.
    pub(crate) const fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) const fn prior(&self) -> usize {
        self.columns
    }

    pub(crate) const fn mixture(&self) -> usize {
        self.columns + 1
    }

    /// The classical ones.
    pub(crate) fn classical(&self) -> std::ops::Range<usize> {
        self.columns + 2..self.names.len()
    }

    /// A classical one's name alone.
    pub(crate) fn short(&self, method: usize) -> &str {
        self.names[method].trim_start_matches("classical-")
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }
}
