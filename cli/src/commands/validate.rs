use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use lattice_core::view;
use lattice_core::{Diagnostic, Kind};
use lattice_workspace::threads;

use crate::args::Format;
use crate::exit::Exit;
use crate::file::{Input, MANIFEST};
use crate::render::{self, Table, count, safe};
use crate::session::{Outcome, Session};

/// Check manifests offline: every error and warning, with its place
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al validate policies.yaml
  al validate environments/*.yaml --format json
  al export | al validate -")]
pub(crate) struct Validate {
    /// Manifests; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Validate {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once(&self.files)?;
        let mut report = view::Validation::default();
        let mut text = String::new();
        for path in &self.files {
            let (found, sources) = match session.read(path, MANIFEST) {
                Ok(input) => {
                    session.step("checking the manifest");
                    (
                        report.add_on(threads(), &input.name, Ok(&input.bytes)),
                        vec![input],
                    )
                }
                Err(error) => (
                    report.add(&path.display().to_string(), Err(error)),
                    Vec::new(),
                ),
            };
            show(&found, &sources, session);
            if let Some(file) = report.files.last() {
                text.push_str(&summary(file, &found));
            }
        }
        let exit = if report.valid {
            Exit::Done
        } else {
            Exit::Error
        };
        let done = session.document(&report, |_| text, || markdown(&report))?;
        Ok(done.masked().exit(exit))
    }
}

/// People see what was found, line by line, on stderr; programs find it in the document.
fn show(diagnostics: &[Diagnostic], sources: &[Input], session: &mut Session<'_, '_>) {
    if session.output.format == Format::Json {
        return;
    }
    let paint = session.error_paint();
    for diagnostic in diagnostics {
        let warning = matches!(diagnostic.kind, Kind::Warning(_));
        if !(warning && session.output.quiet) {
            session.say(&render::diagnostic(diagnostic, sources, paint));
        }
    }
}

fn summary(file: &view::ValidatedFile, diagnostics: &[Diagnostic]) -> String {
    let warnings = diagnostics
        .iter()
        .filter(|diagnostic| matches!(diagnostic.kind, Kind::Warning(_)))
        .count();
    let errors = diagnostics.len() - warnings;
    let verdict = match file.policies {
        Some(policies) => format!("valid, {}", count(policies, "policy", "policies")),
        None => format!("not valid, {}", count(errors, "error", "errors")),
    };
    let mut line = format!("{}: {verdict}", safe(&file.file));
    if warnings > 0 {
        line.push_str(", ");
        line.push_str(&count(warnings, "warning", "warnings"));
    }
    line.push('\n');
    line
}

fn markdown(report: &view::Validation) -> String {
    let mut files = Table::new(["file", "valid", "policies"]);
    for file in &report.files {
        files.row([
            file.file.clone(),
            if file.valid { "yes" } else { "no" }.to_owned(),
            file.policies
                .map(|policies| policies.to_string())
                .unwrap_or_default(),
        ]);
    }
    let mut out = files.markdown();
    if !report.diagnostics.is_empty() {
        let mut found =
            Table::new(["place", "code", "policy", "message", "help"]).prose(&["message", "help"]);
        for diagnostic in &report.diagnostics {
            found.row([
                place(diagnostic),
                diagnostic.code.clone(),
                diagnostic.policy.clone().unwrap_or_default(),
                diagnostic.message.clone(),
                diagnostic.help.clone().unwrap_or_default(),
            ]);
        }
        out.push('\n');
        out.push_str(&found.markdown());
    }
    out
}

fn place(diagnostic: &view::Diagnostic) -> String {
    let mut place = diagnostic.file.clone().unwrap_or_default();
    for part in [diagnostic.line, diagnostic.column].into_iter().flatten() {
        let _ = write!(place, ":{part}");
    }
    place
}
