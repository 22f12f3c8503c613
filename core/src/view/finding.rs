//! Errors and warnings, and what `al validate` found.

use std::num::NonZero;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::bundle::Bundle;
use crate::error::{self, Kind};
use crate::hash::{hex, sha256};
use crate::parallel::ONE;

/// Where an error or a warning stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// The code, from the table of codes.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The policy concerned.
    pub policy: Option<String>,
    /// The file concerned, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1, in Unicode scalar values.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// The plan that was refused.
    pub plan: Option<Box<Plan>>,
    /// Places that belong to the error, then the other errors of the run.
    pub related: Vec<Error>,
}

/// The document of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDocument {
    /// The first error in file order.
    pub error: Error,
}

impl From<&error::Error> for ErrorDocument {
    fn from(error: &error::Error) -> Self {
        let mut all = error.diagnostics().map(Error::from);
        let mut primary = all.next().unwrap_or_else(Error::nothing);
        primary.related.extend(all);
        primary.plan = error.plan().cloned().map(Box::new);
        Self { error: primary }
    }
}

impl Error {
    fn nothing() -> Self {
        Self {
            code: error::Code::Internal.as_str().to_owned(),
            message: String::new(),
            policy: None,
            file: None,
            line: None,
            column: None,
            help: None,
            plan: None,
            related: Vec::new(),
        }
    }
}

impl From<&error::Diagnostic> for Error {
    fn from(diagnostic: &error::Diagnostic) -> Self {
        let code = diagnostic.kind.as_str();
        let related = diagnostic.related.iter().map(|related| Self {
            code: code.to_owned(),
            message: related.message.clone(),
            policy: diagnostic.policy.clone(),
            file: related.file.clone(),
            line: related.place.map(|place| place.line),
            column: related.place.map(|place| place.column),
            ..Self::nothing()
        });
        Self {
            code: code.to_owned(),
            message: diagnostic.message.clone(),
            policy: diagnostic.policy.clone(),
            file: diagnostic.file.clone(),
            line: diagnostic.place.map(|place| place.line),
            column: diagnostic.place.map(|place| place.column),
            help: diagnostic.help.clone(),
            plan: None,
            related: related.collect(),
        }
    }
}

/// `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Validation {
    /// Whether every file is valid.
    pub valid: bool,
    /// Every file that was named, in that order.
    pub files: Vec<ValidatedFile>,
    /// Errors and warnings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// One file of `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValidatedFile {
    /// The file, as it was named.
    pub file: String,
    /// Whether it has no error.
    pub valid: bool,
    /// Its manifest version, where that could be read.
    pub manifest_version: Option<String>,
    /// How many policies it holds; null if it is not valid.
    pub policies: Option<usize>,
    /// SHA-256 of its bytes; null if it could not be read.
    pub sha256: Option<String>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It refuses the file.
    Error,
    /// It does not.
    Warning,
}

/// A finding of `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The policy concerned.
    pub policy: Option<String>,
    /// The file concerned, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1, in Unicode scalar values.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// What stands there.
    pub message: String,
    /// The file, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
}

impl From<&error::Diagnostic> for Diagnostic {
    fn from(diagnostic: &error::Diagnostic) -> Self {
        Self {
            severity: match diagnostic.kind {
                Kind::Error(_) => Severity::Error,
                Kind::Warning(_) => Severity::Warning,
            },
            code: diagnostic.kind.as_str().to_owned(),
            message: diagnostic.message.clone(),
            policy: diagnostic.policy.clone(),
            file: diagnostic.file.clone(),
            line: diagnostic.place.map(|place| place.line),
            column: diagnostic.place.map(|place| place.column),
            help: diagnostic.help.clone(),
            related: diagnostic
                .related
                .iter()
                .map(|related| Related {
                    message: related.message.clone(),
                    file: related.file.clone(),
                    line: related.place.map(|place| place.line),
                    column: related.place.map(|place| place.column),
                })
                .collect(),
        }
    }
}

impl Default for Validation {
    /// No files yet, and so nothing that is not valid.
    fn default() -> Self {
        Self {
            valid: true,
            files: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

impl Validation {
    /// Records why a file could not be read. Returns what was found, with the spans that the document leaves out.
    pub fn unread(&mut self, file: &str, error: error::Error) -> Vec<error::Diagnostic> {
        let mut found = error.into_diagnostics();
        for diagnostic in &mut found {
            diagnostic.set_file(file);
        }
        // Of a folder it may be one file that could not be read.
        let named = found.first().and_then(|first| first.file.clone());
        self.record(named.as_deref().unwrap_or(file), None, None, None, &found);
        found
    }

    /// Checks the texts of a bundle, each of which becomes a file of the document: of an overlay, its version and how many
    /// policies it changes. A text without a name is called `unnamed`. Returns what was found, as [`Validation::unread`].
    pub fn add(&mut self, bundle: &Bundle, unnamed: &str) -> Vec<error::Diagnostic> {
        self.add_on(ONE, bundle, unnamed)
    }

    /// [`Validation::add`] by so many threads at most, as for [`Manifest::parse_on`](crate::Manifest::parse_on).
    pub fn add_on(
        &mut self,
        threads: NonZero<usize>,
        bundle: &Bundle,
        unnamed: &str,
    ) -> Vec<error::Diagnostic> {
        let texts = bundle.manifests.iter().chain(&bundle.overlays);
        let mut all = Vec::new();
        for (text, found) in texts.zip(bundle.check_on(threads).texts) {
            let file = text.file.as_deref().unwrap_or(unnamed);
            let policies = found.valid().then_some(found.policies);
            let mut diagnostics = found.diagnostics;
            for diagnostic in &mut diagnostics {
                diagnostic.set_file(file);
            }
            let sha256 = Some(hex(&sha256(&text.bytes)));
            self.record(file, found.version, policies, sha256, &diagnostics);
            all.extend(diagnostics);
        }
        all
    }

    /// Adds a file, which is valid if its policies were counted.
    fn record(
        &mut self,
        file: &str,
        manifest_version: Option<String>,
        policies: Option<usize>,
        sha256: Option<String>,
        found: &[error::Diagnostic],
    ) {
        let valid = policies.is_some();
        self.valid &= valid;
        self.files.push(ValidatedFile {
            file: file.to_owned(),
            valid,
            manifest_version,
            policies,
            sha256,
        });
        self.diagnostics.extend(found.iter().map(Diagnostic::from));
    }
}
