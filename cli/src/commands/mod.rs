//! The commands, one file each: its arguments, what it calls, what it shows.

mod apply;
mod audit;
mod breaker;
mod change;
mod completions;
mod diff;
mod eval;
mod export;
mod fmt;
mod history;
mod import;
mod key;
mod plan;
mod preview;
mod render;
mod rollback;
mod schema;
mod serve;
mod show;
mod validate;
mod wanted;
mod workspace;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lattice_core::{Bundle, Code, Error, Manifest};
use lattice_workspace::threads;

use crate::args::{Format, OverlayArgs};
use crate::deferred::Deferred;
use crate::render::count;
use crate::session::{Outcome, Session};
use crate::texts;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create, list and show workspaces
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// Create, list and revoke keys
    #[command(subcommand)]
    Key(key::Key),
    /// Write the manifest of a workspace
    ///
    /// Exporting twice gives the same bytes but for `exported_at`; a file that differs in nothing else is left
    /// untouched. With `--at` the state after an event is exported as it was then, always as the same bytes.
    Export(Deferred<export::Export>),
    /// Import a manifest into the workspace of the key
    ///
    /// One transaction: everything is written or nothing. Policies that the manifest does not name stay active,
    /// unless `--replace` deactivates them; nothing is ever deleted.
    Import(Deferred<import::Import>),
    /// Show what an import would change, and keep the plan for `al apply`
    ///
    /// The preview is that of `al import --dry-run`; nothing is written to the workspace. The plan that `--out` keeps is bound to
    /// the workspace, its revision and state, and the manifest, which it holds.
    Plan(Deferred<plan::Plan>),
    /// Show a saved plan, offline
    ///
    /// The same preview as when it was planned; what the plan is bound to goes to stderr.
    Show(Deferred<show::Show>),
    /// Apply a saved plan to the workspace of the key
    ///
    /// Only where everything is as it was when the plan was saved: the workspace, its revision and state, the bytes of the plan,
    /// the version of al. One transaction: everything is written or nothing, and a plan goes through once.
    Apply(Deferred<apply::Apply>),
    /// Compare two manifests, or a workspace with a manifest
    ///
    /// Shown is what turns the first into the second, which overlays change: what the second does not name counts as
    /// deactivated. With `--file` each change says which side made it since the last import of that manifest, or of another.
    Diff(Deferred<diff::Diff>),
    /// List the states that a workspace had, newest first
    ///
    /// Each is what an import or a rollback left: `al rollback EVENT` goes back to it, and `al export --at EVENT` writes its
    /// manifest.
    History(Deferred<history::History>),
    /// Bring a workspace back to a state that it had
    ///
    /// The state is the one after EVENT: to undo event 7, roll back to 6. `al history` lists them. What was added since is
    /// deactivated, and what was changed or deactivated comes back as it was, in one transaction that is audited like an
    /// import.
    Rollback(Deferred<rollback::Rollback>),
    /// Check manifests offline: every error and warning, with its place
    Validate(Deferred<validate::Validate>),
    /// Write manifests in canonical form; comments and the order of rules stay
    ///
    /// Nothing is written unless every file parses.
    Fmt(Deferred<fmt::Fmt>),
    /// Write the manifest that files and overlays make
    ///
    /// The text is that of an export: policies in name order, in one layout, without comments. What is imported from the same
    /// files is what is written here, and the audit log records its SHA-256.
    Render(Deferred<render::Render>),
    /// Print a JSON Schema: of the manifest, of conditions, or of a document of `--format json`
    Schema(Deferred<schema::Schema>),
    /// Decide about an action, and show which rules led there
    ///
    /// Exits with 0 whatever the decision, with 3 if `--require` is not met.
    Eval(Deferred<eval::Eval>),
    /// Read and verify a workspace's audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Set and list circuit breakers
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    /// Serve the workspaces of a store over HTTP
    ///
    /// Whoever talks to a server has a key and no way around it: over HTTP a key is a boundary. The server keeps nothing of
    /// its own, so that any number of them may stand before one PostgreSQL. `SIGTERM` ends it when it has finished what it
    /// has begun.
    Serve(Deferred<serve::Serve>),
    /// Print a shell's completion script
    Completions(Deferred<completions::Completions>),
}

impl Command {
    /// Refuses a form that the command's document does not have, before anything is read.
    pub(crate) fn takes(&self, format: Format) -> Result<(), Error> {
        if format == Format::Html && !self.shows_plan() {
            return Err(no_html());
        }
        Ok(())
    }

    fn shows_plan(&self) -> bool {
        match self {
            Command::Import(_)
            | Command::Plan(_)
            | Command::Show(_)
            | Command::Apply(_)
            | Command::Rollback(_)
            | Command::Diff(_) => true,
            Command::Workspace(_)
            | Command::Key(_)
            | Command::Export(_)
            | Command::History(_)
            | Command::Validate(_)
            | Command::Fmt(_)
            | Command::Render(_)
            | Command::Schema(_)
            | Command::Eval(_)
            | Command::Audit(_)
            | Command::Breaker(_)
            | Command::Serve(_)
            | Command::Completions(_) => false,
        }
    }

    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Command::Workspace(command) => command.run(session),
            Command::Key(command) => command.run(session),
            Command::Export(Deferred(command)) => command.run(session),
            Command::Import(Deferred(command)) => command.run(session),
            Command::Plan(Deferred(command)) => command.run(session),
            Command::Show(Deferred(command)) => command.run(session),
            Command::Apply(Deferred(command)) => command.run(session),
            Command::Diff(Deferred(command)) => command.run(session),
            Command::History(Deferred(command)) => command.run(session),
            Command::Rollback(Deferred(command)) => command.run(session),
            Command::Validate(Deferred(command)) => command.run(session),
            Command::Fmt(Deferred(command)) => command.run(session),
            Command::Render(Deferred(command)) => command.run(session),
            Command::Schema(Deferred(command)) => command.run(session),
            Command::Eval(Deferred(command)) => command.run(session),
            Command::Audit(command) => command.run(session),
            Command::Breaker(command) => command.run(session),
            Command::Serve(Deferred(command)) => command.run(session),
            Command::Completions(Deferred(command)) => command.run(session),
        }
    }
}

/// The error of a document that is no plan, and so no page to look at.
pub(crate) fn no_html() -> Error {
    Error::new(Code::Usage, "this command has no `--format html`").with_help(
        "`import`, `plan`, `show`, `apply`, `rollback` and `diff` have it; else take text, json or markdown",
    )
}

/// Refuses an `--out` that names what was read, by whatever path, or that would be read the next time.
fn not_among(out: &Path, file: &Path, bundle: &Bundle, key: Option<&PathBuf>) -> Result<(), Error> {
    let texts = bundle.manifests.iter().chain(&bundle.overlays);
    let read = texts.filter_map(|text| text.file.as_deref()).map(Path::new);
    let mut read = read.chain(key.map(PathBuf::as_path));
    let is_read = read.any(|file| texts::is_same(out, file));
    if !is_read && !texts::holds(file, out) {
        return Ok(());
    }
    let message = "`--out` names what is read, which it would replace";
    Err(Error::new(Code::Usage, message).with_help("name another file"))
}

/// Reads a manifest, or those of a folder, with overlays; errors know their file and show the line.
fn manifest(
    path: &Path,
    overlays: &OverlayArgs,
    session: &mut Session<'_, '_>,
) -> Result<Manifest, Error> {
    manifest_of(path, overlays, session).map(|(manifest, _)| manifest)
}

/// The same, and gives back what was read.
fn manifest_of(
    path: &Path,
    overlays: &OverlayArgs,
    session: &mut Session<'_, '_>,
) -> Result<(Manifest, Bundle), Error> {
    let bundle = session.bundle(path, &overlays.overlays)?;
    match compile(&bundle, session) {
        Ok(manifest) => Ok((manifest, bundle)),
        Err(error) => {
            session.show_lines_of(bundle);
            Err(error)
        }
    }
}

/// Compiles what was read, and says what was merged and where warnings are.
fn compile(bundle: &Bundle, session: &mut Session<'_, '_>) -> Result<Manifest, Error> {
    session.step("checking the manifest");
    let checked = bundle.check_on(threads());
    if checked.manifest.is_none() {
        return checked.into_manifest();
    }
    if bundle.manifests.len() > 1 {
        session.note(format_args!("merged {} manifests", bundle.manifests.len()));
    }
    let texts = bundle.manifests.iter().chain(&bundle.overlays);
    for (text, found) in texts.zip(&checked.texts) {
        let warnings = found.diagnostics.len();
        if let (Some(name), 1..) = (&text.file, warnings) {
            session.note(format_args!(
                "{name}: {}; `al validate` shows them",
                count(warnings, "warning", "warnings")
            ));
        }
    }
    checked.into_manifest()
}
