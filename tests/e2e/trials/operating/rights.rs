//! Rights that are documented and suffice, and what the API server would refuse.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Person};
use crate::recorded::Recorded;
use crate::space::Space;

use super::super::trial;
use super::{assert_limit, begin, ended, limits, started};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "restraint resize: a missing right is told before anything is changed",
            a_missing_right,
        ),
        trial(
            "restraint resize: each right that is needed is documented, and missed before any change",
            each_right,
        ),
        trial(
            "restraint resize: a quota and the size of the node refuse it in the plan",
            refused_by_the_api_server,
        ),
    ]
}

/// The rights in `docs/operating.md` up to those that are only good to have: group, resource, verb.
fn needed() -> Vec<[String; 3]> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("## Rights").unwrap();
    let (_, rest) = rest.split_once("rules:\n").unwrap();
    let (rules, _) = rest.split_once("# better with").unwrap();
    let words = |line: &str, key: &str| -> Vec<String> {
        let (_, rest) = line.split_once(&format!("{key}: [")).unwrap();
        let (list, _) = rest.split_once(']').unwrap();
        list.split(", ").map(|word| word.trim_matches('"').to_owned()).collect()
    };
    let lines = rules.lines().filter(|line| line.contains("apiGroups"));
    let rights = lines.flat_map(|line| {
        let (groups, verbs) = (words(line, "apiGroups"), words(line, "verbs"));
        let resources = words(line, "resources").into_iter();
        resources.flat_map(move |resource| {
            let group = groups[0].clone();
            let one = move |verb: &String| [group.clone(), resource.clone(), verb.clone()];
            verbs.iter().map(one).collect::<Vec<_>>()
        })
    });
    rights.collect()
}

/// Somebody of this name who holds all of these rights in the space.
fn somebody(space: &Space<'_>, name: &str, rights: &[[String; 3]]) -> Kubectl {
    let rules: Vec<Value> = rights
        .iter()
        .map(|[group, resource, verb]| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]}))
        .collect();
    let meta = json!({"name": name});
    let group = "rbac.authorization.k8s.io";
    let api = format!("{group}/v1");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta});
    let role = json!({"apiVersion": api, "kind": "Role", "metadata": meta, "rules": rules});
    let binding = json!({"apiVersion": api, "kind": "RoleBinding", "metadata": meta,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space.name()}]});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [account, role, binding]});
    space.kubectl().feed(&["create", "--filename", "-"], &list.to_string()).accepted();
    let token = space.kubectl().run(&["create", "token", name]).printed();
    let folder = &space.kubectl().folder;
    let path = folder.join(Person::Admin.kubeconfig());
    let mut config: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    let own = folder.join(format!("{}-{name}", space.name()));
    fs::create_dir(&own).unwrap();
    fs::write(own.join(Person::Admin.kubeconfig()), config.to_string()).unwrap();
    let kubectl = Kubectl { folder: own, ..space.kubectl().clone() };
    let [_, resource, verb] = rights.last().unwrap();
    eventually("their rights are known", || {
        let line = ["auth", "can-i", "--quiet", verb, resource];
        kubectl.run(&line).succeeded().then_some(())
    });
    kubectl
}

fn a_missing_right() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let outcome = begin(space.by(Person::Sre), "pod/db", &["--memory", "96Mi"]).join().unwrap();
    assert_eq!(outcome.code(), Some(2));
    let said = outcome.refused();
    assert!(said.contains("nothing was changed: watch pods, patch pods/resize"), "{said}");
    assert_limit(&space, "db", "64Mi");
}

fn each_right() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let needed = needed();
    assert!(needed.len() > 8, "{needed:?}");
    let line = ["resize", "pod/db", "--memory", "96Mi", "--dry-run"];
    let forget =
        |name: &str| drop(space.kubectl().run(&["delete", "rolebinding", name]).accepted());
    somebody(&space, "all", &needed).restraint(&line).accepted();
    // whoever looks at bindings meanwhile sees few
    forget("all");
    // what is read of workloads is not read of a pod that nobody keeps
    for (number, missing) in needed.iter().enumerate().filter(|(_, right)| right[0] != "apps") {
        let others: Vec<_> = needed.iter().filter(|right| *right != missing).cloned().collect();
        let name = format!("one-{number}");
        let outcome = somebody(&space, &name, &others).restraint(&line);
        forget(&name);
        let [group, resource, verb] = missing;
        let dot = if group.is_empty() { "" } else { "." };
        assert_eq!(outcome.code(), Some(2), "{missing:?}: {outcome:#?}");
        let said = outcome.refused();
        // without it there is no pod to speak of
        if (resource.as_str(), verb.as_str()) != ("pods", "get") {
            let expected = format!("nothing was changed: {verb} {resource}{dot}{group}\n");
            assert!(said.ends_with(&expected), "{expected}: {said}");
        }
    }
    assert_limit(&space, "db", "64Mi");
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
}

fn refused_by_the_api_server() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let refused = |flags: &[&str]| {
        let report = ended(begin(space.by(Person::Developer), "pod/db", flags), 3);
        let answer = report["plan"]["pods"][0]["answer"].clone();
        assert_eq!(answer["verdict"], "refused", "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    };
    // the node of the space has 128Gi
    let said = refused(&["--memory", "200Gi", "--request-memory", "200Gi"]);
    assert!(said.contains("node didn't have enough allocatable resources: memory"), "{said}");
    // nobody counts here what a quota has left
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"limits.memory": "80Mi"}}});
    space.create(&quota).accepted();
    let status =
        json!({"status": {"hard": {"limits.memory": "80Mi"}, "used": {"limits.memory": "64Mi"}}});
    let status = status.to_string();
    let line = [
        "patch",
        "quota",
        "small",
        "--subresource",
        "status",
        "--type",
        "merge",
        "--patch",
        &status,
    ];
    space.kubectl().run(&line).accepted();
    let said = eventually("the API server knows the quota", || {
        let flags = ["resize", "pod/db", "--memory", "96Mi", "--dry-run"];
        let outcome = space.by(Person::Developer).restraint(&flags);
        (outcome.code() == Some(3)).then_some(())?;
        Some(refused(&["--memory", "96Mi"]))
    });
    assert!(said.contains("exceeded quota: small"), "{said}");
    assert_limit(&space, "db", "64Mi");
}
