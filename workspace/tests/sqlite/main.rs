//! What every store does, in an SQLite file; and what is of such files alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail"
)]

mod backend;
#[path = "../common/mod.rs"]
mod common;
mod stores;
#[path = "../suite/mod.rs"]
mod suite;
