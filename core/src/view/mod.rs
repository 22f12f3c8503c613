//! Every document that leaves the product: one set of types for `--format json`, HTTP, Python and Node.
//!
//! Keys are in snake case, always present, and `null` when empty. A plan can be read back: exactly what was written, and
//! no key that was not.

mod decision;
mod finding;
mod log;
mod plan;
mod rows;
mod saved;
mod store;

pub use decision::*;
pub use finding::*;
pub use log::*;
pub use plan::*;
pub use rows::*;
pub use saved::*;
pub use store::*;
