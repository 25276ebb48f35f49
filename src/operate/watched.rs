//! Watching a resize until it is certain what came of it.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use crate::terminal;

use super::outcome::{Before, Outcome, outcome};
use super::sight::{PodWatch, Sight, Watched};

/// How long the first sight of a pod may take.
pub(super) const FIRST: Duration = Duration::from_secs(30);

/// Watches until it is certain what came of it, and for a while longer where that is good.
pub(super) async fn watch_out(
    watch: &mut PodWatch,
    before: &Before,
    limit: Instant,
    settle: Duration,
) -> anyhow::Result<Outcome> {
    let look = |sight: &Sight| outcome(before, sight.pod.as_ref(), sight.events.as_deref());
    let mut shown = None;
    loop {
        let first = watch
            .until(limit, |sight| {
                let told = look(sight);
                if before.is_over(told.state) {
                    return ControlFlow::Break(told);
                }
                if shown.replace(told.state) != Some(told.state) {
                    terminal::progress_remark(&format!("  {}: {}", told.state.words(), told.why));
                }
                ControlFlow::Continue(())
            })
            .await?;
        let Watched::Ended(told) = first else { return Ok(look(watch.sight())) };
        if !told.state.is_success() {
            return Ok(told);
        }
        let until = Instant::now().checked_add(settle).unwrap_or(limit);
        let after = watch
            .until(until, |sight| {
                let told = look(sight);
                if told.state.is_success() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(told)
                }
            })
            .await?;
        match after {
            Watched::TimedOut => return Ok(look(watch.sight())),
            Watched::Ended(told) if before.is_over(told.state) => return Ok(told),
            Watched::Ended(told) if Instant::now() >= limit => return Ok(told),
            // not ready for a moment, say
            Watched::Ended(_) => {}
        }
    }
}
