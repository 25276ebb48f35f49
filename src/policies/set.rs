//! A set of policies as it came, with the digest by which replicas are compared.

use std::collections::BTreeMap;
use std::ops::Deref;

use aws_lc_rs::digest::{Context, SHA256};

use crate::judge::mode::Cap;
use crate::judge::policies::Policies;

use super::{PolicyErrors, embedded_files};

/// The bytes of a digest that are shown: enough to tell sets apart, and short enough to be read
/// aloud.
const SHOWN: usize = 6;

/// Policy files: names and texts.
pub(crate) type Contents = BTreeMap<String, String>;

/// Policies under a cap, and what they were read from in short.
#[derive(Debug)]
pub(crate) struct PolicySet {
    policies: Policies,
    digest: String,
}

impl PolicySet {
    /// The policies that `contents` describe, under `cap`.
    ///
    /// # Errors
    ///
    /// With every error of every file.
    pub(crate) fn read(contents: &Contents, cap: Cap) -> Result<Self, PolicyErrors> {
        let files = contents.iter().map(|(name, text)| (&**name, &**text));
        Ok(Self { policies: Policies::read(files.clone())?.under(cap), digest: digest(files, cap) })
    }

    /// The policies that are built in, under `cap`.
    pub(crate) fn embedded(cap: Cap) -> Self {
        let files: BTreeMap<_, _> = embedded_files().collect();
        let files = files.iter().map(|(name, text)| (&**name, *text));
        Self { policies: Policies::embedded().under(cap), digest: digest(files, cap) }
    }

    /// The same for the same files under the same cap, and another one for any others.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

impl Deref for PolicySet {
    type Target = Policies;

    fn deref(&self) -> &Policies {
        &self.policies
    }
}

#[cfg(test)]
impl From<Policies> for PolicySet {
    fn from(policies: Policies) -> Self {
        Self { policies, digest: String::new() }
    }
}

/// Whether a file of this name holds a policy. Names that begin with a dot are the kubelet's own.
pub(super) fn is_policy_file(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// Every part comes with its length, so that no two sets look alike.
fn digest<'f>(files: impl Iterator<Item = (&'f str, &'f str)>, cap: Cap) -> String {
    let mut context = Context::new(&SHA256);
    let parts = files.flat_map(|(name, text)| [name, text]);
    for part in [cap.as_str()].into_iter().chain(parts) {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    digest.as_ref().iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ONE: (&str, &str) = ("a.yaml", "{name: a, rule: file-watch, mode: warn}");
    const OTHER: (&str, &str) = ("b.yaml", "{name: b, rule: file-watch, mode: warn}");

    fn set<const N: usize>(files: [(&str, &str); N], cap: Cap) -> PolicySet {
        let contents = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        PolicySet::read(&contents.into(), cap).unwrap()
    }

    #[test]
    fn whatever_differs_has_a_digest_of_its_own() {
        let sets = [
            set([ONE], Cap::Enforce),
            set([ONE], Cap::Warn),
            set([ONE, OTHER], Cap::Enforce),
            set([OTHER], Cap::Enforce),
            set([("a.yaml", "{name: a, rule: file-watch, mode: audit}")], Cap::Enforce),
            set([("a.yaml", "{name: a, rule: file-watch, mode: warn} # why")], Cap::Enforce),
            set([], Cap::Enforce),
        ];
        let digests: BTreeSet<_> = sets.iter().map(PolicySet::digest).collect();
        assert_eq!(digests.len(), sets.len(), "{digests:?}");
        for digest in digests {
            assert!(digest.len() == 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }

    /// Replicas of other versions and machines are compared by it.
    #[test]
    fn the_same_set_has_the_same_digest_for_ever() {
        assert_eq!(set([ONE, OTHER], Cap::Audit).digest(), "05ff6c893ad2");
        assert_eq!(set([ONE, OTHER], Cap::Audit).digest(), set([OTHER, ONE], Cap::Audit).digest());
    }

    #[test]
    fn what_is_built_in_is_a_set_like_a_folder_of_the_same_files() {
        let files = embedded_files().map(|(name, text)| (name, text.to_owned())).collect();
        for cap in Cap::ALL {
            let (built_in, read) =
                (PolicySet::embedded(cap), PolicySet::read(&files, cap).unwrap());
            assert_eq!(built_in.digest(), read.digest());
            assert_eq!((built_in.cap(), built_in.iter().count()), (cap, files.len()));
        }
    }
}
