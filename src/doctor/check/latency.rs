//! The latency that Restraint adds: resizes that call it, compared with writes that do not.

use std::time::Duration;

use crate::doctor::door::Door;
use crate::doctor::facts::{Facts, Measurement};
use crate::doctor::hook;
use crate::doctor::observation::Observations;

/// What the API server says if a webhook that fails closed does not answer.
const UNANSWERED: &str = "failed calling webhook";

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let measurement = match &facts.probe {
        Some(Ok(measurement)) => measurement,
        Some(Err(reason)) if reason.contains(UNANSWERED) => {
            let message = format!(
                "a memory resize in a dry run was rejected, because the webhook did not answer: {reason}"
            );
            return observations.problem(
                "cluster",
                message,
                "see hook-service and ca-bundle above, and the network from the API server to the pods",
            );
        }
        Some(Err(reason)) => {
            let remedy = "get the right to create and delete pods there and to patch pods/resize, or choose another with --probe-namespace";
            return observations.unknown("cluster", "latency was", reason, remedy);
        }
        None => {
            let message =
                "the latency of the webhooks was not measured: that needs a pod of its own";
            return observations.note(
                "cluster",
                message,
                "restraint doctor --probe --probe-namespace NAMESPACE",
            );
        }
    };
    let object = format!("Namespace {}", measurement.namespace);
    let Some((asked, unasked)) = Times::of(&measurement.asked).zip(Times::of(&measurement.unasked))
    else {
        return;
    };
    let message = summary(measurement, asked, unasked);
    let ours = hook::every(facts)
        .filter(|hook| hook.is_ours() && hook.matches(Door::core("UPDATE", "pods/resize")));
    let timeout = ours
        .map(|hook| hook.timeout)
        .min()
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(Duration::from_secs);
    match timeout {
        Some(timeout) if asked.worst.saturating_mul(2) >= timeout => {
            let message =
                format!("{message}; the API server gives up after {} s", timeout.as_secs());
            observations.warning(
                object,
                message,
                "check the network between the API server and the nodes, the load of the pods, and their cpu limit",
            );
        }
        _ => observations.ok(object, message),
    }
}

fn summary(measurement: &Measurement, asked: Times, unasked: Times) -> String {
    let added = asked.median.saturating_sub(unasked.median);
    format!(
        "{} memory resizes in dry runs took {} ms (median) and {} ms (worst), {} {} {} ms and {} ms: Restraint adds {} ms",
        measurement.asked.len(),
        in_milliseconds(asked.median),
        in_milliseconds(asked.worst),
        measurement.unasked.len(),
        measurement.unasked_are,
        in_milliseconds(unasked.median),
        in_milliseconds(unasked.worst),
        in_milliseconds(added),
    )
}

#[derive(Clone, Copy)]
struct Times {
    median: Duration,
    worst: Duration,
}

impl Times {
    fn of(times: &[Duration]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        Some(Self { median: *sorted.get(sorted.len() / 2)?, worst: *sorted.last()? })
    }
}

fn in_milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, lines, worst};

    use super::*;

    fn measured(asked: &[u64], unasked: &[u64]) -> Measurement {
        let times = |list: &[u64]| list.iter().map(|time| Duration::from_millis(*time)).collect();
        Measurement {
            namespace: "shop".to_owned(),
            denied_by: None,
            asked: times(asked),
            unasked: times(unasked),
            unasked_are: "cpu resizes",
        }
    }

    #[test]
    fn the_difference_is_told() {
        let mut facts = healthy();
        facts.probe = Some(Ok(measured(&[30, 12, 11], &[9, 8, 10])));
        assert_eq!(
            lines(check, &facts),
            [
                "ok: Namespace shop: 3 memory resizes in dry runs took 12.0 ms (median) and 30.0 ms (worst), 3 cpu resizes 9.0 ms and 10.0 ms: \
                 Restraint adds 3.0 ms"
            ]
        );
        facts.probe = Some(Ok(measured(&[12, 11, 1600], &[9, 8, 10])));
        assert!(worst(check, &facts).ends_with("the API server gives up after 3 s"));
        assert!(worst(check, &facts).starts_with("warning: "));
    }

    #[test]
    fn what_was_not_measured_is_told() {
        let mut facts = healthy();
        assert!(
            worst(check, &facts)
                .starts_with("note: cluster: the latency of the webhooks was not measured")
        );
        facts.probe = Some(Err("pods is forbidden".to_owned()));
        assert_eq!(
            worst(check, &facts),
            "unknown: cluster: latency was not examined: pods is forbidden"
        );
        facts.probe =
            Some(Err("Internal error occurred: failed calling webhook \"resize.restraint.dev\""
                .to_owned()));
        assert!(worst(check, &facts).starts_with("problem: cluster: "));
        facts.probe = Some(Ok(measured(&[], &[])));
        assert!(lines(check, &facts).is_empty());
    }
}
