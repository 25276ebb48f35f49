use std::task::{Context, Waker};

use super::*;

fn slots(connections: usize, handshakes: usize, grace: Duration) -> (Slots, Counters) {
    (
        Slots::new(&Limits { connections, handshakes, grace, ..Limits::default() }),
        Counters::default(),
    )
}

/// Open connections that had an answer, one after the other.
fn worked(slots: &mut Slots, counters: &Counters, count: u64) -> Vec<Arc<Slot>> {
    let one = |moment| {
        let slot = slots.take(counters).unwrap();
        slot.reached(Stage::Open);
        slot.work().answered();
        slot.used.store(moment, Relaxed);
        slot
    };
    (0..count).map(one).collect()
}

fn is_evicted(slot: &Arc<Slot>) -> bool {
    let mut evicted = std::pin::pin!(slot.evicted());
    evicted.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn which(taken: &[Arc<Slot>]) -> Vec<bool> {
    taken.iter().map(is_evicted).collect()
}

#[test]
fn the_one_unused_longest_is_evicted() {
    let (mut slots, counters) = slots(3, 9, Duration::ZERO);
    let taken = worked(&mut slots, &counters, 3);
    taken[0].used.store(99, Relaxed);
    let _newest = slots.take(&counters).unwrap();
    assert_eq!(which(&taken), [false, true, false]);
    assert_eq!((counters.tally().evicted, counters.tally().handshakes_evicted), (1, 0));
}

#[test]
fn the_less_a_connection_did_the_sooner_it_is_evicted() {
    let (mut slots, counters) = slots(5, 9, Duration::ZERO);
    let mut taken = worked(&mut slots, &counters, 2);
    for stage in [Stage::Open, Stage::Greeted, Stage::Mute] {
        let slot = slots.take(&counters).unwrap();
        slot.reached(stage);
        slot.used.store(1_000, Relaxed);
        taken.push(slot);
    }
    let mut newer = Vec::new();
    for expected in [4, 3, 2, 0, 1] {
        let newest = slots.take(&counters).unwrap();
        newest.reached(Stage::Open);
        let _work = std::mem::ManuallyDrop::new(newest.work());
        newer.push(newest);
        assert!(is_evicted(&taken[expected]), "{expected}");
    }
    assert_eq!((counters.tally().evicted, counters.tally().handshakes_evicted), (3, 2));
    assert!(slots.take(&counters).is_none(), "all are at work");
}

#[tokio::test]
async fn a_connection_at_work_is_not_idle() {
    let (mut slots, counters) = slots(3, 9, Duration::ZERO);
    let slot = slots.take(&counters).unwrap();
    let work = slot.work();
    let once = Duration::from_millis(1);
    let idle = |limit| tokio::time::timeout(10 * once, slot.idle(limit));
    assert!(idle(once).await.is_err());
    work.answered();
    assert!(idle(Duration::from_secs(3_600)).await.is_err());
    slot.idle(once).await;
}

#[test]
fn unfinished_handshakes_have_a_limit_of_their_own() {
    let (mut slots, counters) = slots(9, 2, Duration::ZERO);
    let open = worked(&mut slots, &counters, 2);
    let mute: Vec<_> = (0..3).map(|_| slots.take(&counters).unwrap()).collect();
    assert_eq!((which(&open), which(&mute)), (vec![false; 2], vec![true, false, false]));
    slots.evict_handshakes();
    assert_eq!((which(&open), which(&mute)), (vec![false; 2], vec![false, true, true]));
}

#[test]
fn nobody_is_evicted_at_once() {
    let (mut slots, counters) = slots(3, 9, Duration::from_secs(3_600));
    let mut taken = worked(&mut slots, &counters, 2);
    taken.push(slots.take(&counters).unwrap());
    taken[0].touch();
    taken[1].touch();
    assert!(slots.take(&counters).is_none());
    assert_eq!(which(&taken), [false; 3]);
}

#[test]
fn the_place_of_a_connection_that_is_gone_is_free() {
    let (mut slots, counters) = slots(2, 9, Duration::from_secs(3_600));
    let mut taken = worked(&mut slots, &counters, 2);
    taken.pop();
    assert!(slots.take(&counters).is_some());
}
