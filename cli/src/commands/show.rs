use std::path::PathBuf;

use clap::Args;
use lattice_core::hash::hex;
use lattice_core::{Guard, SavedPlan};

use super::preview;
use crate::file::PLAN;
use crate::render::{Heading, Page};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al show plan.json --diff               the changed fields of each policy
  al show plan.json --format markdown    for a pull request
  al show plan.json --format html        a page for reviewers")]
pub(crate) struct Show {
    /// The saved plan; `-` is stdin
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Show the changed fields of each policy, old → new
    #[arg(long)]
    diff: bool,
}

impl Show {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let input = session.read(&self.plan, PLAN)?;
        let saved = SavedPlan::parse(&input.bytes).map_err(|error| error.in_file(&input.name))?;
        bound_to(&saved, session);
        let plan = saved.into_view();
        preview::beside(&plan, session);
        let page = Page {
            plan: &plan,
            heading: Heading::DryRun,
            refusal: None,
        };
        session.plan(page, self.diff)
    }
}

/// What must be as it was for the plan to be applied.
fn bound_to(saved: &SavedPlan, session: &mut Session<'_, '_>) {
    let workspace = saved.workspace();
    session.note(format_args!(
        "for the workspace {} ({}), {}",
        workspace.name, workspace.org_name, workspace.id
    ));
    let base = saved.base();
    session.note(format_args!(
        "at revision {}, from the state {}",
        base.revision,
        hex(&base.digest)
    ));
    session.note(format_args!("to the state {}", hex(&saved.after())));
    for (what, texts) in [
        ("manifest", saved.manifests()),
        ("overlay", saved.overlays()),
    ] {
        for text in texts {
            let file = text.file.as_deref().unwrap_or("-");
            session.note(format_args!("{what} {file}, SHA-256 {}", text.sha256));
        }
    }
    let guard = saved.guard();
    if guard.percent() != Guard::default().percent() {
        session.note(format_args!(
            "deactivation threshold: {} %",
            guard.percent()
        ));
    }
    if let Some(allowed) = guard.allowed() {
        session.note(format_args!("deactivations allowed: {allowed}"));
    }
}
