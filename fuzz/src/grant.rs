//! Grants and stamps: what is printed is read as the same again.

use restraint::approval::{Agreement, Floors, Grant, Stamp, StampTarget, parse_lifetime};

const PLACE: StampTarget<'_> = StampTarget { namespace: "shop", name: "db-0", dry_run: false };

pub(crate) fn run(text: &str) {
    if let Ok(lifetime) = parse_lifetime(text) {
        assert!((1..=86_400).contains(&lifetime.as_secs()), "{lifetime:?}");
    }
    if let Ok(stamp) = Stamp::parse(text) {
        assert_eq!(stamp.text(), text);
        same(stamp);
    }
    if let Ok(grant) = Grant::parse(text) {
        let printed = grant.to_string();
        assert_eq!(Grant::parse(&printed).as_ref(), Ok(&grant), "{printed}");
        let floors = grant.floors.to_string();
        assert_eq!(Floors::parse(&floors).as_ref(), Ok(&grant.floors), "{floors}");
        same(Stamp::of(Agreement {
            approver: text.to_owned(),
            memory: grant.floors,
            granted: "2026-11-21T12:00:00.9Z".parse().expect("a time"),
            lifetime: grant.lifetime.unwrap_or_else(|| parse_lifetime("1h").expect("a lifetime")),
            uid: "4f8f".to_owned(),
            generation: 3,
            unscheduled: grant.force,
            force: grant.force,
            reason: grant.reason,
        }));
    }
}

fn same(stamp: Stamp) {
    let sealed = stamp.sealed(PLACE, "k1", |message| message.len().to_string());
    // more than anybody agrees to does not fit an annotation, and is none
    if let Ok(read) = Stamp::parse(&sealed.text()) {
        assert_eq!(read, sealed);
        assert_eq!(read.message(PLACE), sealed.message(PLACE));
    } else {
        assert!(sealed.text().len() > 4096, "{}", sealed.text());
    }
}
