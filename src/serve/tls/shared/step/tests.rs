use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::super::material::{AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY, PREVIOUS};
use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const LIFETIMES: Lifetimes = Lifetimes {
    leaf: SignedDuration::from_hours(90 * 24),
    authority: SignedDuration::from_hours(3 * 365 * 24),
};

/// One replica, its Secret and what callers know.
struct World {
    stored: Option<Material>,
    held: Option<Material>,
    published: Option<Duration>,
    names: Vec<String>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        Self {
            stored: None,
            held: None,
            published: None,
            names: vec!["restraint.ops.svc".to_owned()],
            now,
        }
    }

    /// After its first steps: a pair that everybody knows.
    fn begun() -> Self {
        let mut world = Self::new();
        assert_eq!(world.act(), Step::Begin);
        world.remember();
        world.published = Some(LONGEST_NOTICE);
        world
    }

    /// In the middle of a rotation: a new authority, and the leaf of the old one.
    fn rotating() -> Self {
        let mut world = Self::begun();
        world.without(AUTHORITY_KEY);
        world.published = None;
        assert_eq!(world.act(), Step::RenewAuthority);
        world
    }

    fn view(&self) -> View<'_> {
        View {
            stored: self.stored.as_ref(),
            held: self.held.as_ref(),
            published: self.published,
            names: &self.names,
            lifetimes: LIFETIMES,
        }
    }

    fn next(&self) -> Step {
        next_step(&self.view(), self.now)
    }

    fn act(&mut self) -> Step {
        let step = self.next();
        let after = take(step, &self.view(), self.now).unwrap();
        if step != Step::Rest {
            self.stored = Some(through_a_secret(&after));
        }
        step
    }

    fn remember(&mut self) {
        self.held = self.stored.clone();
    }

    fn with(&mut self, entry: &str, text: Option<&str>) {
        let mut data = self.data();
        match text {
            Some(text) => drop(data.insert(entry.to_owned(), ByteString(text.as_bytes().to_vec()))),
            None => drop(data.remove(entry).unwrap()),
        }
        self.stored = Some(Material::read(&data));
    }

    fn without(&mut self, entry: &str) {
        self.with(entry, None);
    }

    fn data(&self) -> BTreeMap<String, ByteString> {
        let mut data = BTreeMap::new();
        self.stored().write(&mut data);
        data
    }

    fn stored(&self) -> &Material {
        self.stored.as_ref().unwrap()
    }

    fn leaf(&self) -> &str {
        &self.stored().leaf.as_ref().unwrap().issued.certificate
    }
}

fn through_a_secret(material: &Material) -> Material {
    let mut data = BTreeMap::new();
    material.write(&mut data);
    Material::read(&data)
}

/// Who of the first vouches for the leaf.
fn place(world: &World) -> usize {
    world.stored().sound(&world.stored().trusted, world.now).unwrap().1
}

#[test]
fn a_fresh_start_makes_both_and_then_rests() {
    let world = World::begun();
    assert_eq!(world.next(), Step::Rest);
    assert_eq!(place(&world), 0);
    let leaf = world.stored().leaf.as_ref().unwrap();
    assert_eq!(leaf.identity.leaf().names, world.names);
    let validity = leaf.validity();
    assert!(
        !validity.holds(world.now - DAY)
            && validity.holds(world.now - SignedDuration::from_mins(59))
    );
    assert_eq!(validity.until, (world.now + LIFETIMES.leaf).as_second());
    assert!(world.data().keys().eq([AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY]));
    let empty = World { stored: Some(Material::default()), ..World::new() };
    assert_eq!(empty.next(), Step::Begin, "a Secret that was made empty is filled");
}

#[test]
fn what_callers_hear_is_what_the_secret_says() {
    let world = World::rotating();
    let bundle = world.stored().bundle();
    assert_eq!(world.data()[AUTHORITIES], ByteString(bundle.clone().into_bytes()));
    assert_eq!(bundle.matches("-----BEGIN CERTIFICATE-----\n").count(), 2);
    assert!(bundle.lines().all(|line| line.len() <= 64));
    assert_eq!(through_a_secret(world.stored()).bundle(), bundle);
}

#[test]
fn a_leaf_is_renewed_after_two_thirds_by_the_same_authority() {
    let mut world = World::begun();
    let (bundle, leaf) = (world.stored().bundle(), world.leaf().to_owned());
    world.now += DAY * 59;
    assert_eq!(world.next(), Step::Rest);
    world.now += DAY;
    assert_eq!(world.act(), Step::RenewLeaf);
    assert_eq!(world.next(), Step::Rest);
    assert_eq!(world.stored().bundle(), bundle);
    assert_ne!(world.leaf(), leaf);
    world.published = None;
    world.now += DAY * 61;
    assert_eq!(world.next(), Step::RenewLeaf, "nobody needs to hear of that");
    world.now += DAY * 100;
    assert_eq!(world.next(), Step::RenewLeaf, "expired");
}

#[test]
fn an_authority_is_announced_before_it_issues() {
    let mut world = World::begun();
    let leaf = world.leaf().to_owned();
    world.now += DAY * 729;
    while world.act() != Step::Rest {}
    world.now += DAY;
    assert_eq!(world.act(), Step::RenewAuthority);
    world.published = None; // another bundle
    assert_eq!((place(&world), world.stored().trusted.len()), (1, 2));
    assert_eq!(world.next(), Step::Rest);
    world.published = Some(LONGEST_NOTICE / 2);
    assert_eq!(world.next(), Step::Rest);
    let before = world.leaf().to_owned();
    assert_ne!(before, leaf);
    world.published = Some(LONGEST_NOTICE);
    assert_eq!(world.act(), Step::RenewLeaf);
    assert_eq!(
        (place(&world), world.stored().trusted.len()),
        (0, 2),
        "what served before is still trusted"
    );
    assert_eq!(world.stored().previous.as_ref().unwrap().certificate, before);
    assert_eq!(world.next(), Step::Rest);
    let ends = Timestamp::from_second(world.stored().previous.as_ref().unwrap().until).unwrap();
    world.now = ends;
    world.act(); // a renewal that happens to be due
    assert_eq!((world.next(), world.stored().trusted.len()), (Step::Rest, 2));
    world.now = ends + SignedDuration::from_secs(1);
    assert_eq!(world.act(), Step::Trim);
    assert_eq!((world.next(), world.stored().trusted.len()), (Step::Rest, 1));
    assert!(!world.data().contains_key(PREVIOUS));
}

#[test]
fn an_authority_that_nobody_hears_of_issues_when_there_is_nothing_to_lose() {
    let mut world = World::rotating();
    world.remember();
    world.now += DAY * 89;
    assert_eq!(world.next(), Step::Rest, "due, but what serves is trusted, and what would is not");
    world.now += DAY * 2;
    assert_eq!(world.act(), Step::RenewLeaf);
    assert_eq!(place(&world), 0);
}

#[test]
fn over_twenty_years_nothing_is_served_that_callers_do_not_trust() {
    let mut world = World::new();
    assert_eq!(world.act(), Step::Begin);
    let (mut told, mut steps) = (world.stored().trusted.clone(), BTreeMap::<_, u32>::new());
    for _ in 0..20 * 365 {
        let before = world.stored().trusted.clone();
        let step = world.act();
        *steps.entry(step.as_str()).or_default() += 1;
        let (_, _) = world.stored().sound(&told, world.now).expect("callers trust what is served");
        assert!((1..=2).contains(&world.stored().trusted.len()));
        // callers are late
        world.published = (told == world.stored().trusted).then_some(LONGEST_NOTICE);
        told = before;
        world.now += DAY;
    }
    assert_eq!((steps["renew-authority"], steps["trim"]), (9, 9), "{steps:?}");
    assert!(!steps.contains_key("begin") && !steps.contains_key("restore"), "{steps:?}");
}

#[test]
fn half_a_pair_is_completed_and_nothing_that_serves_is_lost() {
    let stranger = World::begun();
    let foreign = stranger.data();
    let text = |entry: &str| String::from_utf8(foreign[entry].0.clone()).unwrap();
    for damage in [None, Some("garbage".to_owned()), Some(text(KEY))] {
        for entry in [CERTIFICATE, KEY] {
            let mut world = World::begun();
            let bundle = world.stored().bundle();
            world.with(entry, damage.as_deref());
            assert_eq!(world.act(), Step::RenewLeaf, "{entry}");
            assert_eq!((world.next(), world.stored().bundle()), (Step::Rest, bundle), "{entry}");
        }
        let mut world = World::begun();
        let (leaf, before) = (world.leaf().to_owned(), world.stored().trusted.clone());
        world.with(AUTHORITY_KEY, damage.as_deref());
        assert_eq!(world.act(), Step::RenewAuthority);
        assert_eq!((world.leaf(), &world.stored().trusted[1..]), (&*leaf, &*before));
        let mut world = World::begun();
        world.with(AUTHORITIES, damage.as_deref());
        assert_eq!(world.act(), Step::RenewAuthority, "who is trusted is still known here");
        assert_eq!(
            (world.leaf(), &world.stored().trusted[1..]),
            (&*leaf_of(&world), &*world.held.as_ref().unwrap().trusted)
        );
    }
    let mut world = World::begun();
    world.held = None;
    world.with(AUTHORITIES, Some(&text(AUTHORITIES)));
    assert_eq!(
        world.act(),
        Step::Begin,
        "the key is of another authority, and nobody here knows the one of the leaf"
    );
    assert_eq!(world.stored().trusted.len(), 2);
    let mut world = World::begun();
    world.with(AUTHORITIES, Some(&text(AUTHORITIES)));
    world.with(AUTHORITY_KEY, Some(&text(AUTHORITY_KEY)));
    assert_eq!(
        world.act(),
        Step::RenewLeaf,
        "another authority that can issue is taken, its leaf is not there"
    );
    let mut world = World::begun();
    world.with(AUTHORITIES, Some(world.leaf().to_owned().as_str()));
    assert!(world.stored().trusted.is_empty(), "a serving certificate is no authority");
}

fn leaf_of(world: &World) -> String {
    world.held.as_ref().unwrap().leaf.as_ref().unwrap().issued.certificate.clone()
}

#[test]
fn what_expired_is_made_anew() {
    let mut world = World::begun();
    world.now += DAY * 4000;
    assert_eq!(world.act(), Step::Begin);
    assert_eq!((place(&world), world.next()), (0, Step::Trim));
    world.act();
    assert_eq!((world.next(), world.stored().trusted.len()), (Step::Rest, 1));
}

#[test]
fn a_clock_that_jumps_back_makes_what_is_valid_then() {
    let mut world = World::begun();
    world.now -= DAY * 400;
    assert_eq!(world.act(), Step::Begin);
    assert_eq!((place(&world), world.next()), (0, Step::Rest));
    let before = world.stored().trusted.clone();
    world.now += DAY * 400;
    assert_eq!(world.act(), Step::RenewLeaf);
    assert!(world.stored().trusted == before, "and forward again nobody is trusted less");
}

#[test]
fn names_join_those_of_other_replicas_until_the_next_renewal() {
    let mut world = World::begun();
    world.names = vec!["127.0.0.1".to_owned()];
    assert_eq!(world.act(), Step::RenewLeaf);
    let names = |world: &World| world.stored().leaf.as_ref().unwrap().identity.leaf().names.clone();
    assert_eq!(names(&world), ["127.0.0.1", "restraint.ops.svc"]);
    assert_eq!(world.next(), Step::Rest);
    world.names = vec!["restraint.ops.svc".to_owned()];
    assert_eq!(world.next(), Step::Rest, "a replica that was told less does not undo it");
    world.now += DAY * 61;
    assert_eq!(world.act(), Step::RenewLeaf);
    assert_eq!(names(&world), ["restraint.ops.svc"]);
}

#[test]
fn a_secret_that_is_gone_is_put_back() {
    let mut world = World::begun();
    let before = world.data();
    world.stored = None;
    assert_eq!(world.act(), Step::Restore);
    assert_eq!((world.data(), world.next()), (before, Step::Rest));

    let mut world = World::rotating();
    world.remember();
    world.stored = None;
    assert_eq!(world.act(), Step::Restore, "in the middle of a rotation too");
    assert_eq!(place(&world), 1);

    let mut world = World::begun();
    world.stored = None;
    world.now += DAY * 91;
    assert_eq!(world.act(), Step::Begin, "what ended is of no use");
    assert_eq!(world.stored().trusted.len(), 2, "but who was trusted stays so");
}

#[test]
fn a_secret_that_was_emptied_gets_another_authority_and_keeps_what_serves() {
    let mut world = World::begun();
    let leaf = world.leaf().to_owned();
    world.stored = Some(Material::default());
    world.published = None;
    assert_eq!(world.act(), Step::RenewAuthority);
    assert_eq!((world.leaf(), place(&world), world.next()), (&*leaf, 1, Step::Rest));
}

#[test]
fn a_leaf_that_only_this_replica_holds_waits_for_notice_too() {
    let mut world = World::rotating();
    world.remember();
    world.without(KEY);
    assert_eq!(world.next(), Step::Rest);
    world.published = Some(LONGEST_NOTICE);
    assert_eq!(world.act(), Step::RenewLeaf);
    assert!(world.stored().previous.is_some());
}

#[test]
fn of_two_replicas_that_act_at_once_the_late_one_finds_nothing_to_do() {
    for prepare in [World::new as fn() -> World, World::begun] {
        let (mut one, two) = (prepare(), prepare());
        one.now += DAY * 61;
        assert_ne!(one.act(), Step::Rest);
        // the other's write is a conflict, so it looks again
        let late = World { stored: one.stored.clone(), now: one.now, ..two };
        assert_eq!(late.next(), Step::Rest);
    }
}

#[test]
fn notice_is_a_minute_and_shorter_only_for_short_lives() {
    assert_eq!(LIFETIMES.notice(), Duration::from_secs(60));
    let short = Lifetimes { leaf: SignedDuration::from_secs(15), ..LIFETIMES };
    assert_eq!(short.notice(), Duration::from_millis(500));
}
