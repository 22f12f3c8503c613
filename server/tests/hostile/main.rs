//! What the server does with clients that are broken, or mean it harm: it says so, writes nothing, and goes on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "tests fail loudly, and are tables of rows"
)]

mod bodies;
mod house;
mod keys;
mod slow;
mod wire;
