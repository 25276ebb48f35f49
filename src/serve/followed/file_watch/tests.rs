use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use notify::event::{CreateKind, DataChange, Flag, MetadataKind, ModifyKind, RenameMode};

use crate::certificate::testing::{Folder, in_time};

use super::*;

/// A intervals at which only an event can be the cause of a hint.
const EVENTS: Intervals =
    Intervals { poll: Duration::from_secs(3_600), settle: Duration::from_millis(20) };

#[tokio::test]
async fn a_swapped_volume_is_a_hint() {
    let folder = Folder::new();
    folder.publish(&[("tls.crt", "one"), ("tls.key", "one")]);
    let paths = vec![folder.path("tls.crt"), folder.path("tls.key")];
    let mut watch = FileWatch::start(paths, EVENTS);
    for round in ["two", "three", "four"] {
        folder.publish(&[("tls.crt", round), ("tls.key", round)]);
        in_time(watch.changed()).await;
        assert_eq!(fs::read_to_string(folder.path("tls.crt")).unwrap(), round);
    }
}

#[tokio::test]
async fn a_swapped_volume_is_a_hint_for_its_subdirectory() {
    let folder = Folder::new();
    folder.publish(&[("policies/a.yaml", "one")]);
    let mut watch = FileWatch::start(vec![folder.path("policies")], EVENTS);
    for round in ["two", "three"] {
        folder.publish(&[("policies/a.yaml", round)]);
        in_time(watch.changed()).await;
    }
}

#[tokio::test]
async fn a_directory_whose_parent_is_swapped_is_followed_on() {
    let folder = Folder::new();
    folder.write("volume/policies/a.yaml", "old");
    folder.write("next/policies/a.yaml", "new");
    let mut watch = FileWatch::start(vec![folder.path("volume/policies")], EVENTS);
    fs::rename(folder.path("volume"), folder.path("before")).unwrap();
    fs::rename(folder.path("next"), folder.path("volume")).unwrap();
    in_time(watch.changed()).await;
    folder.write("volume/policies/b.yaml", "newer");
    in_time(watch.changed()).await;
}

#[tokio::test]
async fn a_directory_that_goes_away_is_waited_for() {
    let folder = Folder::new();
    folder.write("policies/a.yaml", "old");
    let mut watch = FileWatch::start(vec![folder.path("policies")], EVENTS);
    fs::remove_dir_all(folder.path("policies")).unwrap();
    in_time(watch.changed()).await;
    assert!(watch.fault.is_none(), "its parent is watched");
    folder.write("policies/a.yaml", "new");
    in_time(watch.changed()).await;
    folder.write("policies/a.yaml", "newer");
    in_time(watch.changed()).await;
}

#[tokio::test]
async fn without_a_watch_the_poll_goes_on() {
    let folder = Folder::new();
    let intervals = Intervals { poll: Duration::from_millis(10), settle: Duration::ZERO };
    let mut watch = FileWatch::start(vec![folder.path("absent/policies")], intervals);
    for _ in 0..3 {
        assert!(watch.fault.is_some());
        in_time(watch.changed()).await;
    }
    folder.write("absent/policies/a.yaml", "new");
    in_time(watch.changed()).await;
    assert!(watch.fault.is_none());
}

#[tokio::test]
async fn a_hint_outlives_a_cancelled_wait() {
    let folder = Folder::new();
    let mut watch = FileWatch::start(
        vec![folder.path("policies")],
        Intervals { settle: EVENTS.poll, ..EVENTS },
    );
    watch.bell.notify_one();
    let wait = tokio::time::timeout(Duration::ZERO, watch.changed());
    assert!(wait.await.is_err());
    watch.intervals.settle = Duration::ZERO;
    in_time(watch.changed()).await;
}

#[test]
fn only_what_may_be_a_change_matters() {
    let homes = BTreeSet::from([PathBuf::from("/config/sub")]);
    let heard = |kind, path: &str| matters(&Event::new(kind).add_path(path.into()), &homes);
    let create = EventKind::Create(CreateKind::File);
    let rename = EventKind::Modify(ModifyKind::Name(RenameMode::To));
    let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    let chmod = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
    let close = EventKind::Access(AccessKind::Close(AccessMode::Write));
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));

    for kind in [create, rename, write, chmod, close] {
        assert!(heard(kind, "/config/sub/a.yaml"), "{kind:?}");
    }
    assert!(heard(rename, "/config/..data"));
    assert!(heard(rename, "/config/sub"));
    assert!(heard(rename, "/config"));
    assert!(matters(&Event::new(EventKind::Other).set_flag(Flag::Rescan), &homes));

    assert!(!heard(open, "/config/sub/a.yaml"));
    assert!(!heard(create, "/tmp"));
    assert!(!heard(create, "/config/other"));
    assert!(!heard(create, "/config/other/a.yaml"));
    assert!(!heard(create, "/config/sub/deeper/a.yaml"));
}
