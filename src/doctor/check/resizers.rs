//! Who may resize pods: verbs `patch` and `update` on `pods/resize`.

mod updaters;

use crate::doctor::facts::Facts;
use crate::doctor::observation::Observations;
use crate::doctor::reach;
use crate::doctor::rights::{
    Breadth, Holding, RESIZE, RESIZE_VERBS, holdings, report_built_in, report_elsewhere, who,
};

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let rights = match &facts.rights {
        Ok(rights) => rights,
        Err(reason) => {
            return observations.unknown(
                "cluster",
                "who may resize was",
                reason,
                "run it with the right to list roles and their bindings",
            );
        }
    };
    let (built_in, others): (Vec<_>, Vec<_>) = holdings(rights, &RESIZE_VERBS, RESIZE)
        .into_iter()
        .partition(|holding| holding.is_built_in);
    let (others, elsewhere): (Vec<_>, Vec<_>) = others.into_iter().partition(|holding| {
        holding.namespace.is_none_or(|namespace| reach::looks_after(facts, namespace))
    });
    for holding in &others {
        examine(holding, observations);
    }
    updaters::check(facts, &others, observations);
    if others.is_empty() {
        observations.remark(
            "cluster",
            "only administrators may resize: the roles edit and admin do not include pods/resize",
        );
    }
    report_elsewhere(&elsewhere, "resize", observations);
    report_built_in(&built_in, "resize", observations);
}

fn examine(holding: &Holding<'_>, observations: &mut Observations<'_>) {
    let message =
        format!("{} may resize {}, by {}", who(holding.subjects), holding.reach(), holding.role);
    match holding.breadth() {
        Breadth::Everybody => {
            observations.problem(&holding.binding, message, "bind the role to those who need it")
        }
        Breadth::Namespace => observations.warning(
            &holding.binding,
            message,
            "bind the role to the one service account that needs it",
        ),
        Breadth::Some => observations.remark(&holding.binding, message),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{bind, healthy, lines, worst};

    use super::*;

    #[test]
    fn holders_are_told_with_their_reach() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            [
                "note: ClusterRoleBinding resizers: group \"developers\" may resize pods everywhere, by ClusterRole \"resizer\"",
                "ok: cluster: built-in bindings that may resize: ClusterRoleBinding cluster-admin",
            ]
        );
        bind(&mut facts, Some("ci"), "resizer", "Group", "system:serviceaccounts:ci");
        assert_eq!(
            worst(check, &facts),
            "warning: RoleBinding ci/resizer: group \"system:serviceaccounts:ci\" may resize pods in namespace \"ci\", by ClusterRole \"resizer\""
        );
        bind(&mut facts, None, "resizer", "Group", "system:authenticated");
        assert!(
            worst(check, &facts)
                .starts_with("problem: ClusterRoleBinding resizer: group \"system:authenticated\"")
        );
        facts.rights = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }

    #[test]
    fn bindings_where_restraint_does_not_look_are_one_line() {
        let mut facts = healthy();
        bind(&mut facts, Some("kube-system"), "resizer", "Group", "system:authenticated");
        assert_eq!(
            lines(check, &facts)[1],
            "ok: cluster: bindings that may resize where no webhook of Restraint looks: RoleBinding kube-system/resizer"
        );
        facts.installations.clear();
        assert!(worst(check, &facts).starts_with("problem: RoleBinding kube-system/resizer"));
    }
}
