//! What is told of a panic: where it was, and never what it says, for it may quote a review.

pub(crate) mod collector;

use std::panic::{Location, set_hook};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tracing::error;

/// How many there were in this process.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// From now on panics are counted and logged.
pub(crate) fn report() {
    set_hook(Box::new(|panic| {
        COUNT.fetch_add(1, Relaxed);
        let place = panic.location().map(Location::to_string).unwrap_or_default();
        error!(place, "panic: this is a bug in restraint");
    }));
}

/// How many there were since it was asked to report them.
fn count() -> u64 {
    COUNT.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::panic::{catch_unwind, take_hook};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_place_is_told_and_not_what_it_says() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let (before, hook) = (count(), take_hook());
        report();
        let text = "secret";
        let outcome = tracing::subscriber::with_default(log, || {
            catch_unwind(|| panic!("in the middle of {text}"))
        });
        set_hook(hook);
        assert!(outcome.is_err());
        assert!(count() > before);
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("service/panics.rs:") && !told.contains("secret"), "{told}");
    }
}
