//! The commands, one file each: its arguments, what it calls, what it shows.

mod audit;
mod breaker;
mod completions;
mod diff;
mod eval;
mod export;
mod fmt;
mod history;
mod import;
mod key;
mod preview;
mod rollback;
mod schema;
mod validate;
mod workspace;

use clap::Subcommand;
use lattice_core::{Error, Manifest, validate_on};
use lattice_workspace::threads;

use crate::file::Input;
use crate::render::count;
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create, list and show workspaces
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// Create, list and revoke keys
    #[command(subcommand)]
    Key(key::Key),
    Export(export::Export),
    Import(import::Import),
    Diff(diff::Diff),
    History(history::History),
    Rollback(rollback::Rollback),
    Validate(validate::Validate),
    Fmt(fmt::Fmt),
    Schema(schema::Schema),
    Eval(eval::Eval),
    /// Read and verify a workspace's audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Set and list circuit breakers
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Command::Workspace(command) => command.run(session),
            Command::Key(command) => command.run(session),
            Command::Export(command) => command.run(session),
            Command::Import(command) => command.run(session),
            Command::Diff(command) => command.run(session),
            Command::History(command) => command.run(session),
            Command::Rollback(command) => command.run(session),
            Command::Validate(command) => command.run(session),
            Command::Fmt(command) => command.run(session),
            Command::Schema(command) => command.run(session),
            Command::Eval(command) => command.run(session),
            Command::Audit(command) => command.run(session),
            Command::Breaker(command) => command.run(session),
            Command::Completions(command) => command.run(session),
        }
    }
}

/// Parses what was read; its errors know the file and show the line.
fn manifest(input: Input, session: &mut Session<'_, '_>) -> Result<Manifest, Error> {
    let validation = validate_on(threads(), &input.bytes);
    let warnings = validation.warnings().count();
    let manifest = match validation.into_manifest() {
        Ok(manifest) => manifest,
        Err(error) => return Err(session.blame(error, input)),
    };
    if warnings > 0 {
        session.note(format_args!(
            "{}: {}; `al validate` shows them",
            input.name,
            count(warnings, "warning", "warnings")
        ));
    }
    Ok(manifest)
}
