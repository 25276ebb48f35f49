//! What a pod asks its node for: the requests of its containers, added up as the scheduler and the
//! kubelet do.

use super::container::Role;
use super::quantity::Quantity;
use super::resources::Amounts;

/// Amounts of cpu and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// In thousandths of a core.
    pub cpu: i128,
    /// In bytes.
    pub memory: i128,
}

impl Requests {
    /// What is written; 0 where nothing is, and `None` where an amount is unknown.
    pub fn of(amounts: &Amounts<'_>) -> Option<Self> {
        WrittenRequests::of(amounts).map(WrittenRequests::or_none)
    }

    /// What a pod asks for with these containers, init containers and sidecars first, and these
    /// requests of its own (pod-level requests, KEP-2837), which win where they are written. A
    /// plain init container runs beside the sidecars that started before it and before everything
    /// else, so the dearer of the two times counts (KEP-753).
    pub(crate) fn of_pod(
        containers: impl Iterator<Item = Option<(Role, Self)>>,
        own: WrittenRequests,
    ) -> Option<Self> {
        let (mut running, mut peak) = (Self::default(), Self::default());
        for container in containers {
            let (role, requests) = container?;
            let beside = running.plus(requests);
            peak = peak.max(beside);
            if role.is_app() {
                running = beside;
            }
        }
        Some(Self { cpu: own.cpu.unwrap_or(peak.cpu), memory: own.memory.unwrap_or(peak.memory) })
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    /// What is left without `other`.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(other.cpu),
            memory: self.memory.saturating_sub(other.memory),
        }
    }

    /// The larger of each.
    pub fn max(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }
}

/// Amounts of cpu and memory, where they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenRequests {
    /// In thousandths of a core.
    pub cpu: Option<i128>,
    /// In bytes.
    pub memory: Option<i128>,
}

impl WrittenRequests {
    /// What is written; `None` where an amount is unknown.
    pub(crate) fn of(amounts: &Amounts<'_>) -> Option<Self> {
        let (cpu, memory) = (amounts.cpu_millis()?, amounts.memory_bytes()?);
        Some(Self {
            cpu: amounts.cpu.is_some().then_some(cpu),
            memory: amounts.memory.is_some().then_some(memory),
        })
    }

    /// Nothing is asked for where nothing is written.
    pub(crate) fn or_none(self) -> Requests {
        Requests { cpu: self.cpu.unwrap_or_default(), memory: self.memory.unwrap_or_default() }
    }
}

/// Thousandths of a core as a quantity.
pub(crate) fn cpu_text(millis: i128) -> String {
    canonical(format!("{millis}m"))
}

/// At least so many bytes as a quantity: whole MiB, rounded up.
pub(crate) fn memory_text(bytes: i128) -> String {
    canonical(format!("{}Mi", bytes.saturating_add(MEBIBYTE - 1).div_euclid(MEBIBYTE)))
}

/// At most so many bytes as a quantity: whole MiB, rounded down.
pub(crate) fn memory_floor_text(bytes: i128) -> String {
    canonical(format!("{}Mi", bytes.div_euclid(MEBIBYTE)))
}

const MEBIBYTE: i128 = 1024 * 1024;

fn canonical(text: String) -> String {
    Quantity::parse(&*text).map(|quantity| quantity.canonical()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn of_pod(containers: &[(Role, i128)], own: &str) -> Option<i128> {
        let containers = containers
            .iter()
            .map(|(role, amount)| Some((*role, Requests { cpu: *amount, memory: 2 * amount })));
        let own: Amounts<'_> = json::read(own).unwrap();
        Requests::of_pod(containers, WrittenRequests::of(&own)?).map(|requests| requests.cpu)
    }

    #[test]
    fn containers_add_up_and_the_dearer_time_counts() {
        use Role::{Init, Regular, Sidecar};
        assert_eq!(of_pod(&[], "{}"), Some(0));
        assert_eq!(of_pod(&[(Regular, 100), (Regular, 200)], "{}"), Some(300));
        assert_eq!(of_pod(&[(Init, 500), (Regular, 100), (Regular, 200)], "{}"), Some(500));
        assert_eq!(
            of_pod(&[(Init, 500), (Init, 400), (Regular, 100)], "{}"),
            Some(500),
            "one after the other"
        );
        assert_eq!(of_pod(&[(Sidecar, 50), (Regular, 100)], "{}"), Some(150));
        assert_eq!(
            of_pod(&[(Sidecar, 50), (Init, 500), (Regular, 100)], "{}"),
            Some(550),
            "beside the sidecar before it"
        );
        assert_eq!(
            of_pod(&[(Init, 500), (Sidecar, 50), (Regular, 100)], "{}"),
            Some(500),
            "the sidecar after it waits"
        );
        assert_eq!(of_pod(&[(Init, 120), (Sidecar, 50), (Regular, 100)], "{}"), Some(150));
    }

    #[test]
    fn what_the_pod_asks_for_itself_wins() {
        let containers = [(Role::Init, 900), (Role::Regular, 100)];
        assert_eq!(of_pod(&containers, r#"{"cpu": "300m"}"#), Some(300));
        assert_eq!(of_pod(&containers, r#"{"cpu": 0}"#), Some(0));
        assert_eq!(of_pod(&containers, r#"{"cpu": "2"}"#), Some(2000));
        assert_eq!(
            of_pod(&containers, r#"{"memory": "1Gi"}"#),
            Some(900),
            "each resource for itself"
        );
        assert_eq!(of_pod(&containers, r#"{"cpu": null}"#), Some(900));
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for unreadable in [
            r#"{"cpu": "many"}"#,
            r#"{"cpu": ["1"]}"#,
            r#"{"cpu": "1e30"}"#,
            r#"{"memory": "1e20"}"#,
        ] {
            assert_eq!(of_pod(&[(Role::Regular, 1)], unreadable), None, "{unreadable}");
            assert_eq!(Requests::of(&json::read(unreadable).unwrap()), None, "{unreadable}");
        }
        assert_eq!(Requests::of_pod([None].into_iter(), WrittenRequests::default()), None);
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        assert_eq!([0, 500, 2000, -100].map(cpu_text), ["0", "500m", "2", "-100m"]);
        assert_eq!(
            [0, 1, MEBIBYTE, 1 << 30, (1 << 30) + 1].map(memory_text),
            ["0", "1Mi", "1Mi", "1Gi", "1025Mi"]
        );
        assert_eq!(
            [0, MEBIBYTE - 1, 1 << 30, (1 << 30) - 1].map(memory_floor_text),
            ["0", "0", "1Gi", "1023Mi"]
        );
    }
}
