//! Manifests: linted, fixed, and linted again.

use std::sync::LazyLock;

use restraint::judge::policies::Policies;
use restraint::lint::{Linted, linted};

static POLICIES: LazyLock<Policies> = LazyLock::new(Policies::embedded);

pub(crate) fn run(text: &str) {
    let Linted { before, after, text: new } = linted(&POLICIES, text);
    if before == after {
        assert_eq!(new, text, "nothing was fixed, but the text changed");
        return;
    }
    assert!(after.len() <= before.len(), "{before:?} became {after:?}");
    assert!(after.iter().all(|finding| before.contains(finding)), "{before:?} became {after:?}");
    // that the new text says what the patches ask for is the linter's own last check
    let again = linted(&POLICIES, &new);
    assert_eq!(again.before, after);
}
