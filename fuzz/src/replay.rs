//! Lines of an audit log: replayed twice alike, with a decision and a reason for each request.

use std::sync::LazyLock;

use restraint::judge::policies::Policies;
use restraint::replay::replayed;
use serde_json::Value;

static POLICIES: LazyLock<Policies> = LazyLock::new(Policies::embedded);

const DECISIONS: [&str; 7] =
    ["denied", "restored", "amended", "warned", "allowed", "unknown", "refused"];

pub(crate) fn run(data: &[u8]) {
    let lines = replayed(data, &POLICIES);
    assert_eq!(lines, replayed(data, &POLICIES), "replay depends on nothing but the log");
    for line in lines {
        let entry: Value = serde_json::from_str(&line).expect("an entry is JSON");
        let decision = entry["decision"].as_str().expect("a decision");
        assert!(DECISIONS.contains(&decision), "{line}");
        let is_open = matches!(decision, "unknown" | "refused");
        assert!(!is_open || entry["reason"] != "", "{line}");
    }
}
