//! Policies: whether a replica that starts now would have any.

use crate::cluster::installation;
use crate::doctor::facts::{Facts, Installation, PolicyFiles};
use crate::doctor::observation::Observations;
use crate::kube::name::describe;
use crate::policies::set::PolicySet;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        examine(installation, observations);
    }
}

fn examine(installation: &Installation, observations: &mut Observations<'_>) {
    let place = installation.object();
    match &installation.policies {
        Err(reason) => {
            let remedy =
                "run it with the right to get the ConfigMap, or look at restraint_policies_refused";
            observations.unknown(place, "its policies were", reason, remedy);
        }
        Ok(None) => {
            observations.remark(place, "has its policies from no ConfigMap: they were not examined")
        }
        Ok(Some(files)) => examine_files(installation, files, observations),
    }
}

fn examine_files(
    installation: &Installation,
    PolicyFiles { config_map, contents }: &PolicyFiles,
    observations: &mut Observations<'_>,
) {
    let object = describe("ConfigMap", &config_map.namespace, &config_map.name);
    let cap = installation.deployment().map(installation::cap).unwrap_or_default();
    let read = contents
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|contents| PolicySet::read(contents, cap).map_err(|errors| errors.to_string()));
    match read {
        Ok(set) => {
            let (count, digest) = (set.iter().count(), set.digest());
            observations.ok(object, format!("{count} policies, cap {cap}, digest {digest}"));
        }
        Err(errors) => {
            let errors = errors.lines().collect::<Vec<_>>().join("; ");
            let message = format!(
                "its policies are refused, and a replica that starts now is not ready: {errors}"
            );
            let remedy = "correct it, or helm rollback: replicas wait for sound policies";
            observations.problem(object, message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy, lines, worst};
    use crate::judge::mode::Cap;

    use super::*;

    fn files(facts: &mut Facts) -> &mut PolicyFiles {
        facts.installations[0].policies.as_mut().unwrap().as_mut().unwrap()
    }

    #[test]
    fn sound_policies_are_told_with_their_digest() {
        let mut facts = healthy();
        let digest = PolicySet::embedded(Cap::Enforce).digest().to_owned();
        let found = lines(check, &facts);
        let [line] = &*found else { panic!("{found:?}") };
        assert!(line.starts_with("ok: ConfigMap restraint/restraint-policies: "), "{line}");
        assert!(line.ends_with(&format!(" policies, cap enforce, digest {digest}")), "{line}");
        args(&mut facts, &["serve", "--cap=audit"]);
        let digest = PolicySet::embedded(Cap::Audit).digest().to_owned();
        assert!(worst(check, &facts).ends_with(&format!(", cap audit, digest {digest}")));
    }

    #[test]
    fn faulty_policies_are_a_problem_with_every_error() {
        let mut facts = healthy();
        let text = "name: file-watch\nrule: file-wacth\nmode: loud\n";
        files(&mut facts).contents.as_mut().unwrap().insert("file-watch.yaml".into(), text.into());
        let found = worst(check, &facts);
        assert!(found.starts_with("problem: ConfigMap restraint/restraint-policies: "), "{found}");
        for error in ["file-watch.yaml:2:7: unknown rule", "file-watch.yaml:3:7: unknown mode"] {
            assert!(found.contains(error), "{found}");
        }
        files(&mut facts).contents = Err("the config map does not exist".to_owned());
        assert!(worst(check, &facts).ends_with("is not ready: the config map does not exist"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let mut facts = healthy();
        facts.installations[0].policies = Ok(None);
        assert!(worst(check, &facts).starts_with("note: Service restraint/restraint: "));
        facts.installations[0].policies = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
