//! Whoever is denied is heard: `restraint approvals --pending` and `approve --pending`.

use serde_json::json;

use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::pods::{memory_limit, stored_limit};

use super::space_with_pod;

pub(super) fn trial() {
    let space = space_with_pod();
    let (sre, developer) = (space.by(Person::Sre), space.by(Person::Developer));
    let listed =
        || sre.restraint(&["approvals", "--pending", "--output", "json"]).accepted().object();
    assert_eq!(listed(), json!([]));
    space.resize("db", &memory_limit("300Mi")).refused();
    let list = eventually("a pending request", || Some(listed()).filter(|list| *list != json!([])));
    let request = &list[0];
    assert_eq!(
        (&request["pod"], &request["state"], &request["memory"], &request["force"]),
        (&json!("db"), &json!("pending"), &json!("app=300Mi"), &json!(false)),
        "{list}"
    );
    assert_eq!(request["parts"], json!([{"part": "app", "from": "512Mi", "to": "300Mi"}]));
    assert_eq!(
        request["command"],
        format!("kubectl annotate pod db -n {} restraint.dev/approve=app=300Mi", space.name())
    );

    let pending = ["approve", "pod/db", "--pending"];
    let said = sre.restraint(&pending).refused();
    assert!(said.contains("there is no terminal"), "{said}");
    let said = developer.restraint(&[&pending[..], &["--yes"]].concat()).refused();
    assert!(said.contains("; ask for \"list\" on \"events\" of \"events.k8s.io\""), "{said}");
    // what an editor says of themselves and others is a claim
    developer.run(&["auth", "can-i", "create", "events"]).accepted();
    let said = sre.restraint(&[&pending[..], &["--yes", "--for", "30m"]].concat()).printed();
    assert!(said.starts_with("pod/db approved: app down to 300Mi, by alice@example.com"), "{said}");
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
    assert_eq!(listed(), json!([]));
}
