//! One run: its streams, its form of output, and the one place that writes the document.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use lattice_core::{Bundle, Code, Error, view};
use lattice_workspace::{Ambient, Location};
use serde::Serialize;

use crate::args::{Color, Format, Output};
use crate::commands::no_html;
use crate::exit::Exit;
use crate::file::{self, Input, Limit, MANIFEST};
use crate::io::Io;
use crate::render::{self, Page, Paint, Report, Table};
use crate::secret::mask;
use crate::texts;

/// Bytes of input from which on a command says what it is at.
const LONG: usize = 4 * 1024 * 1024;

/// Back to the start of the line, and the line is empty.
const CLEAR_LINE: &[u8] = b"\r\x1b[2K";

/// What a command comes to: the document for stdout, empty for none, and how the run ends.
#[derive(Debug)]
pub(crate) struct Done {
    document: String,
    exit: Exit,
    shown_once: bool,
}

impl Done {
    /// A document, and success.
    pub(crate) fn with(document: String) -> Self {
        Self {
            document,
            exit: Exit::Done,
            shown_once: false,
        }
    }

    /// No document, and success.
    pub(crate) fn silent() -> Self {
        Self::with(String::new())
    }

    /// Another document in the place of this one.
    pub(crate) fn instead(self, document: String) -> Self {
        Self { document, ..self }
    }

    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// For a document of errors, which may quote a key that someone put into a file.
    pub(crate) fn masked(self) -> Self {
        Self {
            document: mask(&self.document).into_owned(),
            ..self
        }
    }

    /// For a document with the only copy of a key: if nobody reads it, that is an error.
    pub(crate) fn shown_once(self) -> Self {
        Self {
            shown_once: true,
            ..self
        }
    }
}

pub(crate) type Outcome = Result<Done, Error>;

#[derive(Debug)]
pub(crate) struct Session<'s, 'io> {
    pub(crate) io: &'s mut Io<'io>,
    pub(crate) output: Output,
    /// What was read is so long that a person wonders what is going on.
    long: bool,
    /// A line of progress stands on the terminal.
    in_progress: bool,
    /// Texts that errors point into.
    sources: Vec<Input>,
}

impl<'s, 'io> Session<'s, 'io> {
    pub(crate) fn new(io: &'s mut Io<'io>, output: Output) -> Self {
        Self {
            io,
            output,
            long: false,
            in_progress: false,
            sources: Vec::new(),
        }
    }

    /// Refuses a command line that names stdin twice, before any of its files is touched. `paths` are all those that a
    /// command reads.
    pub(crate) fn stdin_once<'p>(
        paths: impl IntoIterator<Item = &'p PathBuf>,
    ) -> Result<(), Error> {
        let stdin = paths.into_iter().filter(|path| path.as_os_str() == "-");
        if stdin.count() < 2 {
            return Ok(());
        }
        let message = "`-` is named twice, but standard input can be read only once";
        Err(Error::new(Code::Usage, message).with_help("name a file for one of them"))
    }

    /// Reads a file, or stdin for `-`.
    pub(crate) fn read(&mut self, path: &Path, limit: Limit) -> Result<Input, Error> {
        let input = if path.as_os_str() == "-" {
            file::read_stream("-", &mut self.io.stdin, limit)?
        } else {
            file::read(path, limit)?
        };
        self.long |= input.bytes.len() > LONG;
        Ok(input)
    }

    /// Reads a manifest, or those of a folder, and overlays.
    pub(crate) fn bundle(&mut self, path: &Path, overlays: &[PathBuf]) -> Result<Bundle, Error> {
        let manifests = texts::read_all(path, |path| self.read(path, MANIFEST))?;
        let overlays = overlays
            .iter()
            .map(|path| self.read(path, MANIFEST).map(Input::into_text));
        let overlays = overlays.collect::<Result<_, _>>()?;
        Ok(Bundle {
            manifests,
            overlays,
        })
    }

    /// Says on a terminal what a long command is at; whatever comes next takes the line's place.
    pub(crate) fn step(&mut self, what: &str) {
        if self.long && self.io.stderr_is_terminal && !self.output.quiet {
            self.say(&format!("{what} …"));
            self.in_progress = true;
        }
    }

    /// Names the file in an error and keeps its text, so that the error can show the line.
    pub(crate) fn blame(&mut self, error: Error, input: Input) -> Error {
        let error = error.in_file(&input.name);
        self.sources.push(input);
        error
    }

    /// Keeps the texts of a bundle, so that errors can show their lines.
    pub(crate) fn show_lines_of(&mut self, bundle: Bundle) {
        let texts = bundle.manifests.into_iter().chain(bundle.overlays);
        self.sources.extend(texts.filter_map(Input::of));
    }

    /// Time and randomness for a command that writes.
    pub(crate) fn ambient(&self) -> Result<Ambient, Error> {
        self.io.ambient()
    }

    /// A line for people, on stderr; not with `--quiet`.
    pub(crate) fn note(&mut self, line: impl Display) {
        if !self.output.quiet {
            self.say(&format!("{}\n", render::safe(&line.to_string())));
        }
    }

    /// Says which workspace a key turned out to open.
    pub(crate) fn note_workspace(&mut self, workspace: &view::WorkspaceRef, location: &Location) {
        self.note(format_args!(
            "workspace {} ({}) in {location}",
            workspace.name, workspace.org_name
        ));
    }

    /// The checkpoint that a change left: what to keep where the writer of the store cannot write.
    pub(crate) fn note_checkpoint(&mut self, checkpoint: &str) {
        self.note("checkpoint of the audit log:");
        for line in checkpoint.lines() {
            self.note(line);
        }
    }

    /// Text that was rendered for stderr, where no key is shown. A stderr that cannot be written is no reason to fail.
    pub(crate) fn say(&mut self, text: &str) {
        if std::mem::take(&mut self.in_progress) {
            let _ = self.io.stderr.write_all(CLEAR_LINE);
        }
        let _ = self.io.stderr.write_all(mask(text).as_bytes());
    }

    /// The colours of stdout.
    pub(crate) fn paint(&self) -> Paint {
        self.paint_for(self.io.stdout_is_terminal)
    }

    /// The colours of stderr.
    pub(crate) fn error_paint(&self) -> Paint {
        self.paint_for(self.io.stderr_is_terminal)
    }

    fn paint_for(&self, terminal: bool) -> Paint {
        let on = match self.output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal
                    && self.io.variable("NO_COLOR").is_none()
                    && self.io.variable("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Paint::new(on)
    }

    /// The document in the form asked for.
    pub(crate) fn document(
        &self,
        view: &impl Serialize,
        text: impl FnOnce(Paint) -> String,
        markdown: impl FnOnce() -> String,
    ) -> Outcome {
        Ok(Done::with(match self.output.format {
            Format::Json => render::json(view)?,
            Format::Text => text(self.paint()),
            Format::Markdown => markdown(),
            Format::Html => return Err(no_html()),
        }))
    }

    /// The document of a plan; in text with what changes in each policy, if `fields` are asked for.
    pub(crate) fn plan(&self, page: Page<'_>, fields: bool) -> Outcome {
        Ok(Done::with(match self.output.format {
            Format::Json => render::json(page.plan)?,
            Format::Text => render::plan_text(page.plan, page.heading, fields, self.paint()),
            Format::Markdown => page.write(Report::Markdown),
            Format::Html => page.write(Report::Html),
        }))
    }

    /// The end of a plan that a safety rule refused: programs find the plan in the error, people see the error beside it.
    pub(crate) fn refused(&mut self, refusal: Error, done: Done) -> Outcome {
        if self.output.format == Format::Json {
            return Err(refusal);
        }
        self.show(&refusal);
        Ok(done.exit(Exit::from(&refusal)))
    }

    /// The end of something that was committed, of which a part failed behind the commit: its document is not lost over it.
    pub(crate) fn despite(&mut self, fault: Option<Error>, done: Done) -> Done {
        let Some(fault) = fault else {
            return done;
        };
        self.show(&fault);
        done.exit(Exit::from(&fault))
    }

    /// The document of something that people read as a table.
    pub(crate) fn table(&self, view: &impl Serialize, table: impl FnOnce() -> Table) -> Outcome {
        match self.output.format {
            Format::Json => Ok(Done::with(render::json(view)?)),
            Format::Text => Ok(Done::with(table().text(self.paint()))),
            Format::Markdown => Ok(Done::with(table().markdown())),
            Format::Html => Err(no_html()),
        }
    }

    /// Shows an error on stderr as people read it.
    pub(crate) fn show(&mut self, error: &Error) {
        let text = render::error(error, &self.sources, self.error_paint());
        self.say(&text);
    }

    /// Writes what a command came to and returns the exit code.
    pub(crate) fn finish(mut self, outcome: Outcome) -> u8 {
        let done = match outcome {
            Ok(done) => done,
            Err(error) => return self.fail(&error).code(),
        };
        match self.write(&done.document) {
            Ok(()) => done.exit.code(),
            // Whoever reads stdout has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe && !done.shown_once => {
                done.exit.code()
            }
            Err(error) => {
                let unwritten = unwritten(&error, &done);
                self.show(&unwritten);
                Exit::from(&unwritten).code()
            }
        }
    }

    /// Shows an error in the form asked for, or on stderr if stdout does not take it.
    fn fail(&mut self, error: &Error) -> Exit {
        let written = self.output.format == Format::Json
            && render::json(&view::ErrorDocument::from(error))
                .is_ok_and(|document| self.write(&mask(&document)).is_ok());
        if !written {
            self.show(error);
        }
        Exit::from(error)
    }

    fn write(&mut self, document: &str) -> std::io::Result<()> {
        self.say("");
        self.io.stdout.write_all(document.as_bytes())?;
        self.io.stdout.flush()
    }
}

/// The error of a document that stdout did not take.
fn unwritten(error: &std::io::Error, done: &Done) -> Error {
    let message = format!("standard output cannot be written: {}", file::reason(error));
    let error = Error::new(Code::IoError, message);
    if done.shown_once {
        return error.with_help(
            "the key is made, and lost: make another with `al key create --workspace NAME`, and revoke this one",
        );
    }
    match done.exit {
        Exit::Done | Exit::Changes => {
            error.with_help("the command itself has run; only what it prints is lost")
        }
        Exit::Usage | Exit::Error | Exit::Refused => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_for_a_person_who_waits() {
        // What stands on stderr after a step and a line, for a long or short input and a terminal or none.
        let rows = [
            (true, true, "planning …\r\u{1b}[2Kdone\n"),
            (true, false, "done\n"),
            (false, true, "done\n"),
        ];
        for (long, terminal, expected) in rows {
            let mut stderr = Vec::new();
            let mut io = Io {
                stderr: Box::new(&mut stderr),
                stderr_is_terminal: terminal,
                ..Io::system()
            };
            let mut session = Session::new(&mut io, Output::default());
            session.long = long;
            session.step("planning");
            session.note("done");
            drop(io);
            assert_eq!(
                String::from_utf8(stderr).unwrap(),
                expected,
                "{long} {terminal}"
            );
        }
    }

    #[test]
    fn colour_needs_a_terminal_that_wants_it() {
        type Environment = &'static [(&'static str, &'static str)];
        let rows: [(Color, bool, Environment, bool); 8] = [
            (Color::Auto, true, &[], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            // A variable that is set to nothing counts as not set.
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Auto, true, &[("TERM", "xterm")], true),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[], false),
        ];
        for (color, terminal, environment, expected) in rows {
            let mut io = Io {
                env: Box::new(|name| {
                    let found = environment.iter().find(|(variable, _)| *variable == name);
                    found.map(|(_, value)| value.into())
                }),
                stdout_is_terminal: terminal,
                ..Io::system()
            };
            let output = Output {
                color,
                ..Output::default()
            };
            let on = Session::new(&mut io, output).paint().is_on();
            assert_eq!(on, expected, "{color:?} {terminal} {environment:?}");
        }
    }
}
