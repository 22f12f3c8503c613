//! What programs in other languages give where the commands take a file.

use std::path::PathBuf;
use std::sync::Arc;

use lattice_core::{Conditions, Error, Manifest, Mode, SavedPlan, validate_on, view};
use lattice_workspace::threads;

use crate::file::{Limit, read};

/// How a document names a text that has no name, as the commands name standard input.
const UNNAMED: &str = "-";

/// A text that was read.
#[derive(Debug)]
pub struct Text {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What errors call it: its file, as it was named.
    pub file: Option<String>,
}

impl Text {
    /// Names the file in an error.
    pub fn blame(&self, error: Error) -> Error {
        match &self.file {
            Some(file) => error.in_file(file),
            None => error,
        }
    }
}

/// A text, or the file to read it from.
#[derive(Debug)]
pub enum Source {
    /// The text.
    Text(Text),
    /// The file.
    File(PathBuf),
}

impl Source {
    /// The text, read from the file if it must be.
    ///
    /// # Errors
    ///
    /// `IO_ERROR`, or that of the limit for a file that is larger.
    pub fn read(self, limit: Limit) -> Result<Text, Error> {
        match self {
            Source::Text(text) => Ok(text),
            Source::File(path) => read(&path, limit).map(|input| Text {
                bytes: input.bytes,
                file: Some(input.name),
            }),
        }
    }

    /// The canonical text of a manifest, as `al fmt` writes it.
    ///
    /// # Errors
    ///
    /// Every error of the text.
    pub fn format(self) -> Result<String, Error> {
        let text = self.read(Limit::MANIFEST)?;
        lattice_core::format(&text.bytes).map_err(|error| text.blame(error))
    }

    /// Compiles a conditions document.
    ///
    /// # Errors
    ///
    /// Every error of the text.
    pub fn conditions(self) -> Result<Conditions, Error> {
        let text = self.read(Limit::CONDITIONS)?;
        Conditions::from_bytes(&text.bytes).map_err(|error| text.blame(error))
    }

    /// Every error and warning of a manifest, in the order of the text.
    ///
    /// # Errors
    ///
    /// Those of [`Source::read`], and no other.
    pub fn diagnostics(self) -> Result<Vec<view::Diagnostic>, Error> {
        let text = self.read(Limit::MANIFEST)?;
        let mut found = validate_on(threads(), &text.bytes).diagnostics;
        for diagnostic in &mut found {
            if let Some(file) = &text.file {
                diagnostic.set_file(file);
            }
        }
        Ok(found.iter().map(view::Diagnostic::from).collect())
    }

    /// The document of `al validate`, which also says why a file could not be read.
    pub fn validation(self) -> view::Validation {
        let path = match &self {
            Source::Text(_) => None,
            Source::File(path) => Some(path.display().to_string()),
        };
        let mut report = view::Validation::default();
        match self.read(Limit::MANIFEST) {
            Ok(text) => {
                let file = text.file.as_deref().unwrap_or(UNNAMED);
                report.add_on(threads(), file, Ok(&text.bytes))
            }
            Err(error) => report.add(path.as_deref().unwrap_or(UNNAMED), Err(error)),
        };
        report
    }
}

/// A manifest that was read.
#[derive(Debug)]
pub struct Named {
    /// The manifest.
    pub manifest: Manifest,
    /// Its file, as it was named.
    pub file: Option<String>,
}

impl Named {
    /// The document of the manifest.
    pub fn view(&self) -> view::Manifest {
        view::Manifest::new(self.file.as_deref(), &self.manifest)
    }
}

/// What stands where a manifest is wanted.
#[derive(Debug)]
pub enum Given {
    /// One that was read.
    Manifest(Arc<Named>),
    /// Its text.
    Source(Source),
}

impl Given {
    /// The manifest: read, checked and compiled, unless it was before.
    ///
    /// # Errors
    ///
    /// Every error of the text.
    pub fn manifest(self) -> Result<Arc<Named>, Error> {
        let source = match self {
            Given::Manifest(named) => return Ok(named),
            Given::Source(source) => source,
        };
        let text = source.read(Limit::MANIFEST)?;
        let manifest =
            Manifest::parse_on(threads(), &text.bytes).map_err(|error| text.blame(error))?;
        let file = text.file;
        Ok(Arc::new(Named { manifest, file }))
    }
}

/// What turns the policies of `current` into those of `desired`, offline.
///
/// ```
/// use al::{Given, Source, Text};
///
/// let text = |name: &str, text: &str| {
///     let (bytes, file) = (text.into(), Some(name.to_owned()));
///     Given::Source(Source::Text(Text { bytes, file }))
/// };
/// let error = al::plan(text("a.yaml", "policies: []"), text("b.yaml", "policies: []"), None).unwrap_err();
/// let files = error.diagnostics().map(|diagnostic| diagnostic.file.as_deref());
/// assert!(files.eq([Some("a.yaml"), Some("b.yaml")]));
/// ```
///
/// # Errors
///
/// Every error of both texts.
pub fn plan(current: Given, desired: Given, replace: Option<bool>) -> Result<view::Plan, Error> {
    let (current, desired) = Error::both(current.manifest(), desired.manifest())?;
    let file = desired.file.as_deref();
    let (current, desired) = (&current.manifest, &desired.manifest);
    Ok(view::Plan::between(current, desired, file, mode(replace)))
}

/// The plan that was saved, as it was shown.
///
/// ```
/// use al::{Source, Text};
///
/// let text = Text { bytes: b"{}".to_vec(), file: Some("plan.json".to_owned()) };
/// let error = al::show(Source::Text(text)).unwrap_err();
/// assert_eq!(error.code().as_str(), "INVALID_PLAN");
/// ```
///
/// # Errors
///
/// `INVALID_PLAN` for anything but the bytes that `al plan --out` wrote.
pub fn show(source: Source) -> Result<view::Plan, Error> {
    let text = source.read(Limit::PLAN)?;
    let saved = SavedPlan::parse(&text.bytes).map_err(|error| text.blame(error))?;
    Ok(saved.into_view())
}

/// The mode that is asked for, else the engine's own.
pub(crate) fn mode(replace: Option<bool>) -> Mode {
    replace.map(Mode::replacing).unwrap_or_default()
}
