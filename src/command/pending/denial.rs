//! Denials, as Events tell of them.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::events::v1::Event;

use crate::approval::{CLOCK_SKEW, REQUESTED_ANNOTATION, Requested};
use crate::kube::name::is_dns_subdomain;

/// How long a denial is worth looking at.
const AGE: SignedDuration = SignedDuration::from_hours(1);

/// Who reports.
const CONTROLLER: &str = "restraint.dev";

/// One denial, or a series of equal ones.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) namespace: String,
    pub(super) pod: String,
    /// `metadata.uid` of the pod.
    pub(super) uid: String,
    /// When it was denied last.
    pub(super) at: Timestamp,
    /// How often.
    pub(super) count: i32,
    /// What was asked for, or why that cannot be told.
    pub(super) requested: Result<Requested, &'static str>,
}

impl Denial {
    /// Whether a pod can be called so.
    pub(super) fn has_valid_name(&self) -> bool {
        is_dns_subdomain(&self.pod)
    }

    /// Whether `earlier` is about the same, so that this counts instead: the same requester asked
    /// for other limits of the same parts, or what was asked for cannot be told of either.
    fn replaces(&self, earlier: &Self) -> bool {
        let same = match (&self.requested, &earlier.requested) {
            (Ok(new), Ok(old)) => {
                new.requester == old.requester && old.names().is_subset(&new.names())
            }
            (Err(new), Err(old)) => new == old,
            _ => false,
        };
        same && self.uid == earlier.uid && self.pod == earlier.pod
    }
}

/// The denials of the last hour that `events` tell of and that no later Event settles, the latest
/// first.
pub(super) fn denials(events: &[Event], now: Timestamp) -> Vec<Denial> {
    let granted = granted(events, now);
    let mut found: Vec<Denial> = events
        .iter()
        .filter_map(|event| denial(event, now))
        .filter(|denial| granted.get(&*denial.uid).is_none_or(|granted| *granted <= denial.at))
        .collect();
    found.sort_by_key(|denial| Reverse(denial.at));
    let mut kept: Vec<Denial> = Vec::new();
    for denial in found {
        if !kept.iter().any(|later| later.replaces(&denial)) {
            kept.push(denial);
        }
    }
    kept
}

/// When an approval of each pod, by its `metadata.uid`, was granted or used last.
fn granted(events: &[Event], now: Timestamp) -> HashMap<&str, Timestamp> {
    let mut granted = HashMap::new();
    for event in events.iter().filter(|event| is_of(event, &["ApprovalGranted", "ApprovalUsed"])) {
        let (Some(at), Some(uid)) = (time(event), uid(event)) else { continue };
        // one of the future would settle whatever is still to come
        if !is_of_the_future(at, now) {
            let latest = granted.entry(uid).or_insert(at);
            *latest = at.max(*latest);
        }
    }
    granted
}

/// The denial that `event` tells of; `None` where it is none, or none that a grant would lift.
fn denial(event: &Event, now: Timestamp) -> Option<Denial> {
    let text = event.metadata.annotations.as_ref()?.get(REQUESTED_ANNOTATION)?;
    let at = time(event)?;
    if !is_of(event, &["ResizeDenied"]) || now.duration_since(at) > AGE {
        return None;
    }
    let denial = Denial {
        namespace: event.metadata.namespace.clone()?,
        pod: event.regarding.as_ref()?.name.clone()?,
        uid: uid(event)?.to_owned(),
        at,
        count: event.series.as_ref().map_or(1, |series| series.count),
        requested: Requested::parse(text).map_err(|_| "its annotation is malformed"),
    };
    let fault = if !denial.has_valid_name() {
        Some("no pod can be called so")
    } else if is_of_the_future(at, now) {
        Some("it is of the future: the clocks differ")
    } else if denial.requested.as_ref().is_ok_and(|requested| requested.names().is_empty()) {
        Some("it names no amounts")
    } else {
        None
    };
    Some(match fault {
        Some(fault) => Denial { requested: Err(fault), ..denial },
        None => denial,
    })
}

fn is_of(event: &Event, reasons: &[&str]) -> bool {
    event.reporting_controller.as_deref() == Some(CONTROLLER)
        && event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason))
        && event
            .regarding
            .as_ref()
            .is_some_and(|regarding| regarding.kind.as_deref() == Some("Pod"))
}

fn uid(event: &Event) -> Option<&str> {
    event.regarding.as_ref()?.uid.as_deref()
}

/// When it happened last.
fn time(event: &Event) -> Option<Timestamp> {
    let last = event.series.as_ref().map(|series| &series.last_observed_time);
    Some(last.or(event.event_time.as_ref())?.0)
}

fn is_of_the_future(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > CLOCK_SKEW
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: &str = "2026-11-21T13:00:00Z";

    fn event(reason: &str, time: &str, fields: Value) -> Event {
        let mut event = json!({
            "metadata": {"namespace": "shop", "name": "e"}, "reason": reason, "reportingController": "restraint.dev",
            "eventTime": format!("2026-11-21T{time}.000000Z"),
            "regarding": {"kind": "Pod", "namespace": "shop", "name": "db-0", "uid": "u"},
        });
        json_patch::merge(&mut event, &fields);
        serde_json::from_value(event).unwrap()
    }

    fn asked(who: &str, parts: &str) -> Value {
        let text =
            json!({"requester": who, "parts": parts, "from": {}, "force": false}).to_string();
        json!({"metadata": {"annotations": {REQUESTED_ANNOTATION: text}}})
    }

    fn denied(who: &str, parts: &str, time: &str) -> Event {
        event("ResizeDenied", time, asked(who, parts))
    }

    /// Who asked for what, or why it cannot be told.
    fn told(events: &[Event]) -> Vec<String> {
        let text = |denial: Denial| match denial.requested {
            Ok(requested) => format!("{} {}", requested.requester, requested.parts),
            Err(fault) => fault.to_owned(),
        };
        denials(events, NOW.parse().unwrap()).into_iter().map(text).collect()
    }

    #[test]
    fn denials_of_the_last_hour_are_told() {
        let events = [
            denied("dev", "app=1Mi", "11:59:59"),
            denied("eve", "app=2Mi", "12:00:00"),
            event("ResizeDenied", "12:30:00", json!({})),
            event("MemoryRestored", "12:30:00", asked("dev", "app=3Mi")),
        ];
        assert_eq!(told(&events), ["eve app=2Mi"]);
        let mut other = denied("dev", "app=1Mi", "12:30:00");
        other.reporting_controller = Some("somebody.else".to_owned());
        let mut of_a_set = denied("dev", "app=1Mi", "12:30:00");
        of_a_set.regarding.as_mut().unwrap().kind = Some("ReplicaSet".to_owned());
        assert!(told(&[other, of_a_set]).is_empty());
    }

    #[test]
    fn of_a_series_the_last_time_counts() {
        let mut repeated = denied("dev", "app=1Mi", "11:30:00");
        let series = json!({"count": 7, "lastObservedTime": "2026-11-21T12:10:00.000000Z"});
        repeated.series = Some(serde_json::from_value(series).unwrap());
        let [denial] = &denials(&[repeated], NOW.parse().unwrap())[..] else { panic!("one") };
        assert_eq!((denial.count, denial.at.to_string()), (7, "2026-11-21T12:10:00Z".to_owned()));
    }

    #[test]
    fn a_later_grant_or_use_settles_it() {
        for reason in ["ApprovalGranted", "ApprovalUsed"] {
            let with = |time, fields| {
                told(&[denied("dev", "app=1Mi", "12:30:00"), event(reason, time, fields)])
            };
            assert!(with("12:30:01", json!({})).is_empty());
            assert_eq!(with("12:29:59", json!({})), ["dev app=1Mi"]);
            assert_eq!(with("12:30:01", json!({"regarding": {"uid": "v"}})), ["dev app=1Mi"]);
            assert_eq!(with("13:30:00", json!({})), ["dev app=1Mi"], "of the future");
        }
        let refused = event("ApprovalRefused", "12:30:01", json!({}));
        assert_eq!(told(&[denied("dev", "app=1Mi", "12:30:00"), refused]), ["dev app=1Mi"]);
    }

    #[test]
    fn the_last_word_of_each_requester_counts() {
        let events = [
            denied("dev", "app=1Mi", "12:10:00"),
            denied("dev", "app=2Mi", "12:20:00"),
            denied("dev", "side=3Mi", "12:15:00"),
            denied("eve", "app=4Mi", "12:05:00"),
        ];
        assert_eq!(told(&events), ["dev app=2Mi", "dev side=3Mi", "eve app=4Mi"]);
        let all = denied("dev", "app=5Mi,side=5Mi", "12:40:00");
        assert_eq!(told(&[&events[..], &[all]].concat()), ["dev app=5Mi,side=5Mi", "eve app=4Mi"]);
    }

    #[test]
    fn hostile_events_are_malformed() {
        let named = |name: &str| {
            let mut event = denied("dev", "app=1Mi", "12:30:00");
            event.regarding.as_mut().unwrap().name = Some(name.to_owned());
            event
        };
        for name in ["db-0; rm -rf /", "../../secrets/x", "db\u{1b}[2J", ""] {
            assert_eq!(told(&[named(name)]), ["no pod can be called so"]);
        }
        assert_eq!(
            told(&[denied("dev", "app=$(id)", "12:30:00")]),
            ["its annotation is malformed"]
        );
        assert_eq!(told(&[denied("dev", "true", "12:30:00")]), ["it names no amounts"]);
        assert_eq!(
            told(&[denied("dev", "app=1Mi", "13:02:00")]),
            ["it is of the future: the clocks differ"]
        );
        assert_eq!(told(&[denied("dev", "app=1Mi", "13:00:59")]), ["dev app=1Mi"]);
    }
}
