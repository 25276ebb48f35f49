//! Resizes that the fallback policies and the service must answer alike.

mod granted;
mod recorded;
mod ungranted;

use serde_json::{Value, json};

use crate::pods::pod;

pub(super) use self::granted::granted;
pub(super) use self::recorded::recorded;
pub(super) use self::ungranted::ungranted;

/// A pod, what is granted on it, what is done to it, and what is denied of that.
pub(super) struct Case {
    /// Also the name of the pod.
    pub(super) name: &'static str,
    pub(super) pod: Value,
    /// What the SRE writes; empty for nothing.
    pub(super) grant: &'static str,
    /// What is resized first, and is not denied.
    pub(super) before: Option<Value>,
    pub(super) resize: Value,
    pub(super) dry_run: bool,
    /// Each part that is denied, and why; none where all is allowed.
    pub(super) denied: &'static [&'static str],
}

/// A resize with a trap in it: the name, the pod, what is done to it, and what is denied of that.
struct Trap(&'static str, fn() -> Value, fn() -> Value, &'static [&'static str]);

impl Trap {
    /// The resize, with nothing granted.
    fn case(&self) -> Case {
        let Self(name, pod, resize, denied) = *self;
        Case { name, pod: pod(), grant: "", before: None, resize: resize(), dry_run: false, denied }
    }
}

/// A pod with the container `app`, limited to 512Mi.
fn plain() -> Value {
    pod("")
}

/// A patch that limits the memory of containers of one list.
fn limits(list: &str, amounts: &[(&str, &str)]) -> Value {
    let limit = |(name, amount): &(&str, &str)| json!({"name": name, "resources": {"limits": {"memory": amount}}});
    json!({"spec": {list: amounts.iter().map(limit).collect::<Vec<_>>()}})
}
