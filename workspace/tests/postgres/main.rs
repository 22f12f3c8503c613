//! What every store does, in a PostgreSQL database; and what is of such databases alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail"
)]

mod backend;
mod commits;
#[path = "../common/mod.rs"]
mod common;
mod stores;
#[path = "../suite/mod.rs"]
mod suite;
