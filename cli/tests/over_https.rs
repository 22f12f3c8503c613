//! Every test of what workspaces do, through a server: the same files, each of which is a test binary over SQLite too, and is
//! in `over_postgres`. Which of the three is asked in `common/store.rs`.
#![allow(clippy::duplicate_mod, reason = "every file brings what it needs")]

#[path = "audit.rs"]
mod audit;
#[path = "client.rs"]
mod client;
#[path = "conformance.rs"]
mod conformance;
#[path = "crash.rs"]
mod crash;
#[path = "documents.rs"]
mod documents;
#[path = "evidence.rs"]
mod evidence;
#[path = "guard.rs"]
mod guard;
#[path = "history.rs"]
mod history;
#[path = "import.rs"]
mod import;
#[path = "overlays.rs"]
mod overlays;
#[path = "race.rs"]
mod race;
#[path = "saved.rs"]
mod saved;
#[path = "tutorial.rs"]
mod tutorial;
#[path = "workflow.rs"]
mod workflow;
