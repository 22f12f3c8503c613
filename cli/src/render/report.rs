//! A plan in the forms that people look at: what it is about, and which form it takes.

use lattice_core::audit::Kind;
use lattice_core::view::{Drift, Plan};
use lattice_core::{Code, Diagnostic, Error};

use super::plan::Heading;
use super::{plan_html, plan_markdown};

/// A form of a plan for people to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// For a comment on a pull request: at most 65,536 characters.
    Markdown,
    /// One file that a browser opens, without script and without anything from elsewhere: at most 4 MiB.
    Html,
}

impl Report {
    /// The form of that name: `markdown` or `html`.
    ///
    /// # Errors
    ///
    /// `USAGE` for another name.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "markdown" => Ok(Report::Markdown),
            "html" => Ok(Report::Html),
            _ => {
                let message = format!("no report has the form `{name}`");
                Err(Error::new(Code::Usage, message).with_help("take `markdown` or `html`"))
            }
        }
    }
}

/// The error of a document that is to be reported, and is no plan.
pub fn no_plan(reason: impl std::fmt::Display) -> Error {
    Error::new(
        Code::InvalidPlan,
        format!("the document is no plan: {reason}"),
    )
    .with_help("give the document of a plan just as it was returned")
}

/// A plan, as `--format markdown` and `--format html` print it. Equal plans make equal reports.
///
/// The document itself says what it is: a preview, what was imported, what was refused, or a comparison.
///
/// ```
/// use al::{Given, Report, Source};
/// use lattice_core::NamedText;
///
/// let manifest = |name: &str| {
///     let (bytes, file) = ("manifest_version: '1.0'\npolicies: []\n".into(), Some(name.to_owned()));
///     Given::Sources(Source::Text(NamedText { bytes, file }).into())
/// };
/// let plan = al::plan(manifest("a.yaml"), manifest("b.yaml"), None)?;
/// assert!(al::report(&plan, Report::Markdown).contains("| added | modified |"));
/// assert!(al::report(&plan, Report::Html).starts_with("<!doctype html>"));
/// # Ok::<(), lattice_core::Error>(())
/// ```
pub fn report(plan: &Plan, form: Report) -> String {
    Page::of(plan).write(form)
}

/// The plan that an error refused, with the refusal above it; nothing for an error without a plan.
pub fn refusal_report(error: &Error, form: Report) -> Option<String> {
    let page = Page {
        refusal: Some(error),
        ..Page::of(error.plan()?)
    };
    Some(page.write(form))
}

/// A plan with what is said about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) heading: Heading<'a>,
    /// The safety rule that refused it.
    pub(crate) refusal: Option<&'a Error>,
}

impl<'a> Page<'a> {
    fn of(plan: &'a Plan) -> Self {
        let after = plan.manifest.file.as_deref();
        let heading = match &plan.workspace {
            None => Heading::Compared("the manifest before", after.unwrap_or("the manifest after")),
            // Only a comparison tells which side moved.
            Some(workspace) if plan.drift.is_some() => {
                Heading::Compared(&workspace.name, after.unwrap_or("the manifest"))
            }
            Some(workspace) if is_rollback(plan) => Heading::RolledBack(&workspace.name, None),
            Some(workspace) if plan.applied => Heading::Imported(&workspace.name),
            Some(_) if plan.dry_run => Heading::DryRun,
            Some(_) => Heading::Refused,
        };
        Self {
            plan,
            heading,
            refusal: None,
        }
    }

    pub(crate) fn write(self, form: Report) -> String {
        match form {
            Report::Markdown => plan_markdown::markdown(self),
            Report::Html => plan_html::html(self),
        }
    }

    /// What refused the plan, as it is said.
    pub(super) fn refused_by(self) -> Option<&'a Diagnostic> {
        self.refusal.and_then(|error| error.diagnostics().next())
    }

    /// The manifest's file, or what stands for one without a name.
    pub(super) fn manifest(self) -> &'a str {
        self.plan.manifest.file.as_deref().unwrap_or("the manifest")
    }

    /// The workspace's name; empty for none.
    pub(super) fn workspace(self) -> &'a str {
        let workspace = self.plan.workspace.as_ref();
        workspace.map_or("", |workspace| &workspace.name)
    }

    /// Counts with their sign and word, in the order of reports.
    pub(super) fn counts(self) -> [(&'static str, &'static str, usize); 5] {
        let summary = self.plan.summary;
        [
            ("+", "added", summary.added),
            ("~", "modified", summary.modified),
            ("−", "deactivated", summary.deactivated),
            ("=", "unchanged", summary.unchanged),
            ("·", "untouched", summary.untouched),
        ]
    }
}

fn is_rollback(plan: &Plan) -> bool {
    let kind = plan.event.as_ref().map(|event| event.leaf.kind);
    kind == Some(Kind::Rollback)
}

/// What changed on which side, leaving out sides without a change.
pub(super) fn sides(drift: &Drift) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
    [
        ("Changed in the workspace", &drift.workspace),
        ("Changed in the manifest", &drift.manifest),
        ("Changed in both, differently", &drift.both),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
}
