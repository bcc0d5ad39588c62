//! Report: scores of all functions in, `figure: NAME VALUE` lines and a JSON object out.

use super::groups::{groups, mean, quantile};
use super::methods::Methods;
use super::options::Options;
use super::score::Scores;
use super::traces::Function;
use forewarm_forecast::draw::Stream;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The patterns whose mean the goal names.
const FOUR: [&str; 4] = ["diurnal", "bursty", "steady", "sparse"];

/// Figures by name, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Figures(Map<String, Value>);

impl Figures {
    /// Prints a figure and keeps it. One that is not finite is left out.
    pub(crate) fn add(&mut self, name: String, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            println!("figure: {name} {value:.4}");
            self.0.insert(name, Value::from(value));
        }
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

/// All figures of one walk. `tag`: a suffix that tells it from other walks.
pub(crate) fn report(
    figures: &mut Figures,
    functions: &[Function],
    scores: &[Scores],
    methods: &Methods,
    options: &Options,
    tag: &str,
) {
    let groups = groups(functions);
    for (h, horizon) in options.horizons.iter().enumerate() {
        for (q, percent) in options.quantiles.iter().enumerate() {
            let at = At { scores, methods, h, q };
            for (group, members) in &groups {
                let name = |kind: &str, method: &str| format!("{kind}{percent}.h{horizon}.{group}.{method}{tag}");
                at.group(figures, members, &name);
                at.against(figures, members, &name, options);
            }
            at.four(figures, &groups, |kind, method| {
                format!("{kind}{percent}.h{horizon}.four.{method}{tag}")
            });
        }
        for (group, members) in &groups {
            for (method, name) in methods.names.iter().enumerate() {
                let errors = members
                    .iter()
                    .filter_map(|place| scores[*place].mase(h, method))
                    .collect();
                figures.add(format!("mase.h{horizon}.{group}.{name}{tag}"), quantile(errors, 50));
            }
        }
    }
}

/// One horizon and quantile.
#[derive(Clone, Copy)]
struct At<'a> {
    scores: &'a [Scores],
    methods: &'a Methods,
    h: usize,
    q: usize,
}

impl At<'_> {
    fn spl(&self, members: &[usize], method: usize) -> Vec<f64> {
        members
            .iter()
            .filter_map(|place| self.scores[*place].spl(self.h, self.q, method))
            .collect()
    }

    fn group(&self, figures: &mut Figures, members: &[usize], name: &impl Fn(&str, &str) -> String) {
        for (method, label) in self.methods.names.iter().enumerate() {
            figures.add(name("spl", label), mean(&self.spl(members, method)));
            let cells = members.iter().filter(|place| self.scores[**place].calls > 0.0);
            let (mut covered, mut scored, mut loss, mut calls) = (0.0, 0.0, 0.0, 0.0);
            for place in cells.clone() {
                let cell = self.scores[*place].get(self.h, self.q, method);
                covered += f64::from(cell.covered);
                scored += f64::from(cell.scored);
                loss += cell.loss;
                calls += self.scores[*place].calls;
            }
            if scored > 0.0 {
                figures.add(name("coverage", label), Some(covered / scored));
                figures.add(name("wql", label), Some(2.0 * loss / calls));
            }
            let each = cells.filter_map(|place| self.scores[*place].coverage(self.h, self.q, method));
            let tenth = quantile(each.collect(), 10);
            let kind = name("coverage", label);
            let (head, tail) = kind.split_once('.').unwrap_or((&kind, ""));
            figures.add(format!("{head}p10.{tail}"), tenth);
        }
    }

    /// The classical column with the least mean loss. `None`: nothing was scored.
    fn best(&self, members: &[usize]) -> Option<(usize, f64)> {
        let means = self.methods.classical().filter_map(|method| {
            let mean = mean(&self.spl(members, method))?;
            (mean > 0.0).then_some((method, mean))
        });
        means.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Ours over the best classical column, with a paired bootstrap over functions.
    fn against(
        &self,
        figures: &mut Figures,
        members: &[usize],
        name: &impl Fn(&str, &str) -> String,
        options: &Options,
    ) {
        let Some((best, theirs)) = self.best(members) else {
            return;
        };
        figures.add(name("bestclassical", self.methods.short(best)), Some(theirs));
        let theirs = self.spl(members, best);
        for method in [self.methods.prior(), self.methods.mixture()] {
            let (ours, label) = (self.spl(members, method), &self.methods.names[method]);
            let ratio = mean(&ours).zip(mean(&theirs)).map(|(ours, theirs)| ours / theirs);
            figures.add(name("ratio", label), ratio);
            let won = ours
                .iter()
                .zip(&theirs)
                .map(|(ours, theirs)| if ours <= theirs { 1.0 } else { 0.0 });
            figures.add(name("won", label), mean(&won.collect::<Vec<_>>()));
            if options.quantiles[self.q] == 95 && ours.len() > 1 {
                let draws = bootstrap(&ours, &theirs, options.draws, options.seed);
                figures.add(name("ratiolow", label), quantile(draws.clone(), 2));
                figures.add(name("ratiohigh", label), quantile(draws, 97));
            }
        }
    }

    /// Mean over the four patterns of the goal.
    fn four(&self, figures: &mut Figures, groups: &BTreeMap<String, Vec<usize>>, name: impl Fn(&str, &str) -> String) {
        for method in [self.methods.prior(), self.methods.mixture()] {
            let label = &self.methods.names[method];
            let of = |pattern: &&str| {
                let members = groups.get(*pattern)?;
                let ours = mean(&self.spl(members, method))?;
                Some((ours, ours / self.best(members)?.1))
            };
            let (ours, ratios): (Vec<f64>, Vec<f64>) = FOUR.iter().filter_map(of).unzip();
            figures.add(name("spl", label), mean(&ours));
            figures.add(name("ratio", label), mean(&ratios));
        }
    }
}

/// Ratios of means over functions drawn with replacement, the same ones for both.
fn bootstrap(ours: &[f64], theirs: &[f64], draws: u32, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed);
    let ratio = |_| {
        let (mut a, mut b) = (0.0, 0.0);
        for _ in 0..ours.len() {
            let place = stream.below(ours.len());
            a += ours[place];
            b += theirs.get(place).copied().unwrap_or(0.0);
        }
        a / b
    };
    (0..draws).map(ratio).filter(|ratio| ratio.is_finite()).collect()
}
