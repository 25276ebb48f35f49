//! How many namespaces an installation guards, and why not the others.

use crate::doctor::coverage::State;
use crate::doctor::facts::Installation;
use crate::doctor::names::listed;
use crate::doctor::observation::Observations;
use crate::doctor::reach::Place;

/// Namespaces that are not guarded for the same reason.
struct Group<'p> {
    reason: String,
    remedy: String,
    namespaces: Vec<&'p str>,
}

pub(super) fn report(
    installation: &Installation,
    places: Vec<Place<'_>>,
    observations: &mut Observations<'_>,
) {
    let count = |state| places.iter().filter(|place| place.state == state).count();
    let (guarded, by_design, elsewhere) =
        (count(State::Guarded), count(State::ByDesign), count(State::Elsewhere));
    let total = places.len().saturating_sub(by_design).saturating_sub(elsewhere);
    let groups = groups(&places);
    let mut message = format!("guarded: {guarded} of {total} namespaces");
    if !groups.is_empty() {
        let group = |group: &Group<'_>| format!("{} ({})", listed(&group.namespaces), group.reason);
        message.push_str("; not: ");
        message.push_str(&groups.iter().map(group).collect::<Vec<_>>().join(", "));
    }
    for (count, what) in [(by_design, "excluded by design"), (elsewhere, "of another installation")]
    {
        if count > 0 {
            message.push_str(&format!("; {count} {what}"));
        }
    }
    let object = installation.object();
    let largest = groups.iter().max_by_key(|group| group.namespaces.len());
    match largest.map(|group| group.remedy.clone()) {
        _ if guarded == total && guarded > 0 => observations.ok(object, message),
        Some(remedy) if guarded > 0 => {
            observations.note(object, message, format!("if that is not intended: {remedy}"));
        }
        remedy => observations.problem(
            object,
            message,
            remedy.unwrap_or_else(|| {
                "uninstall it, if another installation does its work".to_owned()
            }),
        ),
    }
    observations.with_namespaces(places.into_iter().map(Place::into_coverage).collect());
}

/// Those that should perhaps be guarded, by the reason why they are not.
fn groups<'p>(places: &'p [Place<'_>]) -> Vec<Group<'p>> {
    let mut groups: Vec<Group<'p>> = Vec::new();
    for place in places {
        let Some((need, gap)) = place.reason() else { continue };
        let reason = match place.state {
            State::Unguarded => gap.to_string(),
            State::Partly => format!("{}: {gap}", need.name()),
            State::Guarded | State::ByDesign | State::Elsewhere => continue,
        };
        match groups.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.namespaces.push(place.namespace),
            None => groups.push(Group {
                reason,
                remedy: gap.remedy(),
                namespaces: vec![place.namespace],
            }),
        }
    }
    groups
}
