//! Workspaces over HTTP.
//!
//! The server is what stands between a fleet and its store: whoever talks to it has a key and no password of the database,
//! and so keys are a boundary. It holds no policy logic and no SQL: each operation reads what the request says, asks
//! `lattice-workspace`, and answers with the view that `al --format json` prints.
//!
//! One table has all operations (`operation.rs`); the routes, their guards and the OpenAPI document come from it. The
//! server keeps nothing that another replica would miss.
#![deny(missing_docs)]

mod answer;
mod call;
mod guard;
pub mod limits;
mod metrics;
mod openapi;
mod operation;
mod operations;
mod run;
mod service;
mod throttle;

pub use lattice_workspace::AdminKey;
pub use openapi::document as openapi;
pub use run::{Tls, serve};
pub use service::{Settings, router};
