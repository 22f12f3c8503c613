//! One error for the whole product: a stable code, a message in the user's words, the place, and the fix.

use std::fmt;

use crate::source::{Place, Span};
use crate::view;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $wire:literal, $class:ident;)*) => {
        /// What went wrong. The wire strings are part of the contract and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The string that users and programs see.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $wire,)* }
            }

            /// What kind of failure this is; surfaces map it to exit codes and statuses.
            pub fn class(self) -> Class {
                match self { $(Code::$variant => Class::$class,)* }
            }
        }
    };
}

codes! {
    /// The manifest's version is unknown to this engine.
    UnsupportedManifestVersion, "UNSUPPORTED_MANIFEST_VERSION", Input;
    /// Syntax, schema, duplicates or limits of a manifest.
    InvalidManifest, "INVALID_MANIFEST", Input;
    /// A policy's conditions; always names the policy.
    PolicyCompileError, "POLICY_COMPILE_ERROR", Input;
    /// A key that is missing, malformed, unknown, revoked, of the wrong kind or of another workspace.
    InvalidServiceKey, "INVALID_SERVICE_KEY", Auth;
    /// Input to a decision.
    InvalidAction, "INVALID_ACTION", Input;
    /// The workspace changed between planning and committing.
    StateChanged, "STATE_CHANGED", Conflict;
    /// A saved plan whose workspace has moved on.
    StalePlan, "STALE_PLAN", Conflict;
    /// A saved plan that is not what was saved.
    InvalidPlan, "INVALID_PLAN", Input;
    /// A saved plan of another workspace.
    WorkspaceMismatch, "WORKSPACE_MISMATCH", Conflict;
    /// More deactivations than the guard lets through.
    DeactivationLimit, "DEACTIVATION_LIMIT", Safety;
    /// A change that loosens decisions where that was refused.
    LooseningRefused, "LOOSENING_REFUSED", Safety;
    /// The audit log does not verify or does not extend the pin.
    AuditTampered, "AUDIT_TAMPERED", Conflict;
    /// A checkpoint of an audit log, or a proof about one, that is not one or not signed as it has to be.
    InvalidCheckpoint, "INVALID_CHECKPOINT", Input;
    /// A key that signs or verifies checkpoints, and is malformed or of another log.
    InvalidAuditKey, "INVALID_AUDIT_KEY", Input;
    /// The store is missing, locked, unreadable, of another version or corrupt.
    StoreUnavailable, "STORE_UNAVAILABLE", Unavailable;
    /// A file or stream could not be read or written.
    IoError, "IO_ERROR", Unavailable;
    /// A documented limit outside manifests, conditions and actions.
    LimitExceeded, "LIMIT_EXCEEDED", Input;
    /// The command line itself.
    Usage, "USAGE", Usage;
    /// A fault of this program.
    Internal, "INTERNAL", Internal;
}

/// The classes of [`Code`]. Exhaustive on purpose: a surface that maps them must map all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What was given is wrong.
    Input,
    /// The key does not open what was asked for.
    Auth,
    /// The world moved, or belongs to someone else.
    Conflict,
    /// Refused by a safety rule.
    Safety,
    /// Something outside could not be reached or used.
    Unavailable,
    /// The command line is wrong.
    Usage,
    /// A fault of this program.
    Internal,
}

/// A finding that does not refuse anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// An allow-list without patterns admits nothing.
    EmptyAllowList,
    /// A rule whose outcome an agent can change by leaving a field out.
    PresenceTest,
}

impl Lint {
    /// Every lint.
    pub const ALL: &'static [Lint] = &[Lint::EmptyAllowList, Lint::PresenceTest];

    /// The string that users and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Lint::EmptyAllowList => "EMPTY_ALLOW_LIST",
            Lint::PresenceTest => "PRESENCE_TEST",
        }
    }
}

/// Whether a finding refuses its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It does.
    Error(Code),
    /// It does not.
    Warning(Lint),
}

impl Kind {
    /// The code of the error or the warning.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Error(code) => code.as_str(),
            Kind::Warning(lint) => lint.as_str(),
        }
    }
}

/// One finding: what, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning, and which.
    pub kind: Kind,
    /// What is wrong: lower case, no final period, user input in backticks.
    pub message: String,
    /// The policy concerned.
    pub policy: Option<String>,
    /// The file concerned, as the caller named it.
    pub file: Option<String>,
    /// Where in that file.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it, such as the first of two duplicates.
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What stands there.
    pub message: String,
    /// The file, as the caller named it.
    pub file: Option<String>,
    /// Where in that file.
    pub place: Option<Place>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Kind::Error(code), message)
    }

    /// A warning without a place.
    pub fn warning(lint: Lint, message: impl Into<String>) -> Self {
        Self::new(Kind::Warning(lint), message)
    }

    /// What a document says; of a place the line and the column, as the text is elsewhere.
    fn from_view(view: view::Error) -> Option<Self> {
        let code = Code::ALL.iter().find(|code| code.as_str() == view.code)?;
        let place = |line: Option<_>, column: Option<_>| {
            let (line, column) = line.zip(column)?;
            let span = Span::default();
            Some(Place { span, line, column })
        };
        let related = view.related.into_iter().map(|related| Related {
            place: place(related.line, related.column),
            message: related.message,
            file: related.file,
        });
        Some(Self {
            policy: view.policy,
            file: view.file,
            place: place(view.line, view.column),
            help: view.help,
            related: related.collect(),
            ..Self::error(*code, view.message)
        })
    }

    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            policy: None,
            file: None,
            place: None,
            help: None,
            related: Vec::new(),
        }
    }

    /// The offset by which findings are ordered.
    pub(crate) fn offset(&self) -> usize {
        self.place.map_or(0, |place| place.span.start)
    }
}

/// Why an operation failed: one or more [`Diagnostic`]s in file order, the first being the primary one.
///
/// ```
/// use lattice_core::{Code, Error};
///
/// let error = Error::new(Code::Usage, "unknown format `toml`").with_help("use text, json or markdown");
/// assert_eq!(error.code(), Code::Usage);
/// assert_eq!(error.to_string(), "unknown format `toml`");
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    first: Diagnostic,
    rest: Vec<Diagnostic>,
    plan: Option<Box<view::Plan>>,
}

impl Error {
    /// An error with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            first: Diagnostic::error(code, message),
            rest: Vec::new(),
            plan: None,
        }))
    }

    /// All findings of a run as one error; `None` if there is no error among them. Warnings are left out.
    pub fn from_diagnostics(diagnostics: impl IntoIterator<Item = Diagnostic>) -> Option<Self> {
        let mut errors = diagnostics
            .into_iter()
            .filter_map(|diagnostic| match diagnostic.kind {
                Kind::Error(code) => Some((code, diagnostic)),
                Kind::Warning(_) => None,
            });
        let (code, first) = errors.next()?;
        let rest = errors.map(|(_, diagnostic)| diagnostic).collect();
        Some(Self(Box::new(Inner {
            code,
            first,
            rest,
            plan: None,
        })))
    }

    /// Both values, or the errors of both in one run.
    ///
    /// # Errors
    ///
    /// The first error; that of `b` among its related ones where `a` has one too.
    pub fn both<A, B>(a: Result<A, Self>, b: Result<B, Self>) -> Result<(A, B), Self> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            (Err(mut first), Err(second)) => {
                first.0.rest.extend(second.into_diagnostics());
                Err(first)
            }
        }
    }

    /// The error that a document tells of; `None` if its code is not one that this engine knows.
    pub fn from_document(document: view::ErrorDocument) -> Option<Self> {
        let mut primary = document.error;
        let (related, plan) = (std::mem::take(&mut primary.related), primary.plan.take());
        let diagnostics = std::iter::once(primary).chain(related);
        let diagnostics: Option<Vec<_>> = diagnostics.map(Diagnostic::from_view).collect();
        let error = Self::from_diagnostics(diagnostics?)?;
        Some(match plan {
            Some(plan) => error.with_plan(*plan),
            None => error,
        })
    }

    /// What to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.first.help = Some(help.into());
        self
    }

    /// Where in its text the error stands.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.0.first.place = Some(place);
        self
    }

    /// The plan that was refused.
    #[must_use]
    pub fn with_plan(mut self, plan: view::Plan) -> Self {
        self.0.plan = Some(Box::new(plan));
        self
    }

    /// Names the policy wherever none is named yet.
    #[must_use]
    pub fn in_policy(mut self, name: &str) -> Self {
        for diagnostic in self.all_mut() {
            diagnostic.policy.get_or_insert_with(|| name.to_owned());
        }
        self
    }

    /// Names the file wherever none is named yet.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        for diagnostic in self.all_mut() {
            diagnostic.set_file(file);
        }
        self
    }

    /// The code of the primary error.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The plan that was refused, where one was.
    pub fn plan(&self) -> Option<&view::Plan> {
        self.0.plan.as_deref()
    }

    /// The primary error's message.
    pub fn message(&self) -> &str {
        &self.0.first.message
    }

    /// Every error of the run, the primary one first.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        std::iter::once(&self.0.first).chain(&self.0.rest)
    }

    /// Every error of the run, the primary one first.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut all = vec![self.0.first];
        all.extend(self.0.rest);
        all
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        std::iter::once(&mut self.0.first).chain(&mut self.0.rest)
    }
}

impl Diagnostic {
    /// Names the file here and at related places, wherever none is named yet.
    pub fn set_file(&mut self, file: &str) {
        self.file.get_or_insert_with(|| file.to_owned());
        for related in &mut self.related {
            related.file.get_or_insert_with(|| file.to_owned());
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}
