//! What is asked of `forewarm-bench forecast`.

use anyhow::bail;
use forewarm_forecast::engine::{Span, Target};
use std::path::PathBuf;

/// Walk-forward over a folder of traces.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder with functions.csv and `invocations_*.csv.gz`.
    #[arg(long)]
    pub(crate) traces: PathBuf,
    /// Where the figures go, as JSON.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Minutes ahead.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 5, 10])]
    pub(crate) horizons: Vec<i64>,
    /// Quantiles in percent.
    #[arg(long, value_delimiter = ',', default_values_t = [80, 90, 95, 99])]
    pub(crate) quantiles: Vec<u32>,
    /// Parts of the run: count, history, peak, anomalies, wake.
    #[arg(long, value_delimiter = ',', default_values_t = ["count", "history", "peak", "anomalies", "wake"].map(String::from))]
    pub(crate) parts: Vec<String>,
    /// Only every n-th function, to try something out.
    #[arg(long, default_value_t = 1)]
    pub(crate) every: usize,
    /// Draws of the bootstrap.
    #[arg(long, default_value_t = 2000)]
    pub(crate) draws: u32,
    /// Seed of everything drawn.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

impl Options {
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Some(h) = self.horizons.iter().find(|h| !(1..=60).contains(*h)) {
            bail!("--horizons {h}: give minutes from 1 to 60");
        }
        if let Some(q) = self.quantiles.iter().find(|q| !(1..=99).contains(*q)) {
            bail!("--quantiles {q}: give percents from 1 to 99");
        }
        if let Some(part) = self
            .parts
            .iter()
            .find(|part| !["count", "history", "peak", "anomalies", "wake"].contains(&part.as_str()))
        {
            bail!("--parts {part}: the parts are count, history, peak, anomalies and wake");
        }
        if self.horizons.is_empty() || self.quantiles.is_empty() {
            bail!("--horizons and --quantiles need at least one value");
        }
        Ok(())
    }

    pub(crate) fn spans(&self, target: Target) -> Vec<Span> {
        self.horizons.iter().map(|h| Span { target, h: *h }).collect()
    }

    pub(crate) fn shares(&self) -> Vec<f64> {
        self.quantiles
            .iter()
            .map(|percent| f64::from(*percent) / 100.0)
            .collect()
    }

    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }
}
