use std::path::PathBuf;

use clap::Args;
use lattice_core::{Code, Diagnostic, Error, format, view};

use crate::args::Format;
use crate::exit::Exit;
use crate::file::{self, Input, MANIFEST};
use crate::render::{self, Table, count, safe};
use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al fmt policies.yaml           in place
  al fmt --check *.yaml          lists what would change, and exits with 1 if anything would
  al fmt - < in.yaml > out.yaml  stdin to stdout")]
pub(crate) struct Fmt {
    /// Write nothing; list the files that would change and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Manifests; `-` is stdin, formatted to stdout
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A file and its canonical text.
struct Formatted {
    path: PathBuf,
    name: String,
    text: String,
    changed: bool,
}

impl Fmt {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once(&self.files)?;
        let stdin = self.files.iter().any(|path| path.as_os_str() == "-");
        if stdin && !self.check && session.output.format == Format::Json {
            let message = "the text of `-` and the document of `--format json` both want stdout";
            return Err(Error::new(Code::Usage, message).with_help("add `--check`, or name a file"));
        }
        let files = self.format(session)?;
        let mut formatted = String::new();
        if !self.check {
            for file in &files {
                if file.path.as_os_str() == "-" {
                    formatted.clone_from(&file.text);
                } else if file.changed {
                    file::replace(&file.path, file.text.as_bytes(), session.io)?;
                    session.note(format_args!("formatted {}", file.name));
                }
            }
        }
        let changed = files.iter().filter(|file| file.changed).count();
        if stdin && !self.check {
            return Ok(Done::with(formatted));
        }
        let done = self.report(&files, session)?;
        if self.check && changed > 0 {
            let files = count(changed, "file is", "files are");
            session.note(format_args!(
                "{files} not in canonical form; `al fmt` writes it"
            ));
            return Ok(done.exit(Exit::Error));
        }
        Ok(done)
    }

    /// The canonical text of every file, or the errors of all.
    fn format(&self, session: &mut Session<'_, '_>) -> Result<Vec<Formatted>, Error> {
        let mut files = Vec::new();
        let mut errors: Vec<Diagnostic> = Vec::new();
        for path in &self.files {
            let formatted = session
                .read(path, MANIFEST)
                .and_then(|input| canonical(path.clone(), input, session));
            match formatted {
                Ok(file) => files.push(file),
                Err(error) => errors.extend(error.into_diagnostics()),
            }
        }
        match Error::from_diagnostics(errors) {
            Some(error) => Err(error),
            None => Ok(files),
        }
    }

    fn report(&self, files: &[Formatted], session: &Session<'_, '_>) -> Outcome {
        let view = view::Formatted {
            files: files
                .iter()
                .map(|file| view::FormattedFile {
                    file: file.name.clone(),
                    changed: file.changed,
                })
                .collect(),
        };
        session.document(
            &view,
            |_| {
                if !self.check {
                    return String::new();
                }
                let changed = files.iter().filter(|file| file.changed);
                render::lines(changed.map(|file| safe(&file.name)))
            },
            || {
                let mut table = Table::new(["file", "changed"]);
                for file in files {
                    let changed = if file.changed { "yes" } else { "no" };
                    table.row([file.name.clone(), changed.to_owned()]);
                }
                table.markdown()
            },
        )
    }
}

fn canonical(
    path: PathBuf,
    input: Input,
    session: &mut Session<'_, '_>,
) -> Result<Formatted, Error> {
    match format(&input.bytes) {
        Ok(text) => Ok(Formatted {
            path,
            changed: text.as_bytes() != input.bytes,
            name: input.name,
            text,
        }),
        Err(error) => Err(session.blame(error, input)),
    }
}
