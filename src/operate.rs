//! Acts on running pods, one at a time, and watches each until it is certain what came of it.
//!
//! A plan comes first, and consent; a Lease keeps two people apart; whatever is decided is decided
//! by pure functions of what a watch shows.

mod act;
mod answer;
mod ask;
mod change;
mod consent;
mod ending;
mod keeper;
mod lease;
mod limits;
mod order;
mod outcome;
mod probe;
pub mod resize;
pub mod restart;
mod rights;
mod sight;
mod trace;
mod watched;
mod who;
