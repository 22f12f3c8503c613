use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use lattice_core::view;
use lattice_core::{Code, Diagnostic, Error, Kind};
use lattice_workspace::threads;

use crate::args::{Format, OverlayArgs};
use crate::exit::Exit;
use crate::file::Input;
use crate::given::UNNAMED;
use crate::render::{self, Table, count, safe};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al validate policies.yaml
  al validate policies.yaml --overlay production.yaml
  al validate environments/*.yaml --format json
  al export | al validate -")]
pub(crate) struct Validate {
    /// Manifests, or folders of manifests that belong together; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    overlay: OverlayArgs,
}

impl Validate {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once(self.files.iter().chain(&self.overlay.overlays))?;
        if !self.overlay.overlays.is_empty() && self.files.len() > 1 {
            let message = "`--overlay` changes one manifest, and several are named";
            let help = "name one, or a folder whose manifests belong together";
            return Err(Error::new(Code::Usage, message).with_help(help));
        }
        let mut report = view::Validation::default();
        let mut text = String::new();
        for path in &self.files {
            let before = report.files.len();
            let (found, sources) = match session.bundle(path, &self.overlay.overlays) {
                Ok(bundle) => {
                    session.step("checking the manifest");
                    let found = report.add_on(threads(), &bundle, UNNAMED);
                    let texts = bundle.manifests.into_iter().chain(bundle.overlays);
                    (found, texts.filter_map(Input::of).collect())
                }
                Err(error) => {
                    let name = path.display().to_string();
                    (report.unread(&name, error), Vec::new())
                }
            };
            show(&found, &sources, session);
            for file in report.files.iter().skip(before) {
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
    let here = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.file.as_ref() == Some(&file.file));
    let is_warning = |diagnostic: &&Diagnostic| matches!(diagnostic.kind, Kind::Warning(_));
    let (warnings, errors): (Vec<_>, Vec<_>) = here.partition(is_warning);
    let (warnings, errors) = (warnings.len(), errors.len());
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
