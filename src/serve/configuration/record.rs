//! What is kept of a workload: every use of a ConfigMap or Secret in one run of bytes. Of thousands of
//! workloads hardly one is ever asked for, and as structs they would be five times as large.

use std::borrow::Cow;
use std::ops::Range;

use crate::kube::config_use::{ConfigUse, Way};
use crate::kube::config_user::{ConfigUser, Life, UserUse};
use crate::kube::configuration::ConfigKind;
use crate::kube::container::Role;

/// The uses of one workload.
///
/// The first byte is its [`Life`], and the next sixteen are its uid. Each use is a byte of flags and a byte for way and role, followed by
/// the names of object and container, unless they are those of the use before, and the key, if any: each
/// a byte with its length, and its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record(Box<[u8]>);

const HOLDS: u8 = 1;
const STARTS: u8 = 1 << 1;

const SECRET: u8 = 1;
const OPTIONAL: u8 = 1 << 1;
const ROLLED: u8 = 1 << 2;
const IN_PLACE: u8 = 1 << 3;
const KEY: u8 = 1 << 4;
const SAME_OBJECT: u8 = 1 << 5;
const SAME_CONTAINER: u8 = 1 << 6;

/// How many ways there are for each role.
const WAYS: u8 = 8;

const ROLES: [Role; 3] = [Role::Regular, Role::Sidecar, Role::Init];

impl Record {
    /// The uses of `user`, which has this `uid`.
    pub(super) fn of(user: &ConfigUser, uid: &str) -> Self {
        let mut bytes = vec![bit(user.life.holds, HOLDS) | bit(user.life.starts, STARTS)];
        bytes.extend_from_slice(&uid_bits(uid).unwrap_or_default().to_be_bytes());
        let mut before: Option<&ConfigUse<'_>> = None;
        for by in &user.uses {
            let used = &by.used;
            let texts = [Some(&used.name), Some(&used.container), used.key.as_ref()];
            if texts.into_iter().flatten().any(|text| text.len() > usize::from(u8::MAX)) {
                // no object, container or key can be called so
                continue;
            }
            write(by, before, &mut bytes);
            before = Some(used);
        }
        Self(bytes.into_boxed_slice())
    }

    /// The workload of this kind and name with its uses of the object `of`; `None` where it has none.
    pub(super) fn user(
        &self,
        kind: &'static str,
        name: &str,
        of: (ConfigKind, &str),
    ) -> Option<ConfigUser> {
        let mut uses = Uses::of(&self.0)?;
        let life = uses.life;
        let uses: Vec<UserUse> =
            uses.by_ref().filter(|by| by.object == of).map(Packed::unpacked).collect();
        (!uses.is_empty()).then(|| ConfigUser { kind, name: name.to_owned(), life, uses })
    }

    /// Its uid; `None` where it is none that the API server makes.
    pub(super) fn uid(&self) -> Option<String> {
        let (_, bytes) = self.0.split_first()?;
        let bits = u128::from_be_bytes(*bytes.first_chunk()?);
        let uid = format!("{bits:032x}");
        let part = |range: Range<usize>| uid.get(range).unwrap_or_default();
        let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
        (bits != 0).then(|| parts.join("-"))
    }

    /// How many bytes it takes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The bits of a uid as the API server writes it.
fn uid_bits(uid: &str) -> Option<u128> {
    let parts = uid.split('-').map(str::len);
    if !parts.eq([8, 4, 4, 4, 12]) {
        return None;
    }
    u128::from_str_radix(&uid.replace('-', ""), 16).ok()
}

fn bit(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

fn write(by: &UserUse, before: Option<&ConfigUse<'_>>, bytes: &mut Vec<u8>) {
    let used = &by.used;
    let same_object = before.is_some_and(|before| before.is_of(used.kind, &used.name));
    let same_container = before.is_some_and(|before| before.container == used.container);
    bytes.push(
        bit(used.kind == ConfigKind::Secret, SECRET)
            | bit(used.optional, OPTIONAL)
            | bit(by.is_rolled, ROLLED)
            | bit(by.restarts_in_place, IN_PLACE)
            | bit(used.key.is_some(), KEY)
            | bit(same_object, SAME_OBJECT)
            | bit(same_container, SAME_CONTAINER),
    );
    let role = place(&ROLES, &used.role);
    bytes.push(role.saturating_mul(WAYS).saturating_add(place(&Way::ALL, &used.way)));
    let name = (!same_object).then_some(&*used.name);
    let container = (!same_container).then_some(&*used.container);
    for text in [name, container, used.key.as_deref()].into_iter().flatten() {
        bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// The place of `one` among all.
fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// The uses in a record, one after the other.
struct Uses<'r> {
    life: Life,
    left: &'r [u8],
    object: &'r str,
    container: &'r str,
}

/// One use, borrowed from its record.
struct Packed<'r> {
    flags: u8,
    object: (ConfigKind, &'r str),
    container: &'r str,
    role: Role,
    way: Way,
    key: Option<&'r str>,
}

impl<'r> Uses<'r> {
    fn of(bytes: &'r [u8]) -> Option<Self> {
        let (life, left) = bytes.split_first()?;
        let (_uid, left) = left.split_at_checked(size_of::<u128>())?;
        let life = Life { holds: life & HOLDS != 0, starts: life & STARTS != 0 };
        Some(Self { life, left, object: "", container: "" })
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, left) = self.left.split_first()?;
        self.left = left;
        Some(*byte)
    }

    fn text(&mut self) -> Option<&'r str> {
        let length = self.byte()?;
        let (text, left) = self.left.split_at_checked(length.into())?;
        self.left = left;
        str::from_utf8(text).ok()
    }
}

impl<'r> Iterator for Uses<'r> {
    type Item = Packed<'r>;

    fn next(&mut self) -> Option<Packed<'r>> {
        let (flags, means) = (self.byte()?, self.byte()?);
        if flags & SAME_OBJECT == 0 {
            self.object = self.text()?;
        }
        if flags & SAME_CONTAINER == 0 {
            self.container = self.text()?;
        }
        let key = if flags & KEY == 0 { None } else { Some(self.text()?) };
        let kind = if flags & SECRET == 0 { ConfigKind::ConfigMap } else { ConfigKind::Secret };
        let role = *ROLES.get(usize::from(means.checked_div(WAYS)?))?;
        let way = *Way::ALL.get(usize::from(means.checked_rem(WAYS)?))?;
        let object = (kind, self.object);
        Some(Packed { flags, object, container: self.container, role, way, key })
    }
}

impl Packed<'_> {
    fn unpacked(self) -> UserUse {
        let (kind, name) = self.object;
        let used = ConfigUse {
            kind,
            name: Cow::Owned(name.to_owned()),
            container: Cow::Owned(self.container.to_owned()),
            role: self.role,
            way: self.way,
            key: self.key.map(|key| Cow::Owned(key.to_owned())),
            optional: self.flags & OPTIONAL != 0,
        };
        UserUse {
            used,
            is_rolled: self.flags & ROLLED != 0,
            restarts_in_place: self.flags & IN_PLACE != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(object: (ConfigKind, &str), container: &str, way: Way, key: Option<&str>) -> UserUse {
        let used = ConfigUse {
            kind: object.0,
            name: Cow::Owned(object.1.to_owned()),
            container: Cow::Owned(container.to_owned()),
            role: Role::Regular,
            way,
            key: key.map(|key| Cow::Owned(key.to_owned())),
            optional: false,
        };
        UserUse { used, is_rolled: false, restarts_in_place: false }
    }

    fn user(life: Life, uses: Vec<UserUse>) -> ConfigUser {
        ConfigUser { kind: "Deployment", name: "web".to_owned(), life, uses }
    }

    const APP: (ConfigKind, &str) = (ConfigKind::ConfigMap, "app");
    const SECRET_APP: (ConfigKind, &str) = (ConfigKind::Secret, "app");

    #[test]
    fn what_is_kept_comes_back_whole() {
        let mut uses = Vec::new();
        for (way, key) in [
            (Way::Env, Some("a")),
            (Way::EnvFrom, None),
            (Way::Items, Some("b.yaml")),
            (Way::SubPath, Some("ä")),
            (Way::Volume, None),
        ] {
            for (role, container) in
                [(Role::Regular, "app"), (Role::Sidecar, "side"), (Role::Init, "init")]
            {
                let mut one = by(APP, container, way, key);
                one.used.role = role;
                one.used.optional = way == Way::Env;
                one.is_rolled = role == Role::Init;
                one.restarts_in_place = role == Role::Sidecar;
                uses.push(one);
            }
        }
        for life in [Life::RUNNING, Life::NOT_YET, Life::OVER, Life { holds: true, starts: false }]
        {
            let user = user(life, uses.clone());
            assert_eq!(Record::of(&user, "").user("Deployment", "web", APP), Some(user));
        }
    }

    #[test]
    fn a_lookup_has_the_uses_of_its_object_alone() {
        let uses = vec![
            by(APP, "app", Way::Env, Some("a")),
            by(SECRET_APP, "app", Way::EnvFrom, None),
            by(APP, "side", Way::Volume, None),
        ];
        let record = Record::of(&user(Life::RUNNING, uses.clone()), "");
        let found = record.user("Deployment", "web", SECRET_APP).unwrap();
        assert_eq!(found.uses, [uses[1].clone()]);
        let found = record.user("Deployment", "web", APP).unwrap();
        assert_eq!(found.uses, [uses[0].clone(), uses[2].clone()]);
        assert_eq!(record.user("Deployment", "web", (ConfigKind::ConfigMap, "ap")), None);
    }

    #[test]
    fn uids_come_back_as_they_are_written() {
        let uid = |uid| Record::of(&user(Life::RUNNING, vec![]), uid).uid();
        let known = "0b9c1f3e-0000-4000-8000-00000000abcd";
        assert_eq!(uid(known).as_deref(), Some(known));
        for other in
            ["", "u", "0b9c1f3e00004000800000000000abcd", "xb9c1f3e-0000-4000-8000-00000000abcd"]
        {
            assert_eq!(uid(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_repeats_is_kept_once() {
        let uses = |count: usize| {
            let keys = (0..count).map(|index| format!("KEY_{index:03}"));
            keys.map(|key| by(APP, "application", Way::Env, Some(&key))).collect()
        };
        let length = |count| Record::of(&user(Life::RUNNING, uses(count)), "").len();
        assert_eq!(length(41) - length(1), 40 * (2 + 1 + "KEY_000".len()));
    }

    #[test]
    fn what_is_no_name_is_left_out_and_bytes_that_break_off_end() {
        let long = "n".repeat(256);
        let uses =
            vec![by(APP, "app", Way::SubPath, Some(&long)), by(APP, "app", Way::EnvFrom, None)];
        let record = Record::of(&user(Life::RUNNING, uses.clone()), "");
        let found = record.user("Deployment", "web", APP).unwrap();
        assert_eq!(found.uses, [uses[1].clone()]);
        for end in 0..record.0.len() {
            let cut = Record(record.0[..end].into());
            assert_eq!(cut.user("Deployment", "web", APP), None, "{end}");
        }
    }
}
