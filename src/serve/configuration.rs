//! Who uses which ConfigMaps and Secrets, followed through the API server
//! ([ADR 23](../docs/adr/0023-users-of-configuration-are-indexed.md)).
//!
//! References alone are kept, no values. While not all of them are known nothing is said of users, and
//! the rules that ask are silent.

mod collector;
mod follow;
mod index;
mod record;

pub(super) use collector::Users;
pub(super) use follow::follow;
pub(super) use index::Index;
