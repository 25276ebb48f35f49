//! What readiness depends on, and what there is to say of everything that is followed.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;

/// What readiness depends on. Stopping makes a server unready, and so do policies that were never
/// sound, namespaces that were never listed, and seal keys or a shared certificate that were never
/// read; what was refused since is told as a detail, and so is a ca bundle that cannot be written:
/// callers may well have it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    stopping: AtomicBool,
    details: [Mutex<Detail>; Topic::ALL.len()],
}

/// What there is something to say about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The policies in force.
    Policies,
    /// The ConfigMap that they come from.
    ConfigMap,
    /// The certificate in force.
    Certificate,
    /// Whether callers were told whom to trust.
    Bundle,
    /// What is known of namespaces.
    Namespaces,
    /// The seal keys in force.
    SealKeys,
    /// The report that is shown.
    Audit,
    /// The policy reports in namespaces.
    PolicyReports,
    /// Who uses which ConfigMaps and Secrets.
    Configuration,
}

/// Why what is in force is not the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// What there is now is faulty.
    Refused(String),
    /// What there is now can be neither read nor repaired.
    Unreachable(String),
}

#[derive(Clone, Debug, Default)]
struct Detail {
    awaited: bool,
    in_force: String,
    trouble: Option<Trouble>,
}

impl Topic {
    const ALL: [Self; 9] = [
        Self::Policies,
        Self::ConfigMap,
        Self::Certificate,
        Self::Bundle,
        Self::Namespaces,
        Self::SealKeys,
        Self::Audit,
        Self::PolicyReports,
        Self::Configuration,
    ];

    /// Those that may be waited for, the first one first.
    const AWAITED: [(Self, &'static str); 5] = [
        (Self::Policies, "waiting for sound policies"),
        (Self::Namespaces, "waiting for the list of namespaces"),
        (Self::SealKeys, "waiting for seal keys"),
        (Self::Certificate, "waiting for the shared certificate"),
        (Self::Audit, "waiting for the first audit"),
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::ConfigMap => "config map",
            Self::Certificate => "certificate",
            Self::Bundle => "ca bundle",
            Self::Namespaces => "namespaces",
            Self::SealKeys => "seal keys",
            Self::Audit => "audit",
            Self::PolicyReports => "policy reports",
            Self::Configuration => "configuration",
        }
    }
}

impl Health {
    /// From now on the server is not ready: it is about to stop.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// From now on the server is not ready until something is known of `topic`.
    pub(crate) fn wait_for(&self, topic: Topic) {
        self.change(topic, |detail| detail.awaited = true);
    }

    /// Takes note of what is in force, which is the newest. It is not waited for any longer.
    pub(crate) fn in_force(&self, topic: Topic, in_force: String) {
        self.change(topic, |detail| {
            *detail = Detail { awaited: false, in_force, trouble: None };
        });
    }

    /// Takes note of why what is in force is not the newest. Where nothing is in force yet, it is
    /// waited for on.
    pub(crate) fn trouble(&self, topic: Topic, trouble: Trouble) {
        self.change(topic, |detail| detail.trouble = Some(trouble));
    }

    /// The answer to whoever asks whether the server is ready.
    pub(crate) fn report(&self) -> (StatusCode, String) {
        let (status, word) = match self.unready() {
            None => (StatusCode::OK, "ok"),
            Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
        };
        let mut report = format!("{word}\n");
        for topic in Topic::ALL {
            let what = topic.as_str();
            let Detail { in_force, trouble, .. } = self.detail(topic);
            if !in_force.is_empty() {
                let _ = writeln!(report, "{what}: {in_force}");
            }
            let (trouble, why) = match trouble {
                None => continue,
                Some(Trouble::Refused(why)) if in_force.is_empty() => ("refused", why),
                Some(Trouble::Refused(why)) => ("a newer one is refused", why),
                Some(Trouble::Unreachable(why)) => ("cannot be read or written now", why),
            };
            let _ =
                writeln!(report, "{what}: {trouble}:\n  {}", why.trim_end().replace('\n', "\n  "));
        }
        (status, report)
    }

    fn unready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("stopping");
        }
        let awaited = Topic::AWAITED.iter().find(|(topic, _)| self.detail(*topic).awaited);
        awaited.map(|(_, reason)| *reason)
    }

    fn detail(&self, topic: Topic) -> Detail {
        let mut found = Detail::default();
        self.change(topic, |detail| found = detail.clone());
        found
    }

    fn change(&self, topic: Topic, change: impl FnOnce(&mut Detail)) {
        if let Some(detail) = self.details.get(topic as usize) {
            change(&mut detail.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_faulty_and_what_cannot_be_read_are_told_apart() {
        let health = Health::default();
        health.in_force(Topic::Certificate, "for a".to_owned());
        health.trouble(Topic::Certificate, Trouble::Refused("no key\nat all\n".to_owned()));
        health.wait_for(Topic::SealKeys);
        health.trouble(Topic::SealKeys, Trouble::Unreachable("forbidden".to_owned()));
        let report = "waiting for seal keys\ncertificate: for a\ncertificate: a newer one is refused:\n  no key\n  at all\n\
                      seal keys: cannot be read or written now:\n  forbidden\n";
        assert_eq!(health.report(), (StatusCode::SERVICE_UNAVAILABLE, report.to_owned()));
        health.in_force(Topic::SealKeys, "k1".to_owned());
        health.trouble(Topic::Certificate, Trouble::Unreachable("timeout".to_owned()));
        let report = "ok\ncertificate: for a\ncertificate: cannot be read or written now:\n  timeout\nseal keys: k1\n";
        assert_eq!(health.report(), (StatusCode::OK, report.to_owned()));
        health.stop();
        assert!(health.report().1.starts_with("stopping\n"));
    }

    #[test]
    fn every_topic_has_a_place_of_its_own() {
        let places = Topic::ALL.map(|topic| topic as usize);
        assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
