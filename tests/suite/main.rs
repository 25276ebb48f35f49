//! Tests from the outside: the core through its public interface, the server as a process.

mod client;
mod fixtures;
mod properties;
mod reviews;
mod server;
mod subjects;
