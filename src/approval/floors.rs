//! How far memory may fall: the part of a grant that is copied into the stamp.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kube::name::is_dns_label;
use crate::kube::part::Part;
use crate::kube::quantity::Quantity;
use crate::kube::resources::EffectiveLimit;

use super::error::GrantError;

/// The word for every decrease of every part.
const ANY: &str = "true";

/// The name of the pod itself among floors. No container can be called so.
const POD: &str = "@pod";

/// The most parts that one grant can name.
pub(crate) const MOST_PARTS: usize = 64;

/// How far memory may fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Floors {
    /// Any part, to anything: `true`.
    Any,
    /// The named parts, each to no less than its floor: `app=256Mi,@pod=1Gi`.
    Only(Vec<Floor>),
}

/// One part of a pod, and the least its limit may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The name of the container; `None` for the pod itself (pod-level resources, KEP-5419).
    pub container: Option<String>,
    /// The least limit, in bytes.
    pub least: Quantity<'static>,
}

/// Why floors do not cover a decrease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// The part is not named.
    NotNamed,
    /// The new limit is below this floor.
    BelowFloor(String),
}

impl Floors {
    /// How far memory may fall, for people.
    pub(crate) fn words(&self) -> String {
        let Self::Only(floors) = self else { return "any decrease".to_owned() };
        let part = |name: Option<&str>| name.map_or_else(|| "the pod".to_owned(), str::to_owned);
        let floors = floors.iter().map(|floor| {
            format!("{} down to {}", part(floor.container.as_deref()), floor.least.text())
        });
        floors.collect::<Vec<_>>().join(", ")
    }

    /// The names of the containers that are named.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &str> {
        let floors = match self {
            Self::Any => &[][..],
            Self::Only(floors) => floors,
        };
        floors.iter().filter_map(|floor| floor.container.as_deref())
    }

    /// Reads `true` or `PART=QUANTITY` separated by commas.
    ///
    /// # Errors
    ///
    /// Where it is neither. Says which part, and never the text itself.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        if text.trim() == ANY {
            return Ok(Self::Any);
        }
        let mut floors: Vec<Floor> = Vec::new();
        for written in text.split(',') {
            let floor = Floor::parse(written)?;
            if floors.iter().any(|known| known.container == floor.container) {
                return Err(GrantError::RepeatedPart(floor.part_name().to_owned()));
            }
            if floors.len() == MOST_PARTS {
                return Err(GrantError::TooManyParts);
            }
            floors.push(floor);
        }
        Ok(Self::Only(floors))
    }

    /// Whether `part` may fall to `limit`.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn cover(&self, part: Part<'_>, limit: EffectiveLimit<'_>) -> Result<(), Uncovered> {
        let Self::Only(floors) = self else { return Ok(()) };
        let floor = floors
            .iter()
            .find(|floor| floor.container.as_deref() == part.container())
            .ok_or(Uncovered::NotNamed)?;
        match limit {
            EffectiveLimit::Unlimited => Ok(()),
            // what does not fit 64 bits wraps around on its way to the kernel
            EffectiveLimit::Limited(new) if new >= &floor.least && new.value().is_some() => Ok(()),
            EffectiveLimit::Limited(_) | EffectiveLimit::Total(_) => {
                Err(Uncovered::BelowFloor(floor.least.text().to_owned()))
            }
        }
    }
}

impl Floor {
    fn parse(written: &str) -> Result<Self, GrantError> {
        let (part, least) = written.trim().split_once('=').ok_or(GrantError::NoFloor)?;
        let (part, least) = (part.trim_end(), least.trim_start());
        let container = if part == POD { None } else { Some(part.to_owned()) };
        if container.as_deref().is_some_and(|name| !is_dns_label(name)) {
            return Err(GrantError::NoContainerName);
        }
        let least = Quantity::parse(least.to_owned())
            .map_err(|_| GrantError::NoQuantity(part.to_owned()))?;
        // 0 is no limit at all, and what wraps around is none that anybody means
        if least.value().is_none_or(|bytes| bytes <= 0) {
            return Err(GrantError::NoFloorAtAll(part.to_owned()));
        }
        Ok(Self { container, least })
    }

    /// The name of its part, as it is written.
    pub(crate) fn part_name(&self) -> &str {
        self.container.as_deref().unwrap_or(POD)
    }
}

/// The name under which `part` is granted a floor.
pub(crate) fn part_name<'p>(part: &'p Part<'_>) -> &'p str {
    part.container().unwrap_or(POD)
}

impl fmt::Display for Floors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(floors) = self else { return formatter.write_str(ANY) };
        for (index, floor) in floors.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{}={}", floor.part_name(), floor.least.text())?;
        }
        Ok(())
    }
}

impl Serialize for Floors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Floors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(floors: &str, part: Part<'_>, limit: &str) -> Result<(), Uncovered> {
        let limit = Quantity::parse(limit).unwrap();
        Floors::parse(floors).unwrap().cover(part, EffectiveLimit::Limited(&limit))
    }

    #[test]
    fn a_floor_covers_its_part_down_to_itself() {
        let app = Part::Container("app");
        assert_eq!(covers("app=256Mi", app, "256Mi"), Ok(()));
        assert_eq!(covers("app=256Mi", app, "268435456"), Ok(()), "the same in other words");
        assert_eq!(
            covers("app=256Mi", app, "268435455"),
            Err(Uncovered::BelowFloor("256Mi".to_owned()))
        );
        assert_eq!(covers("app=256Mi", app, "0.25Gi"), Ok(()));
        assert_eq!(
            covers("app=256Mi", app, "18446744073709551617"),
            Err(Uncovered::BelowFloor("256Mi".to_owned())),
            "wraps to 1 byte"
        );
        assert_eq!(
            covers("app=256Mi", Part::Container("sidecar"), "1Gi"),
            Err(Uncovered::NotNamed)
        );
        assert_eq!(covers("app=256Mi", Part::Pod, "1Gi"), Err(Uncovered::NotNamed));
        assert_eq!(covers("sidecar=64Mi,@pod=1Gi", Part::Pod, "1Gi"), Ok(()));
        assert_eq!(covers("true", Part::Pod, "1"), Ok(()));
    }

    #[test]
    fn floors_are_written_as_they_are_read() {
        for text in ["true", "app=256Mi", "app=256Mi,@pod=1Gi", "pod=1.5Gi,a-1=1e9"] {
            assert_eq!(Floors::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Floors::parse(" app = 256Mi , b=1Gi ").unwrap().to_string(), "app=256Mi,b=1Gi");
    }
}
