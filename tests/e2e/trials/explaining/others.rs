//! Changes of what workloads use.

use serde_json::{Value, json};

use super::case::{Case, set};

pub(super) const ACCEPTED: &[Case] = &[
    Case("the content of a ConfigMap", config_map, |one| set(one, "/data/a", json!("c"))),
    Case("a ConfigMap made immutable", config_map, |one| set(one, "/immutable", json!(true))),
    Case("the ports of a Service", service, |one| set(one, "/spec/ports", json!([{"port": 81}]))),
    Case("the selector of a Service", service, |one| set(one, "/spec/selector/a", json!("c"))),
    Case("the subjects of a binding", binding, |one| set(one, "/subjects/0/name", json!("v"))),
    Case("a NetworkPolicy", network_policy, |one| {
        set(one, "/spec/policyTypes", json!(["Ingress", "Egress"]))
    }),
];

pub(super) const REFUSED: &[Case] = &[
    Case("the content of an immutable ConfigMap", immutable_config_map, |one| {
        set(one, "/data/a", json!("c"))
    }),
    Case("the content of an immutable Secret", immutable_secret, |one| {
        set(one, "/data/a", json!("Yw=="))
    }),
    Case("an immutable ConfigMap made mutable", immutable_config_map, |one| {
        set(one, "/immutable", json!(false))
    }),
    Case("the type of a Secret", opaque_secret, |one| set(one, "/type", json!("example.com/a"))),
    Case("the address of a Service", service, |one| {
        set(one, "/spec/clusterIP", json!("10.0.0.99"))
    }),
    Case("the role of a binding", binding, |one| set(one, "/roleRef/name", json!("b"))),
];

fn config_map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}})
}

fn immutable_config_map() -> Value {
    let mut config_map = config_map();
    config_map["immutable"] = json!(true);
    config_map
}

fn opaque_secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "type": "Opaque", "data": {"a": "Yg=="}})
}

fn immutable_secret() -> Value {
    let mut secret = opaque_secret();
    secret["immutable"] = json!(true);
    secret
}

fn service() -> Value {
    let spec = json!({"selector": {"a": "b"}, "clusterIP": "None", "ports": [{"port": 80}]});
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec})
}

fn binding() -> Value {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"});
    let subject = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"});
    let version = "rbac.authorization.k8s.io/v1";
    json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": "a"}, "roleRef": role, "subjects": [subject]})
}

fn network_policy() -> Value {
    let spec = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": spec})
}
