//! How the API server comes to ask a peer: hooks for its namespace, by URL.

use std::fs;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::peers::Peer;

/// The peers that an API server can ask: it speaks to nobody whose certificate it cannot check.
pub(super) fn usable(peers: Vec<Peer>) -> Vec<Peer> {
    let (usable, rest): (Vec<_>, Vec<_>) =
        peers.into_iter().partition(|peer| peer.authority.is_some());
    for peer in rest {
        eprintln!("{} is left out: no ca=FILE says who signed its certificate", peer.name);
    }
    usable
}

/// The configurations for `peer`, as YAML: new pods are amended, resizes judged.
pub(super) fn of(peer: &Peer, namespace: &str) -> anyhow::Result<String> {
    let path = peer.authority.as_ref().context("no certificate authority is named")?;
    let authority =
        fs::read(path).with_context(|| format!("{}: cannot read {}", peer.name, path.display()))?;
    let hook = |verb: &str, operation: &str, resource: &str, url: &str| {
        // an API server takes no query here
        let url = url.split('?').next();
        json!({
            "name": format!("{verb}.{}.bench.example", peer.name),
            "clientConfig": {"url": url, "caBundle": STANDARD.encode(&authority)},
            "rules": [{"operations": [operation], "apiGroups": [""], "apiVersions": ["v1"], "resources": [resource], "scope": "Namespaced"}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
        })
    };
    let configuration = |kind: &str, hook: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": namespace},
            "webhooks": [hook],
        })
    };
    let validating = peer.validate.as_ref().map(|url| {
        let hook = hook("judge", "UPDATE", "pods/resize", &url.text);
        configuration("ValidatingWebhookConfiguration", hook)
    });
    let mutating = peer.mutate.as_ref().map(|url| {
        let hook = hook("amend", "CREATE", "pods", &url.text);
        configuration("MutatingWebhookConfiguration", hook)
    });
    let items: Vec<Value> = validating.into_iter().chain(mutating).collect();
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_asked_what_it_has_a_url_for() {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.crt");
        fs::write(&authority, "PEM").unwrap();
        let text = format!(
            "name=a,validate=https://127.0.0.1:1/v?timeout=2s,pid=1,ca={}",
            authority.display()
        );
        let list: Value =
            serde_json::from_str(&of(&text.parse().unwrap(), "bench-a").unwrap()).unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let hook = &list["items"][0]["webhooks"][0];
        assert_eq!(
            hook["clientConfig"],
            json!({"url": "https://127.0.0.1:1/v", "caBundle": "UEVN"})
        );
        assert_eq!(hook["name"], "judge.a.bench.example");
    }

    #[test]
    fn without_an_authority_nobody_is_asked() {
        let peer = |text: &str| text.parse::<Peer>().unwrap();
        let (with, without) = (
            peer("name=a,mutate=https://127.0.0.1/,pid=1,ca=/x"),
            peer("name=b,mutate=https://127.0.0.1/,pid=1"),
        );
        assert_eq!(usable(vec![without, with.clone()]), [with]);
    }
}
