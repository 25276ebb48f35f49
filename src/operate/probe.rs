//! Requests that are sent while something is changed, so that it is known what the change did to
//! them.
//!
//! They leave on schedule whatever becomes of those before, and their latency counts from when they
//! were due: while a service hangs, as many requests wait as would have come from its users.
//!
//! A command flattens [`ProbeOptions`] and goes this way:
//!
//! ```text
//! let probes = options.probes.start(&options.cluster, &cluster, pod).await?;
//! probes.around(options.probes.margin(), async {        before any change: sound, or no change
//!     probes.follow(Some(pod));                         the next pod, or its new address
//!     probes.mark("resize of pod \"db-0\" sent");       any number of steps
//!     select! { step => .., breach = probes.broken() => .. }  stop where a condition is broken
//! }).await?;
//! let report = probes.finish().await;                   text::render, JSON, write_page
//! ```

mod condition;
mod drive;
mod duration;
mod failure;
mod gap;
mod histogram;
mod options;
mod page;
mod phase;
mod plot;
mod report;
mod run;
mod send;
mod series;
mod tally;
mod target;
#[cfg(test)]
mod testing;
mod text;

pub(crate) use condition::Breach;
pub(crate) use options::ProbeOptions;
pub(crate) use report::ProbeReport;
pub(crate) use run::Probes;
pub(crate) use send::PodAtHand;
pub(crate) use text::render;
