//! Traces: a folder of `functions.csv` and `invocations_*.csv.gz` in, one series a function out.
//!
//! Columns are found by name, in any order; files and columns not known are left alone. A minute without a row
//! had no call. What is missing or wrong is named with its file and line.

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// One function of a trace.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) domain: String,
    pub(crate) pattern: String,
    /// Minutes that may be learned from before the first is scored.
    pub(crate) warmup: usize,
    /// Mean and p99 duration of a call in seconds, where given.
    pub(crate) duration: Option<Duration>,
    /// Calls a minute.
    pub(crate) calls: Vec<f64>,
}

/// How long the calls of a function take, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duration {
    pub(crate) median: f64,
    pub(crate) mean: f64,
    pub(crate) p99: f64,
}

/// Longest series that is believed: two years of minutes.
const LONGEST: usize = 1_051_200;

/// Reads the whole folder. Functions are in the order of `functions.csv`.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Vec<Function>> {
    let mut functions = functions(&folder.join("functions.csv"))?;
    let mut places = HashMap::new();
    for (place, function) in functions.iter().enumerate() {
        if places.insert(function.id.clone(), place).is_some() {
            bail!(
                "functions.csv: function_id {:?} is there twice; keep one of its rows",
                function.id
            );
        }
    }
    let files = invocation_files(folder)?;
    if files.is_empty() {
        bail!(
            "{} holds no invocations_*.csv.gz or invocations_*.csv; give a folder of the traces format",
            folder.display()
        );
    }
    for file in files {
        invocations(&file, &places, &mut functions).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(functions)
}

fn invocation_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let wanted = |path: &PathBuf| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        name.starts_with("invocations_") && [".csv.gz", ".csv"].iter().any(|end| name.ends_with(end))
    };
    let mut files: Vec<PathBuf> = listed
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(wanted)
        .collect();
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> anyhow::Result<csv::Reader<Box<dyn Read>>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let packed = path.extension().is_some_and(|end| end == "gz");
    let read: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok(csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(read))
}

/// Where the named column stands. `None`: there is none of that name.
fn column(header: &csv::StringRecord, name: &str) -> Option<usize> {
    header
        .iter()
        .position(|column| column.trim_start_matches('\u{feff}') == name)
}

fn functions(path: &Path) -> anyhow::Result<Vec<Function>> {
    let mut reader = open(path)?;
    let header = reader.headers()?.clone();
    let needed = |name: &str| column(&header, name).with_context(|| format!("{} has no column {name}", path.display()));
    let (id, minutes, warmup) = (needed("function_id")?, needed("n_minutes")?, needed("warmup_minutes")?);
    let named = |name: &str| column(&header, name);
    let (source, domain, pattern) = (named("source"), named("domain"), named("pattern"));
    let durations = ["duration_ms_p50", "duration_ms_avg", "duration_ms_p99"].map(named);
    let mut functions = Vec::new();
    for row in reader.records() {
        let row = row.with_context(|| format!("{} is not readable", path.display()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let text = |place: Option<usize>| {
            let text = place.and_then(|place| row.get(place)).unwrap_or("");
            if text.is_empty() { "unknown" } else { text }.to_owned()
        };
        let whole = |place: usize, name: &str| -> anyhow::Result<usize> {
            let text = row.get(place).unwrap_or("");
            let value = text.parse::<f64>().ok().filter(|value| value.fract() == 0.0);
            value.and_then(whole_number).with_context(|| {
                format!(
                    "{} line {line}: {name} is {text:?}; it must be a whole number",
                    path.display()
                )
            })
        };
        let seconds = |place: Option<usize>| {
            let millis = row.get(place?)?.parse::<f64>().ok()?;
            (millis.is_finite() && millis >= 0.0).then_some(millis / 1000.0)
        };
        let minutes = whole(minutes, "n_minutes")?;
        if minutes > LONGEST {
            bail!(
                "{} line {line}: n_minutes is {minutes}; at most {LONGEST} are read",
                path.display()
            );
        }
        functions.push(Function {
            id: text(Some(id)),
            source: text(source),
            domain: text(domain),
            pattern: text(pattern),
            warmup: whole(warmup, "warmup_minutes")?,
            duration: duration(durations.map(seconds)),
            calls: vec![0.0; minutes],
        });
    }
    Ok(functions)
}

fn duration([median, mean, p99]: [Option<f64>; 3]) -> Option<Duration> {
    let mean = mean.or(median)?;
    let median = median.unwrap_or(mean);
    Some(Duration {
        median,
        mean,
        p99: p99.unwrap_or(mean * 4.0),
    })
}

fn whole_number(value: f64) -> Option<usize> {
    // From float, `as` saturates; std offers no other way.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (value.is_finite() && (0.0..1e15).contains(&value)).then_some(value as usize)
}

fn invocations(path: &Path, places: &HashMap<String, usize>, functions: &mut [Function]) -> anyhow::Result<()> {
    let mut reader = open(path)?;
    let header = reader.headers()?.clone();
    let needed = |name: &str| column(&header, name).with_context(|| format!("it has no column {name}"));
    let (id, minute, count) = (needed("function_id")?, needed("minute")?, needed("invocations")?);
    let mut row = csv::StringRecord::new();
    let mut last: Option<(String, usize)> = None;
    while reader.read_record(&mut row)? {
        let line = row.position().map_or(0, csv::Position::line);
        let field = |place: usize| row.get(place).unwrap_or("");
        let number = |place: usize, name: &str| -> anyhow::Result<f64> {
            let text = field(place);
            let value = text
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite() && *value >= 0.0);
            value.with_context(|| format!("line {line}: {name} is {text:?}; it must be a number of at least 0"))
        };
        let named = field(id);
        if last.as_ref().is_none_or(|(known, _)| known != named) {
            // A function that functions.csv does not name is not asked about.
            last = places.get(named).map(|place| (named.to_owned(), *place));
        }
        let Some((_, place)) = last.as_ref().filter(|(known, _)| known == named) else {
            continue;
        };
        let calls = &mut functions[*place].calls;
        let at = whole_number(number(minute, "minute")?).unwrap_or(usize::MAX);
        let length = calls.len();
        let slot = calls
            .get_mut(at)
            .with_context(|| format!("line {line}: minute {at} of {named:?} lies past its n_minutes of {length}"))?;
        *slot += number(count, "invocations")?;
    }
    Ok(())
}
