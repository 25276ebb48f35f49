//! `restraint audit` as a service, on an API server of its own: it reads and writes every namespace.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::trial;
use crate::auditor::Auditor;
use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::dry_run::client;
use crate::kubectl::Kubectl;
use crate::world::assets;

/// The definitions of reports, in the order in which they come into the cluster.
const DEFINITIONS: &str = include_str!("../policy-reports.yaml");

/// The rights of what audits.
const RIGHTS: &str = "restraint-audit";

/// How many namespaces there are in a large cluster.
const MANY: usize = 1_000;

/// Writes at a time.
const TOGETHER: usize = 16;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("audit as a service: reports follow what is found, within bounds", followed)]
}

fn followed() {
    let cluster = Cluster::start(&assets().unwrap().unwrap());
    let auditor = Auditor::start(&cluster);
    let admin = cluster.kubectl();
    finds_its_kind(&auditor, admin);
    keeps_what_is_the_same(&auditor, admin);
    leaves_others_alone(&auditor, admin);
    bounds_a_report(&auditor, &cluster);
    bears_many_namespaces(&auditor, &cluster);
    outlasts_its_rights(&auditor, admin);
    cluster.stop(false);
    outlasts_the_api_server(&auditor);
    assert!(auditor.terminate().success());
}

/// Waits until this is the state of policy reports.
fn state(auditor: &Auditor, state: &str) {
    let series = format!("policy_reports_state{{state=\"{state}\"}}");
    eventually(&format!("policy reports are {state}"), || {
        (auditor.metric(&series) > 0.0).then_some(())
    });
}

/// It takes the better kind that it knows, and says so where there is none.
fn finds_its_kind(auditor: &Auditor, admin: &Kubectl) {
    let [other, older, newer] = DEFINITIONS.split("---\n").collect::<Vec<_>>()[..] else {
        panic!("there are other definitions");
    };
    let define = |definition: &str| {
        admin.feed(&["create", "--filename", "-"], definition).accepted();
    };
    eventually("it is ready", || (auditor.page("/readyz").0 == 200).then_some(()));
    state(auditor, "absent");
    define(other);
    state(auditor, "other-version");
    let (status, said) = auditor.page("/readyz");
    assert_eq!(status, 200, "{said}");
    let words = "the cluster has \"openreports.io\" in v1beta1, and v1alpha1 is what is written";
    assert!(said.contains(words), "{said}");
    admin.run(&["create", "namespace", "shop"]).accepted();
    let shop = admin.within("shop");
    for name in ["api", "web"] {
        shop.feed(&["create", "--filename", "-"], &deployment(name).to_string()).accepted();
    }
    define(older);
    state(auditor, "kept");
    eventually("there is a PolicyReport", || report(&shop, "policyreports"));
    define(newer);
    let report = eventually("there is a Report", || report(&shop, "reports"));
    assert!(report["metadata"]["resourceVersion"].is_string());
}

/// What has not changed is not written, what has is, and what is empty goes.
fn keeps_what_is_the_same(auditor: &Auditor, admin: &Kubectl) {
    let shop = admin.within("shop");
    auditor.once_more();
    let before = report(&shop, "reports").unwrap();
    let of = |report: &Value, name: &str| {
        let results = report["results"].as_array().unwrap();
        results.iter().filter(|one| one["resources"][0]["name"] == name).count()
    };
    assert!(of(&before, "api") > 0 && of(&before, "web") > 0, "{before:#}");
    let result = &before["results"][0];
    assert_eq!((&result["source"], &result["rule"]), (&json!("restraint"), &result["policy"]));
    assert_eq!(result["resources"][0]["apiVersion"], "apps/v1");
    auditor.once_more();
    assert_eq!(report(&shop, "reports").unwrap()["metadata"], before["metadata"]);

    // somebody else's hand
    shop.run(&["patch", "report", RIGHTS, "--type", "merge", "--patch", "{\"results\":[]}"])
        .accepted();
    eventually("the report says again what there is to say", || {
        (report(&shop, "reports")?["results"] == before["results"]).then_some(())
    });

    shop.run(&["delete", "deployment", "web"]).accepted();
    let after = eventually("the report shrinks", || {
        report(&shop, "reports").filter(|report| of(report, "web") == 0)
    });
    assert_eq!(of(&after, "api"), of(&before, "api"));
    shop.run(&["delete", "deployment", "api"]).accepted();
    eventually("the report goes", || report(&shop, "reports").is_none().then_some(()));
}

/// A report of somebody else that has the name stays as it is.
fn leaves_others_alone(auditor: &Auditor, admin: &Kubectl) {
    admin.run(&["create", "namespace", "taken"]).accepted();
    let taken = admin.within("taken");
    let theirs = json!({"apiVersion": "openreports.io/v1alpha1", "kind": "Report", "metadata": {"name": RIGHTS},
        "results": [{"policy": "theirs"}]});
    taken.feed(&["create", "--filename", "-"], &theirs.to_string()).accepted();
    let before = report(&taken, "reports").unwrap();
    taken.feed(&["create", "--filename", "-"], &deployment("web").to_string()).accepted();
    let foreign = || auditor.metric("policy_report_writes_total{result=\"foreign\"}");
    eventually("the foreign report is noticed", || (foreign() > 0.0).then_some(()));
    assert_eq!(report(&taken, "reports").unwrap(), before);
    taken.run(&["delete", "deployment", "web"]).accepted();
    auditor.once_more();
    assert_eq!(report(&taken, "reports").unwrap(), before);
}

/// A namespace with more findings than a report has room for.
fn bounds_a_report(auditor: &Auditor, cluster: &Cluster) {
    create(cluster, vec![("wide".to_owned(), 210)]);
    let wide = cluster.kubectl().within("wide");
    let report = eventually("the report is full", || {
        let report = report(&wide, "reports")?;
        let results = report["results"].as_array()?.len();
        // all of them are there
        (results == 200 && report["summary"]["warn"].as_u64()? >= 210).then_some(report)
    });
    auditor.once_more();
    let omitted = &report["metadata"]["annotations"]["restraint.dev/omitted-results"];
    assert_ne!(omitted, "0");
    assert_eq!(&report["results"][199]["properties"]["omitted"], omitted);
    assert!(auditor.metric("policy_report_results_omitted") > 0.0);
}

/// Each namespace is written once, and metrics do not grow with them.
fn bears_many_namespaces(auditor: &Auditor, cluster: &Cluster) {
    auditor.once_more();
    let written = || auditor.metric("policy_report_writes_total{result=\"written\"}");
    let (before, standing) = (written(), auditor.metric("policy_reports"));
    create(cluster, (0..MANY).map(|number| (format!("many-{number}"), 1)).collect());
    let all = standing + MANY as f64;
    eventually("every namespace has a report", || {
        (auditor.metric("policy_reports") >= all).then_some(())
    });
    auditor.once_more();
    assert!(written() - before <= MANY as f64, "{} writes", written() - before);
    assert_eq!(auditor.metric("policy_report_writes_total{result=\"failed\"}"), 0.0);
    let versions = || -> BTreeMap<String, String> {
        let line = ["get", "reports", "--all-namespaces", "--output", "json"];
        let list = cluster.kubectl().run(&line).accepted().object();
        let of = |report: &Value| {
            let text = |field: &str| report["metadata"][field].as_str().unwrap().to_owned();
            (text("namespace"), text("resourceVersion"))
        };
        list["items"].as_array().unwrap().iter().map(of).collect()
    };
    let first = versions();
    assert!(first.len() > MANY, "{}", first.len());
    auditor.once_more();
    assert_eq!(versions(), first);
    let counted = auditor.counted_namespaces();
    assert_eq!(counted.len(), 200);
    // that with most findings is one of them
    assert!(counted.contains("wide"));
    assert!(auditor.metric("audit_namespaces_omitted") >= (MANY - 200) as f64);
    assert!(auditor.metric("audit_findings_omitted") >= (MANY - 200) as f64);
}

/// What may not be read any more is not gone.
fn outlasts_its_rights(auditor: &Auditor, admin: &Kubectl) {
    let binding = admin.run(&["get", "clusterrolebinding", RIGHTS, "--output", "json"]);
    let binding = binding.accepted().object();
    let standing = auditor.metric("policy_reports");
    let missing = || auditor.metric("audit_missing");
    admin.run(&["delete", "clusterrolebinding", RIGHTS]).accepted();
    eventually("everything is missing", || (missing() >= 10.0).then_some(()));
    state(auditor, "incomplete");
    let (status, said) = auditor.page("/readyz");
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("not whole") && said.contains("is forbidden"), "{said}");
    assert_eq!(auditor.metric("audit_success"), 0.0);
    assert_eq!(auditor.metric("policy_reports"), standing);
    assert_eq!(auditor.counted_namespaces().len(), 200);
    assert!(report(&admin.within("wide"), "reports").is_some());
    let anew = json!({"apiVersion": binding["apiVersion"], "kind": binding["kind"], "metadata": {"name": RIGHTS},
        "roleRef": binding["roleRef"], "subjects": binding["subjects"]});
    admin.feed(&["create", "--filename", "-"], &anew.to_string()).accepted();
    auditor.once_more();
    assert_eq!((missing(), auditor.metric("audit_success")), (0.0, 1.0));
}

/// The last report stays, and says how old it is.
fn outlasts_the_api_server(auditor: &Auditor) {
    let failed = || auditor.metric("audit_runs_total{result=\"failed\"}");
    eventually("audits fail", || (failed() > 0.0).then_some(()));
    let (status, said) = auditor.page("/readyz");
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("does not answer"), "{said}");
    assert!(auditor.metric("audit_age_seconds") > 0.0);
    assert_eq!(auditor.counted_namespaces().len(), 200);
    let (status, page) = auditor.page("/");
    assert!(status == 200 && page.contains("<title>Restraint audit</title>"));
    let (_, json) = auditor.page("/report.json");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&report["schema"], &report["missing"]),
        (&json!("restraint.dev/audit/v1"), &json!([]))
    );
}

/// Our report in a namespace, if it is there.
fn report(here: &Kubectl, kind: &str) -> Option<Value> {
    let group = if kind == "reports" { "openreports.io" } else { "wgpolicyk8s.io" };
    let got = here.run(&["get", &format!("{kind}.{group}"), RIGHTS, "--output", "json"]);
    got.succeeded().then(|| got.object())
}

/// A Deployment with a ConfigMap mounted by subPath.
fn deployment(name: &str) -> Value {
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10",
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app.yaml", "subPath": "app.yaml"}],
    });
    let labels = json!({"app": name});
    let spec = json!({"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "app"}}]});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    })
}

/// Creates namespaces with so many Deployments each. A process for each would take minutes.
fn create(cluster: &Cluster, namespaces: Vec<(String, usize)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client(cluster).await;
        let objects =
            namespaces.iter().map(|(name, deployments)| fill(&client, name, *deployments));
        stream::iter(objects).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
    });
}

async fn fill(client: &Client, namespace: &str, deployments: usize) {
    let of = |group, kind| ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let post = PostParams::default();
    let namespaces: Api<DynamicObject> = Api::all_with(client.clone(), &of("", "Namespace"));
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    namespaces.create(&post, &serde_json::from_value(object).unwrap()).await.unwrap();
    let workloads: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &of("apps", "Deployment"));
    for number in 0..deployments {
        let object = deployment(&format!("web-{number}"));
        workloads.create(&post, &serde_json::from_value(object).unwrap()).await.unwrap();
    }
}
