//! `resources`: what is asked for, what is allowed, and what the memory limit comes to in effect.

use std::fmt;

use crate::json::{self, Raw, fields};

use super::quantity::Quantity;

/// `resources` of a container or, at pod level, of a pod (KEP-2837).
#[derive(Clone, Debug, Default)]
pub struct Resources<'a> {
    /// `resources.requests`.
    pub requests: Amounts<'a>,
    /// `resources.limits`.
    pub limits: Amounts<'a>,
}

fields!(Resources { "requests" => requests, "limits" => limits });

/// The part of a resource list that rules look at.
#[derive(Clone, Debug, Default)]
pub struct Amounts<'a> {
    /// `memory`, in bytes.
    pub memory: Option<Quantity<'a>>,
    /// `cpu`, undecoded: most reviews ask for nothing of it.
    pub cpu: Option<Raw<'a>>,
}

fields!(Amounts { "memory" => memory, "cpu" => cpu });

impl Amounts<'_> {
    /// `cpu` in thousandths of a core, 0 where there is none; `None` where it cannot be read.
    pub(crate) fn cpu_millis(&self) -> Option<i128> {
        self.cpu.map_or(Some(0), |raw| json::read::<Quantity<'_>>(raw.get()).ok()?.milli_value())
    }

    /// `memory` in bytes, 0 where there is none; `None` beyond 64 bits.
    pub(super) fn memory_bytes(&self) -> Option<i128> {
        self.memory.as_ref().map_or(Some(0), |memory| memory.value().map(i128::from))
    }
}

impl Resources<'_> {
    /// Whether a memory request or limit is written, `0` included.
    pub(crate) fn sets_memory(&self) -> bool {
        self.requests.memory.is_some() || self.limits.memory.is_some()
    }
}

const MEBIBYTE: i128 = 1024 * 1024;

/// A memory limit as the kubelet applies it: own, else pod-level, else none. Ordered by how much
/// memory it leaves.
#[derive(Clone, Copy, Debug)]
pub enum EffectiveLimit<'a> {
    /// A limit in force.
    Limited(&'a Quantity<'a>),
    /// What the limits of all containers add up to, in bytes: the limit in force of a pod that has
    /// none of its own.
    Total(i128),
    /// No limit: none is written, or only `0`, which the kubelet reads as none.
    Unlimited,
}

impl<'a> EffectiveLimit<'a> {
    /// The limit of a container whose own limit is `own` in a pod whose pod-level limit is `pod`.
    pub(crate) fn of(own: Option<&'a Quantity<'a>>, pod: Option<&'a Quantity<'a>>) -> Self {
        let in_force =
            |limit: Option<&'a Quantity<'a>>| limit.filter(|quantity| !quantity.is_zero());
        in_force(own).or_else(|| in_force(pod)).map_or(Self::Unlimited, Self::Limited)
    }

    /// The limit in bytes; `None` where there is none, or an amount that does not fit 64 bits.
    pub(crate) fn bytes(self) -> Option<u128> {
        match self {
            Self::Limited(quantity) => u128::try_from(quantity.value()?).ok(),
            Self::Total(bytes) => u128::try_from(bytes).ok(),
            Self::Unlimited => None,
        }
    }

    /// Whether going from `self` to `new` takes memory away.
    ///
    /// Amounts that do not fit 64 bits wrap around on their way to the kernel
    /// (`18446744073709551617` becomes 1 byte), so changing to or from one counts as taking memory
    /// away.
    pub(crate) fn falls_to(self, new: Self) -> bool {
        match (self, new) {
            (_, Self::Unlimited) => false,
            (Self::Unlimited, _) => true,
            (Self::Limited(old), Self::Limited(new)) => {
                let changed = old != new;
                new < old || (changed && (old.value().is_none() || new.value().is_none()))
            }
            (old, new) => match (old.bytes(), new.bytes()) {
                (Some(old), Some(new)) => new < old,
                _ => true,
            },
        }
    }
}

impl fmt::Display for EffectiveLimit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(quantity) => formatter.write_str(quantity.text()),
            Self::Total(bytes) if bytes % MEBIBYTE == 0 => {
                write!(formatter, "{}Mi", bytes / MEBIBYTE)
            }
            Self::Total(bytes) => write!(formatter, "{bytes}"),
            Self::Unlimited => formatter.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn falls(old: Option<&str>, new: Option<&str>) -> bool {
        let parse = |text: Option<&'static str>| text.map(|text| Quantity::parse(text).unwrap());
        let leak =
            |text: Option<&str>| text.map(|text| &*Box::leak(text.to_owned().into_boxed_str()));
        let (old, new) = (parse(leak(old)), parse(leak(new)));
        EffectiveLimit::of(old.as_ref(), None).falls_to(EffectiveLimit::of(new.as_ref(), None))
    }

    #[test]
    fn decreases() {
        assert!(falls(Some("512Mi"), Some("256Mi")));
        assert!(falls(None, Some("900Mi")), "a first limit takes memory away");
        assert!(falls(Some("0"), Some("900Mi")), "0 is no limit");
        assert!(falls(Some("1Gi"), Some("1G")));
        assert!(falls(Some("2"), Some("1500m")));
        assert!(falls(Some("1Gi"), Some("18446744073709551617")), "wraps to 1 byte");
        assert!(falls(Some("18446744073709551617"), Some("18446744073709551618")));
    }

    #[test]
    fn no_decreases() {
        assert!(!falls(Some("256Mi"), Some("512Mi")));
        assert!(!falls(Some("1Gi"), Some("1024Mi")), "the same amount in other words");
        assert!(!falls(Some("1Gi"), Some("0")), "0 is no limit");
        assert!(!falls(Some("1Gi"), None));
        assert!(!falls(None, None));
        assert!(!falls(None, Some("0")));
        assert!(!falls(Some("8Ei"), Some("8Ei")));
    }

    #[test]
    fn own_before_pod_level() {
        let (own, pod, zero) = (
            Quantity::parse("1Gi").unwrap(),
            Quantity::parse("2Gi").unwrap(),
            Quantity::parse("0").unwrap(),
        );
        assert_eq!(EffectiveLimit::of(Some(&own), Some(&pod)).to_string(), "1Gi");
        assert_eq!(EffectiveLimit::of(Some(&zero), Some(&pod)).to_string(), "2Gi");
        assert_eq!(EffectiveLimit::of(None, Some(&pod)).to_string(), "2Gi");
        assert_eq!(EffectiveLimit::of(None, None).to_string(), "unlimited");
    }
}
