//! What the server does with clients that are broken, or mean it harm: it says so, writes nothing, and goes on.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod bodies;
mod house;
mod keys;
mod slow;
mod wire;
