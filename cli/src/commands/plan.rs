use std::path::PathBuf;

use clap::Args;
use lattice_core::Mode;
use lattice_core::view::KeyKind;
use lattice_workspace::Reader;

use super::not_among;
use super::preview::Preview;
use super::wanted::Wanted;
use crate::args::{GuardArgs, KeyArgs, OverlayArgs};
use crate::file;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al plan --file policies.yaml --out plan.json     the preview, and the plan to apply later
  al plan --file policies.yaml --replace --detailed-exitcode
  al plan --file policies.yaml --out - | ssh host al apply -")]
pub(crate) struct Plan {
    /// The manifest, or a folder of them; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// Deactivate policies that the manifest does not name
    #[arg(long)]
    replace: bool,
    /// The file to keep the plan in; `-` is stdout, and then there is no preview
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// Show the changed fields of each policy, old → new
    #[arg(long)]
    diff: bool,
    /// Refuse a key of any other workspace
    #[arg(long, value_name = "NAME")]
    expect_workspace: Option<String>,
    /// Exit with 2 if something would change
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    guard: GuardArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl Plan {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let paths = [&self.file].into_iter().chain(&self.overlay.overlays);
        Session::stdin_once(paths.chain(&self.key.service_key_file))?;
        let guard = self.guard.guard(session.io)?;
        let (key, opened) = self.key.open(session)?;
        let expect = self.expect_workspace.as_deref();
        let reader = Reader::open(&*opened.store, &key, KeyKind::Service, expect)?;
        session.note_workspace(&reader.workspace(), &opened.location);

        let (wanted, bundle) = Wanted::read(&self.file, &self.overlay, session)?;
        if let Some(out) = &self.out {
            not_among(out, &self.file, &bundle, self.key.service_key_file.as_ref())?;
        }
        let mode = Mode::replacing(self.replace);
        let planned = wanted.plan(&reader, mode, guard, session)?;
        drop(reader);
        wanted.note_breakers(session);
        let preview = Preview::dry_run(&planned);
        let to_stdout = self.out.as_ref().is_some_and(|out| out.as_os_str() == "-");
        if to_stdout && let Err(refusal) = planned.check(true) {
            // Whatever reads there wants a plan, and nothing else.
            return Err(refusal);
        }
        let Some(out) = self.out.filter(|_| !preview.is_refused()) else {
            return preview.show(self.diff, self.detailed_exitcode, session);
        };
        let text = planned.save(bundle)?.into_text();
        if out.as_os_str() == "-" {
            let shown = preview.show(self.diff, self.detailed_exitcode, session)?;
            return Ok(shown.instead(text));
        }
        session.step("writing");
        file::replace(&out, text.as_bytes(), session.io)?;
        let done = preview.show(self.diff, self.detailed_exitcode, session)?;
        let out = out.display();
        session.note(format_args!("wrote {out}: `al apply {out}` applies it"));
        Ok(done)
    }
}
