//! Every document that leaves the product: one set of types for `--format json`, HTTP, Python and Node.
//!
//! Keys are in snake case, always present, and `null` when empty.

mod decision;
mod finding;
mod log;
mod plan;
mod store;

pub use decision::*;
pub use finding::*;
pub use log::*;
pub use plan::*;
pub use store::*;
