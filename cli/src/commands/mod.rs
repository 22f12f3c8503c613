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
    Export(export::Export),
    Import(import::Import),
    Plan(plan::Plan),
    Show(show::Show),
    Apply(apply::Apply),
    Diff(diff::Diff),
    History(history::History),
    Rollback(rollback::Rollback),
    Validate(validate::Validate),
    Fmt(fmt::Fmt),
    Render(render::Render),
    Schema(schema::Schema),
    Eval(eval::Eval),
    /// Read and verify a workspace's audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Set and list circuit breakers
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    Serve(serve::Serve),
    Completions(completions::Completions),
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
            Command::Export(command) => command.run(session),
            Command::Import(command) => command.run(session),
            Command::Plan(command) => command.run(session),
            Command::Show(command) => command.run(session),
            Command::Apply(command) => command.run(session),
            Command::Diff(command) => command.run(session),
            Command::History(command) => command.run(session),
            Command::Rollback(command) => command.run(session),
            Command::Validate(command) => command.run(session),
            Command::Fmt(command) => command.run(session),
            Command::Render(command) => command.run(session),
            Command::Schema(command) => command.run(session),
            Command::Eval(command) => command.run(session),
            Command::Audit(command) => command.run(session),
            Command::Breaker(command) => command.run(session),
            Command::Serve(command) => command.run(session),
            Command::Completions(command) => command.run(session),
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
