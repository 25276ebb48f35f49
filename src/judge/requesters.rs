//! Requesters by name and group: a setting of several rules.

use serde::Deserialize;

use crate::kube::name::{is_dns_label, is_dns_subdomain};

use super::settings::Setting;
use super::subject::UserInfo;

/// What the name of every service account's user begins with. Namespace and name follow.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// What the name of the group of all service accounts of a namespace begins with.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts:";

/// The fields of requesters in a policy.
pub(crate) const REQUESTER_FIELDS: &[Setting] =
    &[Setting::plain("users"), Setting::plain("groups")];

/// Users and groups by name. `*` in a name matches any run of characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Written<User, Group>")]
pub struct Requesters {
    users: Vec<NamePattern>,
    groups: Vec<NamePattern>,
}

/// Requesters who are given something. A `*` in the namespace of a service account would give it to
/// whoever may create a service account somewhere, so there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Written<GivenUser, GivenGroup>")]
pub(crate) struct Grantees(Requesters);

/// A name; `*` in it matches any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern(String);

impl Requesters {
    /// Whether `requester` is one of them.
    pub(crate) fn include(&self, requester: &UserInfo<'_>) -> bool {
        self.users.iter().any(|name| name.matches(&requester.username))
            || self
                .groups
                .iter()
                .any(|name| requester.groups.iter().any(|group| name.matches(group)))
    }

    /// Users of these names, and nobody else.
    pub(crate) fn of_users(names: &[&str]) -> Self {
        let users = names.iter().map(|name| NamePattern((*name).to_owned())).collect();
        Self { users, groups: Vec::new() }
    }
}

impl Grantees {
    /// Whether `requester` is one of them.
    pub(crate) fn include(&self, requester: &UserInfo<'_>) -> bool {
        self.0.include(requester)
    }

    /// Whether nobody is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.users.is_empty() && self.0.groups.is_empty()
    }
}

impl NamePattern {
    /// Whether `name` is meant.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == name };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut left) = name.strip_prefix(first).and_then(|left| left.strip_suffix(last))
        else {
            return false;
        };
        for piece in middle.split('*') {
            let Some((_, after)) = left.split_once(piece) else { return false };
            left = after;
        }
        true
    }
}

/// As it is written in a policy.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written<U, G> {
    users: Vec<U>,
    groups: Vec<G>,
}

impl<U, G> Default for Written<U, G> {
    fn default() -> Self {
        Self { users: Vec::new(), groups: Vec::new() }
    }
}

impl<U: Into<NamePattern>, G: Into<NamePattern>> From<Written<U, G>> for Requesters {
    fn from(written: Written<U, G>) -> Self {
        Self {
            users: written.users.into_iter().map(Into::into).collect(),
            groups: written.groups.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Written<GivenUser, GivenGroup>> for Grantees {
    fn from(written: Written<GivenUser, GivenGroup>) -> Self {
        Self(written.into())
    }
}

/// Declares an entry of a list that is checked as it is read, so that an error has its place.
macro_rules! entry {
    ($name:ident, $check:expr) => {
        #[derive(Deserialize)]
        #[serde(try_from = "String")]
        struct $name(NamePattern);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(name: String) -> Result<Self, String> {
                let check: fn(&str) -> Option<String> = $check;
                match check(&name) {
                    Some(fault) => Err(fault),
                    None => Ok(Self(NamePattern(name))),
                }
            }
        }

        impl From<$name> for NamePattern {
            fn from(entry: $name) -> Self {
                entry.0
            }
        }
    };
}

entry!(User, impossible_user);
entry!(Group, impossible_group);
entry!(GivenUser, |name| impossible_user(name).or_else(|| too_wide(name, SERVICE_ACCOUNT)));
entry!(GivenGroup, |name| impossible_group(name).or_else(|| too_wide(name, SERVICE_ACCOUNTS)));

/// Why no user can have this name.
fn impossible_user(name: &str) -> Option<String> {
    let reason = match name.strip_prefix(SERVICE_ACCOUNT) {
        _ if name.is_empty() => "a name is missing",
        Some(rest) if !may_be_service_account(rest) => {
            "a service account is system:serviceaccount:NAMESPACE:NAME"
        }
        None if name.starts_with(SERVICE_ACCOUNTS) => "service accounts have it as a group",
        _ => return None,
    };
    Some(format!("no user is called {name:?}: {reason}"))
}

/// Why no group can have this name.
fn impossible_group(name: &str) -> Option<String> {
    let reason = match name.strip_prefix(SERVICE_ACCOUNTS) {
        _ if name.is_empty() => "a name is missing",
        Some(namespace) if !may_be(namespace, is_dns_label) => {
            "the service accounts of a namespace are system:serviceaccounts:NAMESPACE"
        }
        None if name.starts_with(SERVICE_ACCOUNT) => "a service account is a user",
        _ => return None,
    };
    Some(format!("no group is called {name:?}: {reason}"))
}

/// Whether `rest` may be the namespace and name of a service account.
fn may_be_service_account(rest: &str) -> bool {
    match rest.split_once(':') {
        Some((namespace, name)) => {
            may_be(namespace, is_dns_label) && may_be(name, is_dns_subdomain)
        }
        // one `*` may stand for the end of the namespace and the beginning of the name
        None => rest.contains('*') && may_be(rest, is_dns_subdomain),
    }
}

/// Whether `pattern` may become a name that passes `check`: each `*` in it stands for a letter, or
/// for nothing.
fn may_be(pattern: &str, check: fn(&str) -> bool) -> bool {
    check(&pattern.replace('*', "x")) || check(&pattern.replace('*', ""))
}

/// Why this name, with a `*` in it, may be that of a service account of any namespace. `prefix` is
/// what the names of all of them begin with.
fn too_wide(name: &str, prefix: &str) -> Option<String> {
    let (literal, _) = name.split_once('*')?;
    let lawful = |character: char| {
        character.is_ascii_lowercase()
            || character.is_ascii_digit()
            || matches!(character, '-' | '.' | ':' | '*')
    };
    let is_open = match literal.strip_prefix(prefix) {
        // the namespace is written out where a colon or, of a group, nothing follows it
        Some(namespace) => !namespace.contains(':'),
        None => prefix.starts_with(literal) && name.chars().all(lawful),
    };
    is_open.then(|| {
        format!(
            "{name:?} may be a service account of any namespace, and whoever may create one there would be meant: write the namespace out"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern(pattern.to_owned()).matches(name)
    }

    #[test]
    fn a_star_matches_any_run_of_characters() {
        for (pattern, name) in [
            ("alice", "alice"),
            ("*", ""),
            ("*", "anybody:at all"),
            ("a*", "a"),
            ("*@example.com", "bob@example.com"),
            (
                "system:serviceaccount:*:*vpa-updater*",
                "system:serviceaccount:kube-system:vpa-updater",
            ),
            (
                "system:serviceaccount:*:*vpa-updater*",
                "system:serviceaccount:platform:goldilocks-vpa-updater-2",
            ),
            ("a*b*c", "abc"),
            ("a*b*c", "a.b.b.c"),
            ("a**b", "ab"),
            ("*a*", "bab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("alice", "alice2"),
            ("", "a"),
            ("a*", "ba"),
            ("*a", "ab"),
            ("ab*bc", "abc"),
            ("a*b*c", "acb"),
            ("a*x*c", "abc"),
            ("Alice*", "alice"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn one_name_or_one_group_is_enough() {
        let those: Requesters =
            serde_json::from_str(r#"{"users": ["alice", "bob"], "groups": ["sre-*"]}"#).unwrap();
        for (requester, expected) in [
            (r#"{"username": "bob", "groups": ["dev"]}"#, true),
            (r#"{"username": "eve", "groups": ["dev", "sre-1"]}"#, true),
            (r#"{"username": "eve", "groups": ["dev", "qa"]}"#, false),
            (r#"{"username": "eve"}"#, false),
        ] {
            let read: UserInfo<'_> = crate::json::read(requester).unwrap();
            assert_eq!(those.include(&read), expected, "{requester}");
        }
    }

    fn fault<T: for<'de> Deserialize<'de> + std::fmt::Debug>(json: &str) -> Option<String> {
        serde_json::from_str::<T>(json).err().map(|error| error.to_string())
    }

    #[test]
    fn what_can_never_match_is_an_error() {
        for lawful in [
            r#"{"users": ["alice", "*", "CN=admin", "system:serviceaccount:a:b", "system:node:*"]}"#,
            r#"{"users": ["system:serviceaccount:*", "system:serviceaccount:*:x", "system:serviceaccount:vpa-*:*"]}"#,
            r#"{"groups": ["sre-*", "system:masters", "system:serviceaccounts", "system:serviceaccounts:kube-*"]}"#,
            "{}",
        ] {
            assert_eq!(fault::<Requesters>(lawful), None, "{lawful}");
        }
        for never in [
            r#"{"users": [""]}"#,
            r#"{"users": ["system:serviceaccount:vpa-updater"]}"#,
            r#"{"users": ["system:serviceaccount:Kube:x"]}"#,
            r#"{"users": ["system:serviceaccount:a:b:c"]}"#,
            r#"{"users": ["system:serviceaccount:a:"]}"#,
            r#"{"users": ["system:serviceaccounts:a"]}"#,
            r#"{"groups": [""]}"#,
            r#"{"groups": ["system:serviceaccount:a:b"]}"#,
            r#"{"groups": ["system:serviceaccounts:a:b"]}"#,
            r#"{"groups": ["system:serviceaccounts:"]}"#,
            r#"{"people": []}"#,
        ] {
            assert!(fault::<Requesters>(never).is_some(), "{never}");
        }
    }

    #[test]
    fn nothing_is_given_to_service_accounts_of_any_namespace() {
        for lawful in [
            r#"{"users": ["alice", "*@example.com", "sre-*", "system:serviceaccount:vpa:*updater*"]}"#,
            r#"{"users": ["system:node:*", "Admin*"], "groups": ["sre-*", "system:serviceaccounts:vpa"]}"#,
        ] {
            assert_eq!(fault::<Grantees>(lawful), None, "{lawful}");
        }
        for wide in [
            r#"{"users": ["*"]}"#,
            r#"{"users": ["*updater*"]}"#,
            r#"{"users": ["*:vpa-updater"]}"#,
            r#"{"users": ["*updater.2"]}"#,
            r#"{"users": ["s*"]}"#,
            r#"{"users": ["system:*"]}"#,
            r#"{"users": ["system:serviceaccount:*"]}"#,
            r#"{"users": ["system:serviceaccount:*:vpa-updater"]}"#,
            r#"{"users": ["system:serviceaccount:vpa*:updater"]}"#,
            r#"{"groups": ["*"]}"#,
            r#"{"groups": ["system:serviceaccounts:*"]}"#,
            r#"{"groups": ["system:serviceaccounts:vpa*"]}"#,
        ] {
            let told = fault::<Grantees>(wide).unwrap();
            assert!(told.contains("write the namespace out"), "{wide}: {told}");
        }
    }
}
