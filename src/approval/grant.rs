//! A grant: what an approver writes on a pod.
//!
//! One grammar for every annotation that grants:
//!
//! ```text
//! grant  = floors *( ";" option )
//! floors = "true" / part "=" quantity *( "," part "=" quantity )
//! part   = container name / "@pod"
//! option = "for=" duration / "force" / "reason=" text to the end
//! ```

use std::fmt;

use jiff::SignedDuration;

use super::error::GrantError;
use super::floors::Floors;

/// The longest lifetime of an approval that anything allows.
pub const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The longest reason, in characters.
const LONGEST_REASON: usize = 256;

/// The longest grant, in bytes.
pub(crate) const LONGEST_GRANT: usize = 4096;

/// What a grant looks like, for whoever wrote another.
pub(crate) const FORM: &str =
    "\"true\", or like \"app=256Mi,@pod=1Gi; for=30m; force; reason=INC-4711\"";

/// What an approver asks the service to put its stamp on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How far memory may fall.
    pub floors: Floors,
    /// How long the approval holds, where the approver says so.
    pub lifetime: Option<SignedDuration>,
    /// Whether a heap that does not fit the new limit is no obstacle.
    pub force: bool,
    /// Why.
    pub reason: Option<String>,
}

impl Grant {
    /// Reads the value of an annotation that grants.
    ///
    /// # Errors
    ///
    /// Where it is no grant.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        if text.len() > LONGEST_GRANT {
            return Err(GrantError::TooLong);
        }
        let (floors, mut options) =
            text.split_once(';').map_or((text, None), |(floors, options)| (floors, Some(options)));
        let mut grant =
            Self { floors: Floors::parse(floors)?, lifetime: None, force: false, reason: None };
        while let Some(rest) = options {
            let rest = rest.trim_start();
            if let Some(reason) = rest.strip_prefix("reason=") {
                grant.reason = Some(parse_reason(reason)?);
                break;
            }
            let (option, more) =
                rest.split_once(';').map_or((rest, None), |(option, more)| (option, Some(more)));
            match option.trim_end() {
                "force" if grant.force => return Err(GrantError::RepeatedOption("force")),
                "force" => grant.force = true,
                option => {
                    let duration = option.strip_prefix("for=").ok_or(GrantError::UnknownOption)?;
                    if grant.lifetime.replace(parse_lifetime(duration)?).is_some() {
                        return Err(GrantError::RepeatedOption("for="));
                    }
                }
            }
            options = more;
        }
        Ok(grant)
    }
}

/// Reads a lifetime such as `30m` or `1h30m`.
///
/// # Errors
///
/// Where it is none, or not from 1 s to 24 h.
pub fn parse_lifetime(text: &str) -> Result<SignedDuration, GrantError> {
    let duration: SignedDuration = text.trim().parse().map_err(|_| GrantError::NoDuration)?;
    let allowed = SignedDuration::from_secs(1)..=LONGEST_LIFETIME;
    if allowed.contains(&duration) { Ok(duration) } else { Err(GrantError::LifetimeOutOfRange) }
}

fn parse_reason(text: &str) -> Result<String, GrantError> {
    let reason = text.trim();
    let writable = !reason.is_empty()
        && !reason.contains(char::is_control)
        && reason.chars().count() <= LONGEST_REASON;
    if writable { Ok(reason.to_owned()) } else { Err(GrantError::UnwritableReason) }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.floors)?;
        if let Some(lifetime) = self.lifetime {
            write!(formatter, "; for={lifetime:#}")?;
        }
        if self.force {
            formatter.write_str("; force")?;
        }
        match &self.reason {
            Some(reason) => write!(formatter, "; reason={reason}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grants_are_read() {
        let grant =
            Grant::parse("app=256Mi, @pod=1Gi; for=30m; force; reason=INC-4711; see wiki").unwrap();
        assert_eq!(grant.floors.to_string(), "app=256Mi,@pod=1Gi");
        assert_eq!((grant.lifetime, grant.force), (Some(SignedDuration::from_mins(30)), true));
        assert_eq!(grant.reason.as_deref(), Some("INC-4711; see wiki"));
        let plain = Grant::parse("true").unwrap();
        assert_eq!(
            plain,
            Grant { floors: Floors::Any, lifetime: None, force: false, reason: None }
        );
        assert_eq!(
            Grant::parse("true;for=1h30m").unwrap().lifetime,
            Some(SignedDuration::from_mins(90))
        );
        assert_eq!(Grant::parse("app=1;for=24h").unwrap().lifetime, Some(LONGEST_LIFETIME));
        let longest = format!("true{}", " ".repeat(LONGEST_GRANT - "true".len()));
        assert_eq!(Grant::parse(&longest), Ok(plain));
    }

    #[test]
    fn what_grants_nothing_says_why() {
        let name = "a".repeat(64);
        let long = format!("true; reason={}", "x".repeat(257));
        let many = (0..65).map(|index| format!("a{index}=1Mi")).collect::<Vec<_>>().join(",");
        let cases = [
            ("", GrantError::NoFloor),
            ("True", GrantError::NoFloor),
            ("false", GrantError::NoFloor),
            ("256Mi", GrantError::NoFloor),
            ("true,app=1Mi", GrantError::NoFloor),
            ("app=1Mi,", GrantError::NoFloor),
            ("App=1Mi", GrantError::NoContainerName),
            ("=1Mi", GrantError::NoContainerName),
            ("-a=1Mi", GrantError::NoContainerName),
            (&format!("{name}=1Mi"), GrantError::NoContainerName),
            ("@Pod=1Mi", GrantError::NoContainerName),
            ("app=", GrantError::NoQuantity("app".to_owned())),
            ("app=lots", GrantError::NoQuantity("app".to_owned())),
            ("app=256 Mi", GrantError::NoQuantity("app".to_owned())),
            ("app=0", GrantError::NoFloorAtAll("app".to_owned())),
            ("app=-1", GrantError::NoFloorAtAll("app".to_owned())),
            ("app=18446744073709551617", GrantError::NoFloorAtAll("app".to_owned())),
            ("app=1Mi,app=2Mi", GrantError::RepeatedPart("app".to_owned())),
            (&many, GrantError::TooManyParts),
            ("true;", GrantError::UnknownOption),
            ("true; until=30m", GrantError::UnknownOption),
            ("true; Force", GrantError::UnknownOption),
            ("true; force; force", GrantError::RepeatedOption("force")),
            ("true; for=1h; for=2h", GrantError::RepeatedOption("for=")),
            ("true; for=soon", GrantError::NoDuration),
            ("true; for=30", GrantError::NoDuration),
            ("true; for=25h", GrantError::LifetimeOutOfRange),
            ("true; for=0s", GrantError::LifetimeOutOfRange),
            ("true; for=-1h", GrantError::LifetimeOutOfRange),
            ("true; reason=", GrantError::UnwritableReason),
            ("true; reason=a\nb", GrantError::UnwritableReason),
            (&long, GrantError::UnwritableReason),
            (&format!("true; reason={}", "x".repeat(4096)), GrantError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(Grant::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(text in "(true|[a-c]{1,2}=[1-9]{1,3}(Mi|Gi|e3)?(,@pod=1Gi)?)(; ?for=[1-9]{1,2}m)?(;force)?(; reason=[ -~]{1,20}x)?") {
            let grant = Grant::parse(&text).unwrap();
            prop_assert_eq!(Grant::parse(&grant.to_string()), Ok(grant));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}|[a-z@=,;0-9Mi ]{0,40}") {
            let _ = Grant::parse(&text);
        }
    }
}
