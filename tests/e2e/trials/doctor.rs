//! `restraint doctor`, against installations that are well and that were broken.

mod broken;
mod made;
mod probe;
mod reach;
mod report;
mod rights;

use libtest_mimic::Trial;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "doctor: an installation that is well has no problem, and whatever is broken is found",
            broken::step_by_step,
        ),
        trial(
            "doctor: webhooks that are never asked are found, one at a time",
            reach::broken_by_hand,
        ),
        trial(
            "doctor: the latency is measured with a pod that is gone afterwards",
            probe::measured,
        ),
        trial("doctor: no pod is left where it is told to end", probe::interrupted),
        trial("doctor: what may not be seen is not examined", rights::none),
        trial("doctor: the rights in its documentation are enough", rights::as_documented),
    ]
}
