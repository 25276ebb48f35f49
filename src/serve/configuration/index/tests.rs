use serde_json::{Value, json};

use super::*;

fn web(namespace: &str, name: &str, map: &str) -> Value {
    let spec =
        json!({"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": map}}]}]});
    json!({"metadata": {"namespace": namespace, "name": name}, "spec": {"template": {"spec": spec}}})
}

fn list(index: &Index, resource: Resource, objects: &[Value]) {
    let mut listing = Listing::default();
    for object in objects {
        index.take(resource, &object.to_string(), Some(&mut listing));
    }
    index.listed(resource, &listing);
}

fn listed() -> Index {
    let index = Index::default();
    for resource in FOLLOWED {
        list(&index, resource, &[]);
    }
    index
}

fn users(index: &Index, namespace: &str, map: &str) -> Option<Vec<String>> {
    let users = index.users((ConfigKind::ConfigMap, map), namespace)?;
    Some(users.iter().map(ConfigUser::target).collect())
}

#[test]
fn nothing_is_said_before_every_kind_is_listed() {
    let index = Index::default();
    for resource in FOLLOWED {
        assert_eq!(users(&index, "shop", "app"), None);
        assert!(index.knowledge().unknown.contains(&resource.kind()));
        list(&index, resource, &[]);
    }
    assert_eq!(users(&index, "shop", "app"), Some(vec![]));
    assert_eq!(index.knowledge(), Knowledge { users: 0, unknown: vec![], troubles: vec![] });
}

#[test]
fn users_come_by_namespace_and_object() {
    let index = listed();
    let deployments =
        [web("shop", "web", "app"), web("shop", "api", "other"), web("shop-2", "web", "app")];
    list(&index, Resource::Deployment, &deployments);
    list(&index, Resource::StatefulSet, &[web("shop", "db", "app"), web("sho", "db", "app")]);
    assert_eq!(
        users(&index, "shop", "app"),
        Some(vec!["deploy/web".to_owned(), "sts/db".to_owned()])
    );
    assert_eq!(users(&index, "shop-2", "app"), Some(vec!["deploy/web".to_owned()]));
    assert_eq!(users(&index, "sh", "app"), Some(vec![]));
    assert_eq!(index.users((ConfigKind::Secret, "app"), "shop"), Some(Arc::default()));
}

#[test]
fn what_changes_and_goes_is_followed() {
    let index = listed();
    let take = |object: Value| index.take(Resource::Deployment, &object.to_string(), None);
    take(web("shop", "web", "app"));
    assert_eq!(users(&index, "shop", "app"), Some(vec!["deploy/web".to_owned()]));
    take(web("shop", "web", "other"));
    assert_eq!(users(&index, "shop", "app"), Some(vec![]));
    assert_eq!(users(&index, "shop", "other"), Some(vec!["deploy/web".to_owned()]));
    take(json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {}}));
    assert_eq!(users(&index, "shop", "other"), Some(vec![]));
    take(web("shop", "web", "app"));
    index.forget(Resource::Deployment, &web("shop", "web", "app").to_string());
    assert_eq!(users(&index, "shop", "app"), Some(vec![]));
}

#[test]
fn what_went_while_nobody_looked_is_forgotten_with_the_next_list() {
    let index = listed();
    list(&index, Resource::Deployment, &[web("shop", "web", "app"), web("shop", "api", "app")]);
    list(&index, Resource::Deployment, &[web("shop", "api", "app")]);
    assert_eq!(users(&index, "shop", "app"), Some(vec!["deploy/api".to_owned()]));
}

#[test]
fn what_cannot_be_followed_counts_for_a_while() {
    let index = listed();
    list(&index, Resource::Deployment, &[web("shop", "web", "app")]);
    index.lost(Resource::Pod, Some("forbidden".to_owned()));
    assert_eq!(users(&index, "shop", "app"), Some(vec!["deploy/web".to_owned()]));
    assert_eq!(index.knowledge().troubles, ["Pod: forbidden"]);
    assert_eq!(index.knowledge().unknown, [""; 0]);
    let long_ago = Instant::now().checked_sub(COUNTS_FOR + Duration::from_secs(1));
    // a machine that has just started knows no such time
    let Some(long_ago) = long_ago else { return };
    index.write(Resource::Pod).unwrap().lost = Some(long_ago);
    index.lost(Resource::Pod, Some("forbidden".to_owned()));
    assert_eq!(users(&index, "shop", "app"), None);
    assert_eq!(index.knowledge().unknown, ["Pod"]);
    list(&index, Resource::Pod, &[]);
    assert_eq!(users(&index, "shop", "app"), Some(vec!["deploy/web".to_owned()]));
    assert_eq!(index.knowledge().troubles, [""; 0]);
}

#[test]
fn pods_of_controllers_are_left_to_them() {
    let index = listed();
    let spec =
        json!({"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "app"}}]}]});
    let owner = json!([{"controller": true, "kind": "ReplicaSet", "name": "web-1"}]);
    let bare = json!({"metadata": {"namespace": "shop", "name": "bare"}, "spec": spec});
    let made = json!({"metadata": {"namespace": "shop", "name": "made", "ownerReferences": owner}, "spec": spec});
    list(&index, Resource::Pod, &[bare, made]);
    assert_eq!(users(&index, "shop", "app"), Some(vec!["pod/bare".to_owned()]));
}

/// As people write them: two containers, variables of both kinds, a file and a folder.
fn usual(number: usize) -> String {
    let metadata = format!(
        r#"{{"namespace": "team-{}", "name": "service-{number}", "uid": "0b9c1f3e-0000-4000-8000-{number:012x}"}}"#,
        number % 200
    );
    let variables: Vec<String> = (0..8)
        .map(|key| {
            let (source, name) = if key < 6 { ("configMapKeyRef", "config") } else { ("secretKeyRef", "secret") };
            format!(
                r#"{{"name": "V{key}", "valueFrom": {{"{source}": {{"name": "service-{number}-{name}", "key": "SETTING_NUMBER_{key}"}}}}}}"#
            )
        })
        .collect();
    let env = variables.join(",");
    format!(
        r#"{{"metadata": {metadata}, "spec": {{"template": {{"spec": {{
            "volumes": [{{"name": "config", "configMap": {{"name": "service-{number}-config"}}}}],
            "containers": [
                {{"name": "application", "env": [{env}], "envFrom": [{{"configMapRef": {{"name": "common"}}}}],
                 "volumeMounts": [{{"name": "config", "mountPath": "/etc/app"}}]}},
                {{"name": "log-shipper", "volumeMounts": [{{"name": "config", "mountPath": "/etc/log.yaml", "subPath": "log.yaml"}}]}}
            ]}}}}}}}}"#
    )
}

#[test]
fn twenty_thousand_workloads_fit_into_ten_mebibytes() {
    const WORKLOADS: u64 = 20_000;
    let mut index = None;
    let info = allocation_counter::measure(|| {
        let listed = listed();
        let mut listing = Listing::default();
        for number in 0..WORKLOADS as usize {
            listed.take(Resource::Deployment, &usual(number), Some(&mut listing));
        }
        listed.listed(Resource::Deployment, &listing);
        index = Some(listed);
    });
    let kept = info.bytes_current as u64;
    // which is less than 10 MiB in all
    assert!(kept <= WORKLOADS * 500, "{} bytes a workload", kept / WORKLOADS);
    // a list under way needs little besides
    assert!(info.bytes_max <= (10 << 20) + (1 << 20), "{} bytes at most", info.bytes_max);
    // key and record, and a node of the tree for a few of them
    let pieces = info.count_current as u64;
    assert!(pieces * 2 <= WORKLOADS * 5, "{pieces} pieces");
    let index = index.unwrap();
    let users = index.users((ConfigKind::ConfigMap, "common"), "team-7").unwrap();
    assert_eq!(users.len(), 100);
}
