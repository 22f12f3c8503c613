use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use lattice_core::view::{Decision, KeyKind, Status};
use lattice_core::{Action, Code, Error};

use super::manifest;
use crate::args::{KeyArgs, OverlayArgs};
use crate::exit::Exit;
use crate::file::ACTION;
use crate::render;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al eval --action action.json                          against the workspace of the key
  al eval --action action.json --file policies.yaml     against a manifest, offline
  al eval --action - --file policies.yaml --require denied < action.json")]
pub(crate) struct Eval {
    /// The action, a JSON object; `-` is stdin
    #[arg(long, value_name = "FILE")]
    action: PathBuf,
    /// A manifest instead of a workspace, or a folder of them; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "service_key_file"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// Exit with 3 if the decision has another status
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    require: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
}

fn statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(Status::ALL.iter().map(|status| status.as_str()))
}

impl Eval {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let paths = [&self.action].into_iter().chain(&self.file);
        let paths = paths.chain(&self.overlay.overlays);
        Session::stdin_once(paths.chain(&self.key.service_key_file))?;
        let decision = self.decide(session)?;
        let done = session.document(
            &decision,
            |paint| render::decision_text(&decision, paint),
            || render::decision_markdown(&decision),
        )?;
        let met = self
            .require
            .is_none_or(|required| required == decision.status.as_str());
        if met {
            return Ok(done);
        }
        session.note("the decision is not the one that `--require` names");
        Ok(done.exit(Exit::Refused))
    }

    fn decide(&self, session: &mut Session<'_, '_>) -> Result<Decision<'static>, Error> {
        if let Some(file) = &self.file {
            let manifest = manifest(file, &self.overlay, session)?;
            let action = self.action(session)?;
            return Ok(manifest.policies().decide(&action).into_owned());
        }
        if !self.overlay.overlays.is_empty() {
            let message = "`--overlay` changes a manifest, and none is named";
            return Err(Error::new(Code::Usage, message).with_help("name it with `--file`"));
        }
        let (reader, _) = self.key.reader(KeyKind::Agent, session)?;
        let action = self.action(session)?;
        reader.decide(&action)
    }

    fn action(&self, session: &mut Session<'_, '_>) -> Result<Action<'static>, Error> {
        let input = session.read(&self.action, ACTION)?;
        let read = Action::parse(&input.bytes).map(Action::into_owned);
        read.map_err(|error| session.blame(error, input))
    }
}
