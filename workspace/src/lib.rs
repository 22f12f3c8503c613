//! Where policies live.
//!
//! A workspace is one environment (dev, staging, production): its policies, keys, circuit breakers and audit log.
//! This crate opens workspaces, and commits what [`lattice_core`] planned. It knows nothing of command lines, and
//! nothing of what policies mean.
//!
//! A [`Location`] says where workspaces live and opens a [`Store`]. A key opens one workspace of it as a [`Reader`],
//! which exports, plans, decides and verifies, and has no way to write. [`import`] commits a plan in one transaction,
//! if the workspace is still as it was when the plan was made.
//!
//! Time and randomness are arguments ([`Ambient`]). Of the disk, this crate touches the store and nothing else.
//!
//! ```
//! use jiff::Timestamp;
//! use lattice_core::{Manifest, Mode, view::{KeyKind, Trust}};
//! use lattice_workspace::{Ambient, Kept, Key, Location, Reader, create_workspace, import};
//!
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}", folder.path().join("al.db").display());
//! # let ambient = |n| Ambient { now: Timestamp::UNIX_EPOCH, seed: [n; 64] };
//! let store = Location::parse(&url)?.open();
//!
//! // The service key is shown this once; the store keeps its SHA-256 alone.
//! let staging = create_workspace(&*store, "staging", None, &ambient(1))?;
//! let key = Key::parse(&staging.service_key)?;
//!
//! let manifest = Manifest::parse(
//!     b"manifest_version: '1.0'
//! policies:
//!   - name: reviewed-deploys
//!     action_type: deploy.production
//!     approval_required: true
//!     allowed_repos: null
//!     allowed_branches: [main]
//!     conditions: null
//! ",
//! )?;
//!
//! // A preview reads one snapshot. It could not write if it wanted to.
//! let reader = Reader::open(&*store, &key, KeyKind::Service, Some("staging"))?;
//! let planned = reader.plan(&manifest, Mode::Additive)?;
//! assert_eq!(planned.plan().summary().added, 1);
//!
//! // The import writes policies, audit event and revision together, or nothing.
//! let imported = import(&*store, &key, &planned, &ambient(2))?;
//! assert_eq!(imported.event.names.added, ["reviewed-deploys"]);
//! assert_eq!(imported.checkpoint.origin(), format!("al/{}", staging.id));
//! assert_eq!(imported.checkpoint.size(), 2);
//!
//! // A plan goes through once: the workspace is no longer as it was.
//! let again = import(&*store, &key, &planned, &ambient(3)).unwrap_err();
//! assert_eq!(again.code(), lattice_core::Code::StateChanged);
//!
//! // A checkpoint that was kept elsewhere shows what the store alone cannot.
//! let kept = [Kept { file: None, checkpoint: imported.checkpoint }];
//! let reader = Reader::open(&*store, &key, KeyKind::Service, None)?;
//! let verified = reader.verify(&kept, &[], true)?.verification;
//! assert_eq!((verified.valid, verified.trust), (true, Trust::Pinned));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod access;
mod ambient;
mod breakers;
mod decider;
mod drift;
mod events;
#[cfg(feature = "test-hooks")]
mod hook;
mod http;
mod import;
mod key;
mod keys;
mod location;
mod log;
mod once;
mod patterns;
mod postgres;
mod proposal;
mod prove;
mod reader;
mod recorded;
mod restart;
mod resume;
mod rotate;
mod rows;
mod signer;
mod sqlite;
pub mod store;
mod threads;
mod verify;
mod workspace;

pub use access::Caller;
pub use ambient::Ambient;
pub use breakers::{list_breakers, set_breaker};
pub use decider::Decider;
pub use events::page;
pub use http::{Address as HttpAddress, Credentials, Remote};
pub use import::{Imported, Planned, import, import_signed};
pub use key::{AdminKey, Key};
pub use keys::{create_key, list_keys, revoke_key};
pub use location::Location;
pub use once::{Once, answered, import_once};
pub use postgres::Address as PostgresAddress;
pub use reader::Reader;
pub use recorded::Recorded;
pub use restart::{Restarted, restart_log};
pub use rotate::{Rotated, log_key, rotate_log_key};
pub use store::Store;
pub use threads::threads;
pub use verify::{Kept, Proven, Verified};
pub use workspace::{create_workspace, list_workspaces, show_workspace};
