//! Two replicas, one that fixes new pods and one that looks at them afterwards, whose policies and
//! caps change one after the other while pods are created.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::audit::Event;
use crate::deadline::eventually;
use crate::hooks;
use crate::installation::{Installation, SECOND};
use crate::pods::pod;
use crate::policies;
use crate::space::Space;
use crate::world::cluster;

use super::super::stopping::is_amended;
use super::{MISSED, RULE, owned};

/// What is done about a new pod that needs a fix.
#[derive(Clone, Copy)]
struct State {
    /// By the replica that fixes: whether it does.
    fixed: bool,
    /// By the replica that looks, about a pod that was not.
    looks: Looks,
}

/// What is said of a pod that was not fixed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// The policy fixes: a fix was missed.
    Fixing,
    /// The policy warns.
    Warning,
    /// The policy records.
    Recording,
    /// The policy would fix, but for a cap.
    Capped,
}

use Looks::{Capped, Fixing, Recording, Warning};

pub(super) fn replicas_apart() {
    let [fixing, looking] =
        ["policies-that-fix", "policies-that-look"].map(|name| policies::folder(cluster(), name));
    let flags = ["--policies", looking.to_str().unwrap()];
    let installation = Installation::new(cluster(), "apart", &flags);
    let space = installation.space();
    let start = |cap: &str| {
        let flags = ["--policies", fixing.to_str().unwrap(), "--cap", cap].map(str::to_owned);
        installation.start_with(SECOND, &flags)
    };
    let fixer = start("enforce");
    hooks::lead_to(&installation, SECOND);
    eventually("the second replica fixes", || {
        let line = ["create", "--dry-run=server", "--filename", "-"];
        space.kubectl().feed(&line, &pod("probe").to_string()).accepted();
        fixer.reviews(|line| line.contains("probe")).pop()
    });

    let load = Load::new(&space);
    // pods are created until after its end
    let mut next = None;
    load.create_while(|| {
        let change = |fixed, looks, folder: &Path, log: &dyn Fn() -> Vec<Value>, mode| {
            load.change(State { fixed, looks }, || in_force(folder, mode, log));
        };
        let at_fixer = || fixer.log();
        let at_looker = || installation.log();
        change(false, Fixing, &fixing, &at_fixer, "audit");
        change(false, Recording, &looking, &at_looker, "audit");
        change(true, Recording, &fixing, &at_fixer, "fix");
        change(true, Warning, &looking, &at_looker, "warn");
        change(false, Warning, &fixing, &at_fixer, "off");
        change(false, Fixing, &looking, &at_looker, "fix");
        change(true, Fixing, &fixing, &at_fixer, "fix");
        // a label caps both, each when it hears of it
        for (cap, label) in
            [("audit", "restraint.dev/cap=audit"), ("enforce", "restraint.dev/cap-")]
        {
            let capped = cap == "audit";
            let state = State { fixed: !capped, looks: if capped { Capped } else { Fixing } };
            load.change(state, || cap_namespace(&space, [&at_fixer, &at_looker], cap, label));
        }
        // as in a rolling update that lifts the cap, and with a gap in it
        load.change(State { fixed: false, looks: Fixing }, || drop(fixer));
        load.change(State { fixed: false, looks: Fixing }, || next = Some(start("audit")));
        load.change(State { fixed: true, looks: Fixing }, || {
            drop(next.take());
            next = Some(start("enforce"));
        });
    });
    drop(next);
    let missed = load.check();
    assert_eq!(installation.counted(MISSED, ""), missed);
}

/// Gives the rule this mode in the folder, and returns when the replica goes by it.
fn in_force(folder: &Path, mode: &str, log: &dyn Fn() -> Vec<Value>) {
    let swaps = || log().iter().filter(|line| line["message"] == "policies swapped").count();
    let before = swaps();
    policies::write(folder, RULE, &policies::in_mode(RULE, mode));
    eventually("the policies are in force", || (swaps() > before).then_some(()));
}

/// Labels the namespace, and returns when both replicas judge under that cap.
fn cap_namespace(space: &Space<'_>, logs: [&dyn Fn() -> Vec<Value>; 2], cap: &str, label: &str) {
    let kubectl = space.kubectl();
    kubectl.run(&["label", "--overwrite", "namespace", space.name(), label]).accepted();
    for log in logs {
        eventually("the replica knows the cap", || {
            let lines = log();
            let last = lines.iter().rfind(|line| line["namespace"] == space.name())?;
            (last["cap"] == cap).then_some(())
        });
    }
}

/// As many kubectl at once.
const CREATORS: usize = 2;

/// Pods in one call of kubectl. Every other is a controller's.
const BATCH: usize = 6;

/// Pods that are created while states change.
struct Load<'s> {
    space: &'s Space<'s>,
    states: Mutex<Vec<State>>,
    /// Even in a state, odd between two.
    stage: AtomicUsize,
    next: AtomicUsize,
    batches: Mutex<Vec<Batch>>,
    refused: AtomicBool,
    done: AtomicBool,
}

/// The pods of one call of kubectl.
#[derive(Clone, Copy)]
struct Batch {
    first: usize,
    /// The stages before and after the call.
    stages: (usize, usize),
}

impl<'s> Load<'s> {
    fn new(space: &'s Space<'s>) -> Self {
        Self {
            space,
            states: Mutex::new(vec![State { fixed: true, looks: Fixing }]),
            stage: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            batches: Mutex::default(),
            refused: AtomicBool::new(false),
            done: AtomicBool::new(false),
        }
    }

    /// Creates pods while `meanwhile` runs; none is refused.
    fn create_while(&self, meanwhile: impl FnOnce()) {
        thread::scope(|scope| {
            let creators: Vec<_> = (0..CREATORS).map(|_| scope.spawn(|| self.create())).collect();
            // whoever waits for the end must not wait for ever when this panics
            let outcome = catch_unwind(AssertUnwindSafe(meanwhile));
            self.done.store(true, Ordering::SeqCst);
            for result in creators.into_iter().map(|creator| creator.join()).chain([outcome]) {
                result.unwrap_or_else(|panic| resume_unwind(panic));
            }
        });
    }

    fn create(&self) {
        while !self.done.load(Ordering::SeqCst) {
            let first = self.next.fetch_add(BATCH, Ordering::SeqCst);
            let items: Vec<_> = (first..first + BATCH)
                .map(
                    |number| {
                        if is_owned(number) { owned(&name(number)) } else { pod(&name(number)) }
                    },
                )
                .collect();
            let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
            let before = self.stage.load(Ordering::SeqCst);
            let outcome = self.space.kubectl().feed(&["create", "--filename", "-"], &list);
            self.refused.fetch_or(!outcome.succeeded(), Ordering::SeqCst);
            outcome.accepted();
            let stages = (before, self.stage.load(Ordering::SeqCst));
            lock(&self.batches).push(Batch { first, stages });
        }
    }

    /// Goes over into `state` by `act`, and stays there until enough pods came by.
    fn change(&self, state: State, act: impl FnOnce()) {
        lock(&self.states).push(state);
        self.stage.fetch_add(1, Ordering::SeqCst);
        act();
        let stage = self.stage.fetch_add(1, Ordering::SeqCst) + 1;
        eventually("pods are created in this state", || {
            assert!(!self.refused.load(Ordering::SeqCst), "a creation was refused");
            let batches = lock(&self.batches);
            let here = batches.iter().filter(|batch| batch.stages == (stage, stage)).count();
            (here >= CREATORS).then_some(())
        });
    }

    /// That every pod is as its state says, and what was missed was told. Returns how many pods
    /// missed a fix.
    fn check(&self) -> u64 {
        let created = self.next.load(Ordering::SeqCst);
        let list = self.space.object(&["get", "pods"]);
        let pods = list["items"].as_array().unwrap();
        assert_eq!(pods.len(), created);
        let events = eventually("the creations are in the audit log", || {
            let mut events = cluster().audit_log(|line| line.contains(self.space.name()));
            let is_new =
                |event: &Event| (0..created).any(|number| is_creation(event, self.space, number));
            events.retain(is_new);
            (events.len() >= created).then_some(events)
        });
        let states = lock(&self.states);
        let mut missed = 0;
        for batch in lock(&self.batches).iter() {
            let (from, to) = batch.stages;
            let states = &states[from / 2..=to.div_ceil(2)];
            for number in batch.first..batch.first + BATCH {
                let stored = pods.iter().find(|pod| pod["metadata"]["name"] == *name(number));
                let event = events.iter().find(|event| is_creation(event, self.space, number));
                missed += u64::from(check(states, stored.unwrap(), event.unwrap(), number));
            }
        }
        missed
    }
}

/// That this was stored and said of a pod that was created in this state, or between these. Returns
/// whether it missed a fix.
fn check(states: &[State], stored: &Value, event: &Event, number: usize) -> bool {
    let is_fixed = is_amended(stored);
    let said = |key: &str| event.annotation(&format!("advice.restraint.dev/{key}"));
    let is_missed = !said("fix-missed").is_empty();
    if states.iter().all(|state| state.looks == Fixing) {
        assert_eq!(is_missed, !is_fixed, "{event:#?}");
    }
    if states.iter().all(|state| state.looks != Fixing) {
        assert!(!is_missed, "{event:#?}");
    }
    if let [state] = states {
        assert_eq!(is_fixed, state.fixed, "{event:#?}");
        let key = match state.looks {
            _ if is_fixed => None,
            Capped => None,
            Fixing if is_owned(number) => Some("noted"),
            Fixing => Some("warned"),
            // the template was looked at
            Warning | Recording if is_owned(number) => None,
            Warning => Some("warned"),
            Recording => Some("noted"),
        };
        for outcome in ["noted", "warned", "denied"] {
            assert_eq!(said(outcome).contains(RULE), key == Some(outcome), "{event:#?}");
        }
        if state.looks == Capped {
            let prevented = event.annotation("pods.restraint.dev/would-amend");
            assert!(prevented.contains(RULE), "{event:#?}");
        }
    }
    is_missed
}

fn is_creation(event: &Event, space: &Space<'_>, number: usize) -> bool {
    event.is_about(space.name(), "pods", "", &name(number))
}

fn name(number: usize) -> String {
    format!("pod-{number}")
}

fn is_owned(number: usize) -> bool {
    number % 2 == 1
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
