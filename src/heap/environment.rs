//! The literal environment, as the container finds it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::kube::container::{Container, EnvVar};
use crate::shell::{Environment, expand};

use super::launch::{Assigned, Launch, ScriptReader};
use super::setting::{Setting, Written};

/// The variables that the manifest tells of, expanded as the kubelet does it (`kubelet_pods.go`,
/// `makeEnvironmentVariables`): in order, each with those before it.
pub(super) struct Variables<'s> {
    values: Values<'s>,
    launch: &'s Launch<'s>,
}

enum Values<'s> {
    /// Mostly no value refers to another. Then they are left where they are: few of them are asked
    /// for.
    Written(&'s [EnvVar<'s>]),
    /// By name; `None` where the value comes from elsewhere.
    Expanded(BTreeMap<&'s str, Option<Cow<'s, str>>>),
}

impl<'s> Variables<'s> {
    /// The variables of `container`. `None` where expansion takes more than its budget.
    pub(super) fn of(
        container: &'s Container<'_>,
        launch: &'s Launch<'s>,
        reader: &dyn ScriptReader,
    ) -> Option<Self> {
        let refers = container.env.iter().any(|variable| variable.value.contains('$'));
        let values = if refers {
            Values::Expanded(expanded(&container.env, reader.expansion_budget())?)
        } else {
            Values::Written(&container.env)
        };
        Some(Self { values, launch })
    }

    /// The value of `name`, with references that lead nowhere left as written.
    pub(super) fn value(&self, name: &str) -> Setting<&str> {
        let written = match &self.values {
            Values::Written(variables) => {
                variables.iter().rev().find(|variable| &*variable.name == name).map(literal)
            }
            Values::Expanded(values) => values.get(name).map(Option::as_deref),
        };
        self.setting(name, written)
    }

    /// Every variable that is of interest by its name or value, by name.
    pub(super) fn of_interest(
        &self,
        of_interest: impl Fn(&str, Option<&str>) -> bool,
    ) -> Vec<(&str, Setting<&str>)> {
        let exported = self.launch.exported();
        let mut exported =
            exported.filter(|(name, value)| of_interest(name, Some(value))).peekable();
        let mut all = match &self.values {
            Values::Written(variables)
                if !variables.iter().any(|one| of_interest(&one.name, literal(one))) =>
            {
                if exported.peek().is_none() {
                    return Vec::new();
                }
                BTreeMap::new()
            }
            // of repeated names the last one counts
            Values::Written(variables) => {
                variables.iter().map(|one| (&*one.name, literal(one))).collect()
            }
            Values::Expanded(values) => values
                .iter()
                .map(|(name, value)| (*name, value.as_deref()))
                .collect::<BTreeMap<_, _>>(),
        };
        all.extend(exported.map(|(name, value)| (name, Some(value))));
        let found = all.into_iter().filter(|(name, value)| of_interest(name, *value));
        found.map(|(name, value)| (name, self.setting(name, Some(value)))).collect()
    }

    fn setting<'v>(&'v self, name: &str, written: Option<Option<&'v str>>) -> Setting<&'v str> {
        let known = |text| Setting::Known(text, Written::default());
        match (self.launch.assigned(name), written) {
            (Assigned::Unknown, _) => Setting::Unknown,
            (Assigned::To(text), _) => known(text),
            (Assigned::Not, None) => Setting::Absent,
            (Assigned::Not, Some(_)) if self.launch.loads_variables() => Setting::Unknown,
            (Assigned::Not, Some(None)) => Setting::Unknown,
            (Assigned::Not, Some(Some(text))) => known(text),
        }
    }
}

fn literal<'s>(variable: &'s EnvVar<'_>) -> Option<&'s str> {
    variable.is_literal().then_some(&*variable.value)
}

fn expanded<'s>(
    variables: &'s [EnvVar<'_>],
    mut budget: usize,
) -> Option<BTreeMap<&'s str, Option<Cow<'s, str>>>> {
    let (mut values, mut complete) = (BTreeMap::new(), Environment::new());
    for variable in variables {
        let (name, written) = (&*variable.name, &*variable.value);
        complete.remove(name);
        let value = if !variable.is_literal() {
            None
        } else if written.contains('$') {
            let (text, whole) = expand(written, &complete, &mut budget)?;
            Some((Cow::Owned(text), whole))
        } else {
            Some((Cow::Borrowed(written), true))
        };
        if let Some((text, true)) = &value {
            complete.insert(name.to_owned(), text.clone().into_owned());
        }
        values.insert(name, value.map(|(text, _)| text));
    }
    Some(values)
}
