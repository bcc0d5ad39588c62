//! `forewarm generate`: CRDs, roles, admission rails, memory at birth, the log schema and the page of target kinds from the code. The types and the registry
//! in; files under `--out` out.
//!
//! Everything but [`generate`] is pure, and one test holds the committed files to it.

mod definitions;
mod guide;
mod newborn;
mod rails;
mod roles;
mod template;

use crate::config::Generate;
use crate::record::schema;
use std::path::{Path, PathBuf};

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}")]
pub struct GenerateError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Every generated file: its path from the root of the checkout, and its text.
pub fn files() -> Vec<(String, String)> {
    let generated = |name: &str| format!("charts/forewarm/templates/generated/{name}.yaml");
    let mut files = definitions::files();
    files.extend([
        (generated("roles"), roles::template()),
        (generated("rails"), rails::template()),
        (generated("newborn"), newborn::template()),
        ("docs/log-schema.json".to_owned(), schema::text()),
        ("docs/target-kinds.md".to_owned(), guide::page()),
    ]);
    files
}

/// Writes every file under `flags.out`.
pub fn generate(flags: &Generate) -> anyhow::Result<()> {
    for (path, text) in files() {
        write(&flags.out.join(path), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), GenerateError> {
    let fail = |source| GenerateError {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().expect("a generated file lies in a folder");
    std::fs::create_dir_all(folder).map_err(fail)?;
    std::fs::write(path, text).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_files_are_what_the_code_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let differing: Vec<_> = files()
            .into_iter()
            .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(differing, Vec::<String>::new(), "run `make generate` and commit");
    }

    #[test]
    fn what_is_written_is_what_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        generate(&Generate {
            out: folder.path().to_owned(),
        })
        .unwrap();
        for (path, text) in files() {
            assert_eq!(std::fs::read_to_string(folder.path().join(path)).unwrap(), text);
        }
    }
}
