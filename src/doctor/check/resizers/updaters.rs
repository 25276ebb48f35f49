//! Updaters of the vertical pod autoscaler that a policy does not list as automation: an unapproved
//! decrease by them is denied, and in most modes they evict the pod.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::Subject as Holder;

use crate::doctor::autoscaler::Autoscaler;
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::observation::Observations;
use crate::doctor::rights::{Holding, username, who};
use crate::doctor::scope::covers_resizes;
use crate::doctor::{hook, names, reach};
use crate::json::text::Text;
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::policy::Policy;
use crate::judge::subject::UserInfo;

/// What every updater of a manifest or a chart that is in use has in the name of its account.
const UPDATER: &str = "updater";

/// The same, where nothing else tells that it is one.
const VPA_UPDATER: &str = "vpa-updater";

/// Autoscalers that resize running pods, by namespace.
type Autoscalers<'f> = BTreeMap<String, Vec<Autoscaler<'f>>>;

pub(super) fn check(facts: &Facts, holdings: &[Holding<'_>], observations: &mut Observations<'_>) {
    let autoscalers = in_place(facts);
    if autoscalers.is_empty() {
        return;
    }
    let updaters: Vec<_> = holdings
        .iter()
        .flat_map(|holding| holding.subjects.iter().map(move |holder| (holding, holder)))
        .filter(|(holding, holder)| is_updater(holding, holder))
        .collect();
    if updaters.is_empty() {
        let message = "Vertical Pod Autoscalers resize in place, and nobody who may resize has the name of an updater";
        let remedy = "find its name in the audit log, user.username of requests to pods/resize, and compare it with automation of memory-limit-decrease";
        return observations.note("cluster", message, remedy);
    }
    for installation in &facts.installations {
        let policies = match installation.policies_in_force() {
            Ok(policies) => policies,
            Err(reason) => {
                unknown(installation, &reason, observations);
                continue;
            }
        };
        for policy in policies.iter().flat_map(Policies::iter).filter(|policy| denies(policy)) {
            for (holding, holder) in &updaters {
                let place = Place { facts, installation, policy };
                place.examine(holding, holder, &autoscalers, observations);
            }
        }
    }
}

/// The autoscalers that resize running pods where an installation looks.
fn in_place(facts: &Facts) -> Autoscalers<'_> {
    let mut found = Autoscalers::new();
    let all = facts.autoscalers.iter().flatten().flatten();
    for autoscaler in all.filter_map(|json| Autoscaler::read(json)) {
        if autoscaler.is_in_place() && reach::looks_after(facts, &autoscaler.namespace) {
            found.entry(autoscaler.namespace.clone()).or_default().push(autoscaler);
        }
    }
    found
}

/// Whether a holder of the right is an updater, as far as names tell. Accounts with any right, such
/// as those of tools that update images, are not meant.
fn is_updater(holding: &Holding<'_>, holder: &Holder) -> bool {
    let is_account = || {
        username(holder).is_some_and(|name| name.starts_with("system:serviceaccount:"))
            && holding.is_named
    };
    holder.kind != "Group"
        && (holder.name.contains(VPA_UPDATER) || holder.name.contains(UPDATER) && is_account())
}

/// Whether unapproved decreases by whom it does not list are denied.
fn denies(policy: &Policy) -> bool {
    policy.mode == Mode::Enforce && policy.stages.restore.is_some()
}

/// A policy that denies decreases, and where it is in force.
#[derive(Clone, Copy)]
struct Place<'f> {
    facts: &'f Facts,
    installation: &'f Installation,
    policy: &'f Policy,
}

impl Place<'_> {
    /// Says whether the resizes of an updater are denied.
    fn examine(
        self,
        holding: &Holding<'_>,
        holder: &Holder,
        autoscalers: &Autoscalers<'_>,
        observations: &mut Observations<'_>,
    ) {
        let Some(username) = username(holder) else { return };
        let requester = requester(&username);
        let Some((fault, remedy)) = self.fault(&username, &requester) else { return };
        let denied = autoscalers
            .iter()
            .filter(|(namespace, _)| holding.namespace.is_none_or(|of| of == *namespace))
            .filter(|(namespace, _)| {
                covers_resizes(self.facts, &self.policy.scope, namespace, &requester)
            })
            .flat_map(|(_, autoscalers)| autoscalers);
        let (evicting, others): (Vec<_>, Vec<_>) =
            denied.partition(|autoscaler| autoscaler.evicts());
        let told = |consequence: &str, autoscalers: &[&Autoscaler<'_>]| {
            let places = names::listed(autoscalers.iter().map(|autoscaler| autoscaler.place()));
            let who = who(std::slice::from_ref(holder));
            format!(
                "{who} {fault}: where its decreases are denied, it {consequence} the pods of {places}"
            )
        };
        if !evicting.is_empty() {
            observations.warning(&holding.binding, told("evicts", &evicting), remedy);
        } else if !others.is_empty() {
            let message = told("tries again and again to resize", &others);
            observations.note(&holding.binding, message, remedy);
        }
    }

    /// Why decreases by `requester` are denied and not restored, if they are, and what to do.
    fn fault(self, username: &str, requester: &UserInfo<'_>) -> Option<(String, String)> {
        let name = &self.policy.name;
        let restore = self.policy.stages.restore.as_ref()?;
        if !restore.automation().include(requester) {
            let fault = format!("is not listed as automation in policy \"{name}\"");
            let remedy = format!(
                "add it to settings.automation of policy \"{name}\": {{users: [\"{username}\"]}}"
            );
            return Some((fault, remedy));
        }
        if !restore.restores() {
            let fault = format!("is automation, but policy \"{name}\" sets unapproved: deny");
            let remedy = format!(
                "set unapproved: restore in policy \"{name}\", or give the autoscaler a floor"
            );
            return Some((fault, remedy));
        }
        let is_called =
            hook::of(self.facts, self.installation).any(|hook| hook.name == hook::RESTORE);
        (self.facts.mutating.is_ok() && !is_called).then(|| {
            let fault =
                format!("is automation, but no webhook \"{}\" calls Restraint", hook::RESTORE);
            (fault, "helm upgrade with the current values restores it".to_owned())
        })
    }
}

/// The requester of this name, in the groups that the API server puts service accounts in.
fn requester(username: &str) -> UserInfo<'_> {
    let account = username.strip_prefix("system:serviceaccount:");
    let namespace = account.and_then(|account| account.split_once(':')).map(|(name, _)| name);
    let of_accounts = namespace.map(|namespace| {
        [
            Text::from("system:serviceaccounts".to_owned()),
            Text::from(format!("system:serviceaccounts:{namespace}")),
        ]
    });
    let mut groups: Vec<_> = of_accounts.into_iter().flatten().collect();
    groups.push(Text::from("system:authenticated"));
    UserInfo { username: Text::from(username), groups, ..UserInfo::default() }
}

fn unknown(installation: &Installation, reason: &str, observations: &mut Observations<'_>) {
    let remedy = "run it with the right to get the ConfigMap of the policies";
    observations.unknown(
        installation.object(),
        "whether updaters are listed as automation was",
        reason,
        remedy,
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cluster::NamespacedName;
    use crate::doctor::check::resizers::check;
    use crate::doctor::facts::PolicyFiles;
    use crate::doctor::testing::{args, bind, healthy, lines, worst};

    use super::*;

    const ACCOUNT: &str = "system:serviceaccount:vpa:vertical-pod-autoscaler-updater";

    /// A cluster with an autoscaler in this mode in namespace shop, whose updater may resize there.
    fn with(mode: &str) -> Facts {
        let mut facts = healthy();
        let autoscaler = json!({
            "metadata": {"name": "db", "namespace": "shop"}, "spec": {"updatePolicy": {"updateMode": mode}},
        });
        facts.autoscalers = Ok(Some(vec![autoscaler.to_string()]));
        bind(&mut facts, None, "resizer", "User", ACCOUNT);
        under(&mut facts, "enforce", "{}", "someone");
        facts
    }

    /// Puts one policy in force, in this mode and scope, that lists this user as automation.
    fn under(facts: &mut Facts, mode: &str, scope: &str, user: &str) {
        let settings = format!("{{automation: {{users: [\"{user}\"]}}}}");
        set(facts, mode, scope, &settings);
    }

    /// Puts one policy in force.
    fn set(facts: &mut Facts, mode: &str, scope: &str, settings: &str) {
        let text = format!(
            "{{name: floor, rule: memory-limit-decrease, mode: {mode}, scope: {scope}, settings: {settings}}}"
        );
        facts.installations[0].policies = Ok(Some(PolicyFiles {
            config_map: NamespacedName::new("restraint", "restraint-policies"),
            contents: Ok([("floor.yaml".to_owned(), text)].into()),
        }));
    }

    fn is_warned(facts: &Facts) -> bool {
        worst(check, facts).starts_with("warning: ")
    }

    #[test]
    fn an_updater_that_is_not_listed_is_told_with_what_it_evicts() {
        let mut facts = with("InPlaceOrRecreate");
        assert_eq!(
            worst(check, &facts),
            format!(
                "warning: ClusterRoleBinding resizer: user \"{ACCOUNT}\" is not listed as automation in policy \"floor\": \
                 where its decreases are denied, it evicts the pods of VerticalPodAutoscaler shop/db"
            )
        );
        let mut seen = Vec::new();
        check(&facts, &mut Observations::of("resizers", &mut seen));
        let remedies: Vec<_> = seen.iter().filter_map(|found| found.remedy.as_deref()).collect();
        assert_eq!(
            remedies,
            [format!(
                "add it to settings.automation of policy \"floor\": {{users: [\"{ACCOUNT}\"]}}"
            )]
        );
        for listed in [ACCOUNT, "system:serviceaccount:vpa:*-updater"] {
            under(&mut facts, "enforce", "{}", listed);
            assert!(!is_warned(&facts), "{listed}");
        }
        under(&mut facts, "enforce", "{}", "*-recommender");
        assert!(is_warned(&facts));
    }

    #[test]
    fn automation_that_is_denied_by_choice_evicts_as_well() {
        let mut facts = with("InPlaceOrRecreate");
        let settings = "{unapproved: deny, automation: {users: [\"*\"]}}";
        set(&mut facts, "enforce", "{}", settings);
        assert!(worst(check, &facts).contains(
            "is automation, but policy \"floor\" sets unapproved: deny: where its decreases are denied, it evicts"
        ));
    }

    #[test]
    fn without_a_config_map_the_built_in_policies_are_in_force() {
        let mut facts = with("InPlaceOrRecreate");
        bind(&mut facts, None, "resizer", "User", "system:serviceaccount:vpa:resource-updater");
        facts.installations[0].policies = Ok(None);
        assert!(!is_warned(&facts), "some other source of policies");
        args(&mut facts, &["serve"]);
        let found = worst(check, &facts);
        assert!(found.contains("resource-updater") && found.starts_with("warning: "), "{found}");
    }

    #[test]
    fn without_the_hook_that_restores_being_listed_does_not_help() {
        let mut facts = with("InPlaceOrRecreate");
        under(&mut facts, "enforce", "{}", ACCOUNT);
        facts.mutating = Ok(Vec::new());
        assert!(worst(check, &facts).contains(
            "is automation, but no webhook \"restore.restraint.dev\" calls Restraint: where its decreases are denied, it evicts"
        ));
        facts.mutating = Err("forbidden".to_owned());
        assert!(!is_warned(&facts), "what was not seen is not missing");
    }

    #[test]
    fn only_what_a_policy_denies_an_updater_matters() {
        assert!(!is_warned(&with("Recreate")));
        let never_evicts = lines(check, &with("InPlace"));
        assert!(
            never_evicts.iter().any(|line| line.starts_with("note: ")
                && line.contains(
                    "it tries again and again to resize the pods of VerticalPodAutoscaler shop/db"
                )),
            "{never_evicts:#?}"
        );
        let mut facts = with("InPlaceOrRecreate");
        for (mode, scope, expected) in [
            ("warn", "{}", false),
            ("enforce", "{objects: {selector: {matchLabels: {app: db}}}}", true),
            ("enforce", "{namespaces: {names: [other]}}", false),
            ("enforce", "{requesters: {exceptGroups: [\"system:serviceaccounts:vpa\"]}}", false),
        ] {
            under(&mut facts, mode, scope, "someone");
            assert_eq!(is_warned(&facts), expected, "{mode} {scope}");
        }
        let mut elsewhere = with("InPlaceOrRecreate");
        let text = elsewhere.autoscalers.as_mut().unwrap().as_mut().unwrap();
        text[0] = text[0].replace("shop", "kube-system");
        assert!(!is_warned(&elsewhere), "Restraint does not look there");
    }

    #[test]
    fn updaters_are_known_by_their_names() {
        let told = |namespace, role, kind, name| {
            let mut facts = with("InPlaceOrRecreate");
            facts
                .rights
                .as_mut()
                .unwrap()
                .cluster_role_bindings
                .retain(|binding| binding.metadata.name.as_deref() != Some("resizer"));
            bind(&mut facts, namespace, role, kind, name);
            worst(check, &facts)
        };
        let account = |name| told(Some("shop"), "resizer", "ServiceAccount", name);
        assert!(account("vpa-updater").contains("service account shop/vpa-updater is not listed"));
        assert!(account("d8-vertical-pod-autoscaler-updater").starts_with("warning: "));
        assert!(told(None, "resizer", "User", "vpa-updater").starts_with("warning: "));
        let nobody = "note: cluster: Vertical Pod Autoscalers resize in place, and nobody";
        for other in [
            account("default"),
            told(Some("shop"), "cluster-admin", "ServiceAccount", "image-updater"),
            told(None, "resizer", "User", "updater"),
            told(None, "resizer", "Group", "vpa-updaters"),
            told(Some("kube-system"), "resizer", "ServiceAccount", "vpa-updater"),
        ] {
            assert!(!other.starts_with("warning: "), "{other}");
        }
        let mut facts = with("InPlaceOrRecreate");
        facts.rights.as_mut().unwrap().cluster_role_bindings.clear();
        assert!(lines(check, &facts).iter().any(|line| line.starts_with(nobody)));
    }

    #[test]
    fn without_the_policies_nothing_is_said_of_updaters() {
        let mut facts = with("InPlace");
        facts.installations[0].policies = Err("forbidden".to_owned());
        assert_eq!(
            worst(check, &facts),
            "unknown: Service restraint/restraint: whether updaters are listed as automation was not examined: forbidden"
        );
    }
}
