use std::path::PathBuf;

use clap::Args;
use lattice_core::view::{self, ChangeAction, KeyKind, Mode};
use lattice_workspace::{Reader, import};

use super::{manifest, plan_notes};
use crate::args::KeyArgs;
use crate::exit::Exit;
use crate::file::MANIFEST;
use crate::render::{self, Heading, count};
use crate::session::{Outcome, Session};

/// Import a manifest into the workspace of the key
///
/// One transaction: everything is written or nothing. Policies that the manifest does not name stay active,
/// unless `--replace` deactivates them; nothing is ever deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al import --file policies.yaml --dry-run --diff
  al import --file policies.yaml --expect-workspace staging
  al import --file policies.yaml --dry-run --replace --detailed-exitcode --format markdown")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Import {
    /// The manifest; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Deactivate policies that the manifest does not name
    #[arg(long)]
    replace: bool,
    /// Show the changed fields of each policy, old → new
    #[arg(long)]
    diff: bool,
    /// Refuse a key of any other workspace
    #[arg(long, value_name = "NAME")]
    expect_workspace: Option<String>,
    /// With --dry-run: exit with 2 if something would change
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Import {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once([&self.file].into_iter().chain(&self.key.service_key_file))?;
        let (key, opened) = self.key.open(session)?;
        let expect = self.expect_workspace.as_deref();
        let reader = if self.dry_run {
            Reader::open(&*opened.store, &key, KeyKind::Service, expect)?
        } else {
            Reader::open_to_import(&*opened.store, &key, expect)?
        };
        let workspace = reader.workspace();
        session.note_workspace(&workspace, &opened.location);

        let input = session.read(&self.file, MANIFEST)?;
        let file = input.name.clone();
        session.step("checking the manifest");
        let manifest = manifest(input, session)?;
        let mode = if self.replace {
            Mode::Replace
        } else {
            Mode::Additive
        };
        session.step("planning");
        let planned = reader.plan(&manifest, mode)?;
        // Before the write: an older store is locked until then, and the writer closes the store last and leaves one
        // file behind.
        drop(reader);
        let source = view::ManifestRef::new(Some(&file), &manifest);
        let (plan, heading) = if self.dry_run {
            (planned.view(source, true, None), Heading::DryRun)
        } else {
            session.step("writing");
            let ambient = session.ambient()?;
            let imported = import(&*opened.store, &key, &planned, &ambient)?;
            let plan = planned.view(source, false, Some(&imported));
            (plan, Heading::Imported(&workspace.name))
        };

        plan_notes(&plan, session);
        untouched(&plan, session);
        let breakers = manifest.breakers().len();
        if breakers > 0 {
            session.note(format_args!(
                "skipped {}: circuit breakers are exported for reference only",
                count(breakers, "circuit breaker entry", "circuit breaker entries")
            ));
        }
        let pending = plan.summary.changes() > 0;
        let done = session.document(
            &plan,
            |paint| render::plan_text(&plan, heading, self.diff, paint),
            || render::plan_markdown(&plan, heading),
        )?;
        Ok(done.exit(Exit::pending(self.detailed_exitcode, pending)))
    }
}

/// What the manifest does not name, and what `--replace` would do to it.
fn untouched(plan: &view::Plan, session: &mut Session<'_, '_>) {
    if plan.summary.untouched == 0 {
        return;
    }
    let (stay, them) = match plan.summary.untouched {
        1 => ("1 policy stays active".to_owned(), "it"),
        number => (format!("{number} policies stay active"), "them"),
    };
    session.note(format_args!(
        "{stay} that the manifest does not name; `--replace` would deactivate {them}:"
    ));
    for change in &plan.changes {
        if change.action == ChangeAction::Untouched {
            session.note(format_args!("  {}", change.name));
        }
    }
}
