//! `sources.yaml` in, the Prometheis that may be asked out. Reads no file but by its caller.
//!
//! Addresses and credentials are chart values; no field of a custom resource can name one (TM4).

use crate::error::cut;
use serde::Deserialize;
use std::path::PathBuf;

/// Series an answer may have unless the source says otherwise. 50,000 pods are the goal; a query that forgot
/// to aggregate comes to 100,000 and more.
const MAX_SERIES: usize = 80_000;
/// MiB an answer may have unless the source says otherwise: 80,000 series take about 10.
const MAX_MEBIBYTES: usize = 64;

/// One Prometheus, or whatever speaks its HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// The name profiles use.
    pub name: String,
    /// `http` or `https`, without user, query and fragment.
    pub url: String,
    /// Certificates (PEM) that may sign the server's; `https` trusts these and no others.
    pub ca_file: Option<PathBuf>,
    /// A bearer token, read again for each request.
    pub token_file: Option<PathBuf>,
    /// A header that names the tenant.
    pub tenant: Option<Tenant>,
    /// Caps of one answer.
    pub limits: Limits,
}

/// The header of a multi-tenant source, for example `X-Scope-OrgID: payments`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// `X-...` or `THANOS-TENANT`.
    pub header: String,
    /// Its value.
    pub value: String,
}

/// Caps of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Series.
    pub series: usize,
    /// MiB, counted after decompression.
    pub mebibytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series: MAX_SERIES,
            mebibytes: MAX_MEBIBYTES,
        }
    }
}

/// Every source there is, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<SourceConfig>);

/// What is wrong with `sources.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourcesError {
    /// Not YAML, or fields that do not exist.
    #[error("sources: {0}")]
    Yaml(String),
    /// One field.
    #[error("sources[{index}].{field} is {value:?}: {fix}")]
    Field {
        /// Place in the list.
        index: usize,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would make it usable.
        fix: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    name: String,
    url: String,
    ca_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    tenant: Option<Tenant>,
    max_series: Option<usize>,
    max_mebibytes: Option<usize>,
}

impl Sources {
    /// Parses `sources.yaml`; the error names field, value and fix. No sources at all are no error: every
    /// profile is then unusable, and says so.
    pub fn from_yaml(text: &str) -> Result<Self, SourcesError> {
        let file: File =
            serde_saphyr::from_str(text).map_err(|error| SourcesError::Yaml(cut(&error.to_string(), None)))?;
        let mut sources: Vec<SourceConfig> = Vec::new();
        for (index, entry) in file.sources.into_iter().enumerate() {
            check(&entry, &sources).map_err(|(field, value, fix)| SourcesError::Field {
                index,
                field,
                value,
                fix,
            })?;
            sources.push(entry.into());
        }
        Ok(Self(sources))
    }

    /// The source of that name.
    pub fn get(&self, name: &str) -> Option<&SourceConfig> {
        self.0.iter().find(|source| source.name == name)
    }

    /// All of them, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &SourceConfig> {
        self.0.iter()
    }
}

impl From<Entry> for SourceConfig {
    fn from(entry: Entry) -> Self {
        let Entry {
            name,
            url,
            ca_file,
            token_file,
            tenant,
            max_series,
            max_mebibytes,
        } = entry;
        let limits = Limits {
            series: max_series.unwrap_or(MAX_SERIES),
            mebibytes: max_mebibytes.unwrap_or(MAX_MEBIBYTES),
        };
        Self {
            name,
            url,
            ca_file,
            token_file,
            tenant,
            limits,
        }
    }
}

type Problem = (&'static str, String, &'static str);

fn check(entry: &Entry, before: &[SourceConfig]) -> Result<(), Problem> {
    let label = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if entry.name.is_empty() || entry.name.len() > 63 || !label(&entry.name) {
        return Err(("name", entry.name.clone(), "use 1 to 63 of a-z, 0-9 and -"));
    }
    if before.iter().any(|source| source.name == entry.name) {
        return Err((
            "name",
            entry.name.clone(),
            "is there twice; give each source a name of its own",
        ));
    }
    check_url(entry)?;
    check_tenant(entry.tenant.as_ref())?;
    match (entry.max_series, entry.max_mebibytes) {
        (Some(n), _) if !(1..=1_000_000).contains(&n) => Err(("maxSeries", n.to_string(), "use 1 to 1000000")),
        (_, Some(n)) if !(1..=1024).contains(&n) => Err(("maxMebibytes", n.to_string(), "use 1 to 1024")),
        _ => Ok(()),
    }
}

fn check_url(entry: &Entry) -> Result<(), Problem> {
    let fail = |fix| Err(("url", shown(&entry.url), fix));
    let Ok(url) = reqwest::Url::parse(&entry.url) else {
        return fail("use a full URL, for example http://prometheus.monitoring:9090");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return fail("leave user and password out of the URL; use tokenFile");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return fail("leave query and fragment out; forewarm adds /api/v1/query itself");
    }
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match (url.scheme(), &entry.ca_file, &entry.token_file) {
        ("https", None, _) => Err((
            "caFile",
            String::new(),
            "https needs the file with the CA that signs the server's certificate",
        )),
        ("http", Some(_), _) => fail("use https where a caFile is given"),
        ("http", None, Some(_)) if !loopback => {
            fail("use https where a tokenFile is given: over http the token could be read on the way")
        }
        ("https", Some(_), _) | ("http", None, _) => Ok(()),
        _ => fail("use http or https"),
    }
}

/// The URL without what may be a password.
fn shown(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

fn check_tenant(tenant: Option<&Tenant>) -> Result<(), Problem> {
    let Some(tenant) = tenant else { return Ok(()) };
    let name = tenant.header.to_ascii_lowercase();
    let allowed = name == "thanos-tenant" || (name.starts_with("x-") && !name.starts_with("x-forwarded"));
    if !allowed || http::HeaderName::try_from(&tenant.header).is_err() {
        return Err((
            "tenant.header",
            tenant.header.clone(),
            "use X-Scope-OrgID, THANOS-TENANT or another X- header",
        ));
    }
    if tenant.value.is_empty() || http::HeaderValue::try_from(&tenant.value).is_err() {
        return Err((
            "tenant.value",
            tenant.value.clone(),
            "use a value that may stand in an HTTP header",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_entry_is_read_whole() {
        let yaml = "
sources:
- name: default
  url: http://prometheus.monitoring:9090
- name: mimir
  url: https://mimir.example:8443/prometheus
  caFile: /etc/forewarm/sources/mimir/ca.crt
  tokenFile: /etc/forewarm/sources/mimir/token
  tenant: {header: X-Scope-OrgID, value: payments}
  maxSeries: 200000
  maxMebibytes: 128
";
        let sources = Sources::from_yaml(yaml).expect("usable");
        assert_eq!(sources.get("default").map(|s| s.limits), Some(Limits::default()));
        let mimir = sources.get("mimir").expect("is there");
        assert_eq!(
            mimir.limits,
            Limits {
                series: 200_000,
                mebibytes: 128
            }
        );
        assert_eq!(mimir.tenant.as_ref().map(|t| t.value.as_str()), Some("payments"));
        assert_eq!(sources.iter().count(), 2);
        assert_eq!(sources.get("other"), None);
    }

    #[test]
    fn a_wrong_entry_is_refused_with_field_value_and_fix() {
        let rows = [
            (
                "{name: Default, url: 'http://p'}",
                "sources[0].name is \"Default\": use 1 to 63",
            ),
            (
                "{name: a, url: 'http://p'}, {name: a, url: 'http://p'}",
                "sources[1].name is \"a\": is there twice",
            ),
            ("{name: a, url: p}", "sources[0].url is \"p\": use a full URL"),
            ("{name: a, url: 'ftp://p'}", "use http or https"),
            (
                "{name: a, url: 'http://u:secret@p'}",
                "sources[0].url is \"http://…@p\": leave user and password out",
            ),
            ("{name: a, url: 'http://p?x=1'}", "leave query and fragment out"),
            (
                "{name: a, url: 'https://p'}",
                "sources[0].caFile is \"\": https needs the file",
            ),
            ("{name: a, url: 'http://p', caFile: c}", "use https where a caFile"),
            (
                "{name: a, url: 'http://p', tokenFile: t}",
                "use https where a tokenFile",
            ),
            (
                "{name: a, url: 'http://p', tenant: {header: Authorization, value: x}}",
                "tenant.header is \"Authorization\"",
            ),
            (
                "{name: a, url: 'http://p', tenant: {header: X-Y, value: \"a\\nb\"}}",
                "tenant.value",
            ),
            (
                "{name: a, url: 'http://p', maxSeries: 0}",
                "maxSeries is \"0\": use 1 to",
            ),
            (
                "{name: a, url: 'http://p', maxMebibytes: 4096}",
                "maxMebibytes is \"4096\"",
            ),
            ("{name: a, url: 'http://p', insecure: true}", "insecure"),
        ];
        for (entry, part) in rows {
            let error = Sources::from_yaml(&format!("sources: [{entry}]"))
                .expect_err(entry)
                .to_string();
            assert!(error.contains(part), "{entry}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_token_may_go_to_loopback_in_the_clear() {
        let yaml = "sources: [{name: a, url: 'http://127.0.0.1:9090', tokenFile: t}]";
        assert!(Sources::from_yaml(yaml).is_ok());
    }
}
