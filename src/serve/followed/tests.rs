use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;

/// A source of these looks, and what it was told to say.
#[derive(Default)]
struct Looks {
    looks: VecDeque<Look<u8>>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Looks {
    fn say(&self, what: String) {
        self.said.lock().unwrap().push(what);
    }
}

impl Source<u8> for Looks {
    const TOPIC: Option<Topic> = Some(Topic::SealKeys);

    async fn look(&mut self) -> Option<Look<u8>> {
        self.looks.pop_front()
    }

    async fn changed(&mut self) {}

    fn is_same(in_force: &u8, found: &u8) -> bool {
        in_force == found
    }

    fn describe(&self, in_force: &u8) -> String {
        in_force.to_string()
    }

    fn log_swap(&self, in_force: &u8) {
        self.say(format!("swapped {in_force}"));
    }

    fn log_trouble(&self, trouble: &Trouble) {
        self.say(format!("{trouble:?}"));
    }

    fn count(&self, in_force: &u8, outcome: Outcome) {
        self.say(format!("{outcome:?} {in_force}"));
    }
}

/// Follows these looks to their end: what is in force then, what was said, and what readiness says.
async fn follow(looks: impl IntoIterator<Item = Look<u8>>) -> (u8, Vec<String>, String) {
    let followed = Arc::new(Followed::new(1));
    let health = Arc::new(Health::default());
    health.wait_for(Topic::SealKeys);
    let source = Looks { looks: looks.into_iter().collect(), ..Looks::default() };
    let said = Arc::clone(&source.said);
    Arc::clone(&followed).follow(source, Arc::clone(&health)).await;
    let said = said.lock().unwrap().clone();
    (**followed.load(), said, health.report().1)
}

fn refused(why: &str) -> Look<u8> {
    Look::Refused(why.to_owned())
}

fn unreachable(why: &str, known: Option<u8>) -> Look<u8> {
    Look::Unreachable { why: why.to_owned(), known }
}

#[tokio::test]
async fn what_is_new_is_swapped_and_what_is_not_is_left() {
    let (in_force, said, report) =
        follow([Look::Found(1), Look::Unchanged, Look::Found(2), Look::Found(2)]).await;
    assert_eq!(in_force, 2);
    assert_eq!(said, ["Unchanged 1", "swapped 2", "Swapped 2", "Unchanged 2"]);
    assert_eq!(report, "ok\nseal keys: 2\n");
}

#[tokio::test]
async fn what_is_refused_is_said_once_and_counted_each_time() {
    let (in_force, said, report) =
        follow([refused("a"), refused("a"), Look::Unchanged, refused("b")]).await;
    assert_eq!(in_force, 1);
    assert_eq!(said, ["Refused 1", "Refused(\"a\")", "Refused 1", "Refused 1", "Refused(\"b\")"]);
    assert_eq!(report, "waiting for seal keys\nseal keys: refused:\n  b\n");
}

#[tokio::test]
async fn a_cure_is_told_and_the_next_trouble_is_news() {
    let (_, said, report) = follow([refused("a"), Look::Found(1), refused("a")]).await;
    assert_eq!(said.iter().filter(|said| said.starts_with("Refused(")).count(), 2);
    assert!(report.starts_with("ok\nseal keys: 1\n"), "{report}");
}

#[tokio::test]
async fn what_is_known_of_a_source_out_of_reach_is_in_force() {
    let (in_force, said, report) =
        follow([unreachable("a", None), unreachable("b", Some(2)), unreachable("c", None)]).await;
    assert_eq!(in_force, 2);
    assert_eq!(
        said,
        ["Unchanged 1", "Unreachable(\"a\")", "swapped 2", "Swapped 2", "Unchanged 2"],
        "why differs each time, and is said once"
    );
    assert_eq!(report, "ok\nseal keys: 2\nseal keys: cannot be read or written now:\n  c\n");
}

#[tokio::test]
async fn a_change_is_remembered_for_a_time_and_a_look_is_none() {
    const WHILE: Duration = Duration::from_secs(30);
    let followed = Followed::new(1);
    assert!(followed.changed_within(WHILE), "a start is a change");
    assert!(!followed.changed_within(Duration::ZERO));
    let age = || *followed.since.lock().unwrap() -= WHILE;
    age();
    assert!(!followed.changed_within(WHILE));
    let settle = |look| {
        let source = Looks::default();
        followed.settle(look, &source, &Health::default(), &mut LastTrouble::default())
    };
    for look in [Look::Unchanged, Look::Found(1), refused("a"), unreachable("a", Some(1))] {
        settle(look);
        assert!(!followed.changed_within(WHILE));
    }
    settle(Look::Found(2));
    assert!(followed.changed_within(WHILE));
    age();
    followed.replace(3);
    assert!(followed.changed_within(WHILE));
}
