//! The pure engine for the governance policies of AI agents.
//!
//! Text becomes a [`Manifest`], whose policies are a compiled [`PolicySet`]. Two sets differ by a [`Plan`], a plan
//! applies and leaves an [`audit::Event`] in an RFC 6962 [`audit::Tree`]. A set decides about an [`Action`].
//!
//! The engine takes text and values and returns values. It does no input or output, reads no clock and no
//! environment, and holds nothing back: time, randomness and identity are arguments, and the same input gives
//! the same bytes.
//!
//! ```
//! use lattice_core::audit::{Event, ImportEvent, Tree, leaf_hash};
//! use lattice_core::{Action, Manifest, Mode, Plan, State, view::Status};
//!
//! let reviewed = b"manifest_version: '1.0'
//! policies:
//!   - name: deploys-from-main
//!     action_type: deploy.production
//!     approval_required: true
//!     approval_timeout_hours: 24
//!     allowed_repos: null
//!     allowed_branches: [main]
//!     conditions: |
//!       logic: all
//!       rules:
//!         - field: pr_size
//!           operator: lt
//!           value: 100
//! ";
//!
//! // Text becomes a manifest; a mistake in it is an error with line and column.
//! let manifest = Manifest::parse(reviewed)?;
//!
//! // Two sets of policies differ by a plan; applied, it gives what was reviewed.
//! let workspace = State::default();
//! let plan = Plan::new(&workspace, manifest.policies(), Mode::Replace);
//! assert_eq!(plan.notes(), ["deploy.production: decided by no policy → `deploy.production` (approval)"]);
//! let after = plan.apply(&workspace);
//! assert_eq!(&after.active, manifest.policies());
//!
//! // The change leaves an event in a tree whose root a stranger can check.
//! let event = Event::import(&ImportEvent {
//!     workspace: "0197a3c2-6a50-7000-8000-000000000001",
//!     seq: 0,
//!     time: "2026-04-01T10:30:00Z".parse().expect("a time"),
//!     actor: "key-1",
//!     names: &plan.names(),
//!     unchanged: plan.summary().unchanged as u64,
//!     before: workspace.active.digest(),
//!     after: after.active.digest(),
//!     manifest_sha256: manifest.sha256(),
//!     manifest_version: manifest.version(),
//!     replace: true,
//!     from: None,
//!     rendered_sha256: None,
//! });
//! let mut tree = Tree::new();
//! tree.append(leaf_hash(&event.to_bytes()));
//! assert_eq!(tree.size(), 1);
//!
//! // The set decides, and says why.
//! let action = Action::parse(
//!     br#"{"action_type": "deploy.production", "metadata": {"branch": "main", "pr_size": 12}}"#,
//! )?;
//! let decision = after.active.decide(&action);
//! assert_eq!(decision.status, Status::Requested);
//! assert_eq!(decision.approval_timeout_hours, Some(24));
//! # Ok::<(), lattice_core::Error>(())
//! ```
#![deny(missing_docs, clippy::disallowed_methods)]

pub mod action;
mod action_type;
pub mod audit;
mod breaker;
mod bundle;
mod canonical;
pub mod condition;
mod decision;
mod decode;
mod diff;
mod digest;
mod embed;
pub mod error;
mod findings;
mod format;
mod guard;
pub mod hash;
pub mod limits;
mod manifest;
mod number;
mod parallel;
mod plain;
mod plan;
mod policy;
mod saved;
pub mod schema;
pub mod source;
pub mod time;
mod value;
mod version;
pub mod view;
mod write;
mod yaml;

pub use action::Action;
pub use breaker::Breaker;
pub use bundle::{Bundle, Checked, CheckedText, NamedText};
pub use condition::Conditions;
pub use decision::{Prepared, Verdict};
pub use error::{Class, Code, Diagnostic, Error, Kind, Lint};
pub use format::format;
pub use guard::Guard;
pub use manifest::{Manifest, Validation, validate, validate_on};
pub use number::{Number, NumberError};
pub use plan::Plan;
pub use policy::{AllowList, Beside, Policy, PolicyRow, PolicySet, PolicySpec, State};
pub use saved::{Base, SavedPlan};
pub use value::{Mapping, Operand, Scalar, Text, Value};
pub use view::Mode;

/// The version of this engine. Saved plans are bound to it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
