//! A resource of the API server by group, version, kind and plural; admin-listed ones come in as text. Pure.

use super::{BuildError, TargetRef};
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde::{Deserialize, Serialize};

/// A resource whose objects can be targets. An admin-listed one must keep its replicas in `spec.replicas` and
/// serve `/scale` from there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, try_from = "Words")]
pub struct Resource {
    /// API group, as in `apps`. Never empty: the core group has nothing to scale.
    pub group: String,
    /// Version, as in `v1`.
    pub version: String,
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Plural, as in `deployments`: it goes into the path.
    pub plural: String,
}

/// [`Resource`] before its words are looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Words {
    group: String,
    version: String,
    kind: String,
    plural: String,
}

/// A word that does not fit its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {place}")]
pub struct NotAResource {
    /// `group`, `version`, `kind` or `plural`.
    pub place: &'static str,
    /// What stands there.
    pub word: String,
}

impl Resource {
    /// Checks each word, since three of them become parts of a path.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Result<Self, NotAResource> {
        let alphanumeric = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        let lower = |word: &str| alphanumeric(word) && !word.contains(|c: char| c.is_ascii_uppercase());
        let check = |place, word: &str, fits: bool| {
            if fits && word.len() <= 253 {
                Ok(word.to_owned())
            } else {
                Err(NotAResource {
                    place,
                    word: word.into(),
                })
            }
        };
        Ok(Self {
            group: check("group", group, is_name(group))?,
            version: check("version", version, lower(version))?,
            kind: check("kind", kind, alphanumeric(kind))?,
            plural: check("plural", plural, lower(plural))?,
        })
    }

    /// Group and version, as in `apps/v1`.
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// As kube's dynamic API wants it.
    pub fn api_resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(&self.group, &self.version, &self.kind);
        ApiResource::from_gvk_with_plural(&kind, &self.plural)
    }

    /// Whether `target` is an object of this resource.
    pub fn is_of(&self, target: &TargetRef) -> bool {
        target.kind == self.kind && target.api_version.split_once('/') == Some((&self.group, &self.version))
    }

    /// The object's path. Fails on a name that would lead elsewhere.
    pub fn path(&self, target: &TargetRef) -> Result<String, BuildError> {
        let named = |name: &str| {
            if is_name(name) {
                Ok(())
            } else {
                Err(BuildError::Name(name.into()))
            }
        };
        named(&target.namespace)?;
        named(&target.name)?;
        let all = <DynamicObject as kube::Resource>::url_path(&self.api_resource(), Some(&target.namespace));
        Ok(format!("{all}/{}", target.name))
    }
}

/// `group/version/Kind/plural`, as in `argoproj.io/v1alpha1/Rollout/rollouts`.
impl std::str::FromStr for Resource {
    type Err = NotAResource;
    fn from_str(text: &str) -> Result<Self, NotAResource> {
        let words: Vec<_> = text.trim().split('/').collect();
        match words[..] {
            [group, version, kind, plural] => Self::new(group, version, kind, plural),
            _ => Err(NotAResource {
                place: "group/version/Kind/plural",
                word: text.to_owned(),
            }),
        }
    }
}

impl TryFrom<Words> for Resource {
    type Error = NotAResource;
    fn try_from(words: Words) -> Result<Self, NotAResource> {
        Self::new(&words.group, &words.version, &words.kind, &words.plural)
    }
}

/// A DNS subdomain (RFC 1123), as names of objects, namespaces and groups are: at most 253 characters, so no
/// `/`, `%` or `?`, and no `..`.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inner)
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(namespace: &str, name: &str) -> TargetRef {
        TargetRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    #[test]
    fn the_path_holds_namespace_and_name() {
        let deployments = Resource::new("apps", "v1", "Deployment", "deployments").unwrap();
        let path = deployments.path(&named("payments", "fraud-scorer")).unwrap();
        assert_eq!(path, "/apis/apps/v1/namespaces/payments/deployments/fraud-scorer");
    }

    #[test]
    fn words_that_lead_out_of_their_place_are_refused() {
        for (place, words) in [
            ("group", ["", "v1", "Deployment", "deployments"]),
            ("group", ["a/b", "v1", "Deployment", "deployments"]),
            ("version", ["apps", "v1/x", "Deployment", "deployments"]),
            ("kind", ["apps", "v1", "Deploy ment", "deployments"]),
            ("plural", ["apps", "v1", "Deployment", "deployments/status"]),
            ("plural", ["apps", "v1", "Deployment", "*"]),
        ] {
            let [group, version, kind, plural] = words;
            assert_eq!(
                Resource::new(group, version, kind, plural).unwrap_err().place,
                place,
                "{words:?}"
            );
        }
    }

    #[test]
    fn listed_kinds_come_from_text_and_unknown_keys_are_refused() {
        let text = r#"{"group":"argoproj.io","version":"v1alpha1","kind":"Rollout","plural":"rollouts"}"#;
        let rollout: Resource = serde_json::from_str(text).unwrap();
        assert_eq!(rollout.api_version(), "argoproj.io/v1alpha1");
        assert_eq!("argoproj.io/v1alpha1/Rollout/rollouts".parse(), Ok(rollout));
        assert!("argoproj.io/v1alpha1/Rollout".parse::<Resource>().is_err());
        let extra = r#"{"group":"a.b","version":"v1","kind":"K","plural":"ks","namespace":"x"}"#;
        assert!(serde_json::from_str::<Resource>(extra).is_err());
        let slash = r#"{"group":"a.b","version":"v1","kind":"K","plural":"ks/x"}"#;
        assert!(serde_json::from_str::<Resource>(slash).is_err());
    }

    proptest! {
        /// S1: whatever stands in a name, a path that is built has exactly the parts it should have.
        #[test]
        fn s1_no_name_leads_out_of_its_namespace(namespace in ".{0,40}", name in "[a-z./%?#A-Z0-9\\\\-]{0,40}") {
            let deployments = Resource::new("apps", "v1", "Deployment", "deployments").unwrap();
            if let Ok(path) = deployments.path(&named(&namespace, &name)) {
                let parts: Vec<_> = path.split('/').collect();
                prop_assert_eq!(parts, ["", "apis", "apps", "v1", "namespaces", &namespace, "deployments", &name]);
                prop_assert!(!path.contains("..") && !path.contains(['%', '?', '#', '\\']));
            }
        }
    }
}
