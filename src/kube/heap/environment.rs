//! The literal environment, as the container finds it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kube::container::Container;
use crate::kube::shell::{Environment, expand};

use super::launch::{Launch, Reader};
use super::setting::Setting;

/// The variables that the manifest tells of, expanded as the kubelet does it (`kubelet_pods.go`,
/// `makeEnvironmentVariables`): in order, each with those before it.
pub(super) struct Variables<'s> {
    /// `None` where the value comes from elsewhere.
    values: BTreeMap<&'s str, Option<Cow<'s, str>>>,
    launch: &'s Launch<'s>,
}

impl<'s> Variables<'s> {
    /// The variables of `container`. `None` where expansion takes too much room.
    pub(super) fn of(container: &'s Container<'_>, launch: &'s Launch<'s>, reader: &dyn Reader) -> Option<Self> {
        let (mut values, mut complete, mut room) = (BTreeMap::new(), Environment::new(), reader.room());
        // mostly no value refers to another, and then none is copied
        let refers = container.env.iter().any(|variable| variable.value.contains('$'));
        for variable in &container.env {
            let (name, written) = (&*variable.name, &*variable.value);
            complete.remove(name);
            let value = if !variable.is_literal() {
                None
            } else if written.contains('$') {
                let (text, whole) = expand(written, &complete, &mut room)?;
                Some((Cow::Owned(text), whole))
            } else {
                Some((Cow::Borrowed(written), true))
            };
            if let (Some((text, true)), true) = (&value, refers) {
                complete.insert(name.to_owned(), text.clone().into_owned());
            }
            values.insert(name, value.map(|(text, _)| text));
        }
        Some(Self { values, launch })
    }

    /// The value of `name`, with references that lead nowhere left as written.
    pub(super) fn value(&self, name: &str) -> Setting<&str> {
        match self.values.get(name) {
            _ if self.launch.assigns(name) => Setting::Unknown,
            None => Setting::Absent,
            Some(_) if self.launch.loads_variables() => Setting::Unknown,
            Some(None) => Setting::Unknown,
            Some(Some(text)) => Setting::Known(text, String::new()),
        }
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &'s str> + '_ {
        self.values.keys().copied()
    }
}
