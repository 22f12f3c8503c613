use std::path::PathBuf;

use clap::Args;
use lattice_core::Manifest;
use lattice_core::view::KeyKind;

use super::audit::seq;
use crate::args::KeyArgs;
use crate::file;
use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al export                        to stdout
  al export --file policies.yaml   replaced in one step: a failure leaves the old file
  al export --at 6                 the state after event 6, the one before event 7; see `al history`
  al export | ssh host al import --file -")]
pub(crate) struct Export {
    /// The file to write; `-` is stdout
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The state after this event, without circuit breakers
    #[arg(long, value_name = "EVENT", value_parser = seq)]
    at: Option<u64>,
    #[command(flatten)]
    key: KeyArgs,
}

impl Export {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (reader, location) = self.key.reader(KeyKind::Service, session)?;
        session.note_workspace(&reader.workspace(), &location);
        let manifest = match self.at {
            Some(event) => reader.recorded(event)?.to_text(),
            None => reader.export((session.io.now)())?,
        };
        let Some(path) = self.file.filter(|path| path.as_os_str() != "-") else {
            return Ok(Done::with(manifest));
        };
        let name = path.display();
        // A pipe holds nothing to compare with, and would have us wait for someone who writes.
        let same = path.is_file()
            && file::read(&path, file::MANIFEST)
                .is_ok_and(|old| Manifest::same_but_time(&old.bytes, &manifest));
        if same {
            session.note(format_args!("{name} is up to date and was left untouched"));
        } else {
            file::replace(&path, manifest.as_bytes(), session.io)?;
            session.note(format_args!("wrote {name}"));
        }
        Ok(Done::silent())
    }
}
