//! Who may approve: the verb `approve` on `pods/resize`.

use crate::doctor::facts::{Facts, Rights};
use crate::doctor::observation::Observations;
use crate::doctor::reach;
use crate::doctor::rights::{
    Breadth, Holding, RESIZE, RESIZE_VERBS, holdings, is_program, report_built_in,
    report_elsewhere, who,
};

/// The verb that no request has: Restraint asks whether somebody has it.
const APPROVE: [&str; 1] = ["approve"];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let rights = match &facts.rights {
        Ok(rights) => rights,
        Err(reason) => {
            return observations.unknown(
                "cluster",
                "who may approve was",
                reason,
                "run it with the right to list roles and their bindings",
            );
        }
    };
    let (built_in, others): (Vec<_>, Vec<_>) =
        holdings(rights, &APPROVE, RESIZE).into_iter().partition(|holding| holding.is_built_in);
    let (others, elsewhere): (Vec<_>, Vec<_>) = others.into_iter().partition(|holding| {
        holding.namespace.is_none_or(|namespace| reach::looks_after(facts, namespace))
    });
    for holding in &others {
        examine(rights, holding, observations);
    }
    if !others.iter().any(|holding| holding.is_named) {
        let message =
            "only administrators may approve: decreases need them, unless a policy lists approvers";
        observations.note(
            "cluster",
            message,
            "kubectl create rolebinding approvers -n NAMESPACE --clusterrole restraint-approver --group GROUP",
        );
    }
    report_elsewhere(&elsewhere, "approve", observations);
    report_built_in(&built_in, "approve", observations);
}

fn examine(rights: &Rights, holding: &Holding<'_>, observations: &mut Observations<'_>) {
    let message = format!(
        "{} may approve resizes of {}, by {}",
        who(holding.subjects),
        holding.reach(),
        holding.role
    );
    let remedy = "bind the role to a group of people who may approve decreases";
    if holding.breadth() == Breadth::Everybody {
        return observations.problem(&holding.binding, message, remedy);
    }
    if holding.is_named && holding.subjects.iter().any(is_program) {
        return observations.warning(
            &holding.binding,
            format!("{message}: approvals are for people, not programs"),
            remedy,
        );
    }
    let both = holdings(rights, &RESIZE_VERBS, RESIZE).into_iter().any(|other| {
        let is_same = |subject| holding.subjects.contains(subject);
        other.is_named
            && (other.namespace.is_none() || other.namespace == holding.namespace)
            && other.subjects.iter().any(is_same)
    });
    if both && holding.is_named {
        let message =
            format!("{message}; some of them may also resize, and so approve their own requests");
        return observations.note(
            &holding.binding,
            message,
            "set fourEyes in the policy if two people have to agree",
        );
    }
    observations.remark(&holding.binding, message);
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{bind, healthy, lines, worst};

    use super::*;

    #[test]
    fn approvers_are_people_and_few() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            [
                "note: RoleBinding shop/approvers: group \"sre\" may approve resizes of pods in namespace \"shop\", by ClusterRole \"restraint-approver\"",
                "ok: cluster: built-in bindings that may approve: ClusterRoleBinding cluster-admin",
            ]
        );
        bind(&mut facts, Some("shop"), "resizer", "Group", "sre");
        assert!(worst(check, &facts).contains("some of them may also resize"));
        bind(&mut facts, Some("shop"), "restraint-approver", "ServiceAccount", "robot");
        assert!(worst(check, &facts).starts_with(
            "warning: RoleBinding shop/restraint-approver: service account shop/robot may approve"
        ));
        bind(&mut facts, Some("kube-system"), "restraint-approver", "ServiceAccount", "daemon");
        assert!(
            lines(check, &facts).contains(
                &"ok: cluster: bindings that may approve where no webhook of Restraint looks: \
              RoleBinding kube-system/restraint-approver"
                    .to_owned()
            )
        );
        bind(&mut facts, None, "restraint-approver", "Group", "system:authenticated");
        assert!(worst(check, &facts).starts_with("problem: ClusterRoleBinding restraint-approver"));
    }

    #[test]
    fn a_cluster_without_approvers_is_noted() {
        let mut facts = healthy();
        facts.rights.as_mut().unwrap().role_bindings.clear();
        assert!(worst(check, &facts).starts_with("note: cluster: only administrators may approve"));
        facts.rights = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
