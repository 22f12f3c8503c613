//! What programs in other languages give where the commands take a file.

use std::path::PathBuf;
use std::sync::Arc;

use lattice_core::audit::Checkpoint;
use lattice_core::{Bundle, Conditions, Error, Manifest, Mode, NamedText, SavedPlan, view};
use lattice_workspace::{Kept, threads};

use crate::file::{Input, Limit, MANIFEST, read};
use crate::texts::read_all;

/// How a document names a text that has no name, as the commands name standard input.
pub(crate) const UNNAMED: &str = "-";

/// A text, or the file to read it from.
#[derive(Debug)]
pub enum Source {
    /// The text.
    Text(NamedText),
    /// The file; of manifests also a folder.
    File(PathBuf),
}

impl Source {
    /// The text, read from the file if it must be.
    ///
    /// # Errors
    ///
    /// `IO_ERROR`, or that of the limit for a file that is larger.
    pub fn read(self, limit: Limit) -> Result<NamedText, Error> {
        match self {
            Source::Text(text) => Ok(text),
            Source::File(path) => read(&path, limit).map(Input::into_text),
        }
    }

    /// What documents call it.
    fn name(&self) -> Option<String> {
        match self {
            Source::Text(text) => text.file.clone(),
            Source::File(path) => Some(path.display().to_string()),
        }
    }

    /// The texts of a manifest: one, or those of a folder.
    fn manifests(self) -> Result<Vec<NamedText>, Error> {
        match self {
            Source::Text(text) => Ok(vec![text]),
            Source::File(path) => read_all(&path, |path| read(path, MANIFEST)),
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

    /// A checkpoint that was kept.
    pub(crate) fn checkpoint(self) -> Result<Kept, Error> {
        let text = self.read(Limit::CHECKPOINT)?;
        let checkpoint = Checkpoint::parse(&text.bytes).map_err(|error| text.blame(error))?;
        Ok(Kept {
            file: text.file,
            checkpoint,
        })
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
}

/// A manifest, and what changes it.
#[derive(Debug)]
pub struct Sources {
    /// The manifest.
    pub manifest: Source,
    /// Overlays, in their order.
    pub overlays: Vec<Source>,
}

impl From<Source> for Sources {
    fn from(manifest: Source) -> Self {
        Self {
            manifest,
            overlays: Vec::new(),
        }
    }
}

impl Sources {
    /// What documents call it.
    pub(crate) fn name(&self) -> Option<String> {
        self.manifest.name()
    }

    pub(crate) fn read(self) -> Result<Bundle, Error> {
        let overlays = self
            .overlays
            .into_iter()
            .map(|source| source.read(MANIFEST));
        Ok(Bundle {
            manifests: self.manifest.manifests()?,
            overlays: overlays.collect::<Result<_, _>>()?,
        })
    }

    /// Every error and warning, in the order of the texts.
    ///
    /// # Errors
    ///
    /// Those of reading files, and no other.
    pub fn diagnostics(self) -> Result<Vec<view::Diagnostic>, Error> {
        let checked = self.read()?.check_on(threads());
        let found = checked.texts.iter().flat_map(|text| &text.diagnostics);
        Ok(found.map(view::Diagnostic::from).collect())
    }

    /// The document of `al validate`, which also says why a file could not be read.
    pub fn validation(self) -> view::Validation {
        let name = self.name();
        let mut report = view::Validation::default();
        match self.read() {
            Ok(bundle) => report.add_on(threads(), &bundle, UNNAMED),
            Err(error) => report.unread(name.as_deref().unwrap_or(UNNAMED), error),
        };
        report
    }
}

/// A manifest that was read.
#[derive(Debug)]
pub struct Named {
    /// The manifest.
    pub manifest: Manifest,
    /// Its file or folder, as it was named.
    pub file: Option<String>,
    /// What it was made of: a server takes nothing else.
    pub texts: Bundle,
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
    /// Its texts.
    Sources(Sources),
}

impl Given {
    /// The manifest: read, checked and compiled, unless it was before.
    ///
    /// # Errors
    ///
    /// Every error of the texts.
    pub fn manifest(self) -> Result<Arc<Named>, Error> {
        let sources = match self {
            Given::Manifest(named) => return Ok(named),
            Given::Sources(sources) => sources,
        };
        let file = sources.name();
        let texts = sources.read()?;
        let manifest = texts.manifest_on(threads())?;
        Ok(Arc::new(Named {
            manifest,
            file,
            texts,
        }))
    }
}

/// What turns the policies of `current` into those of `desired`, offline.
///
/// ```
/// use al::{Given, Source};
/// use lattice_core::NamedText;
///
/// let text = |name: &str, text: &str| {
///     let (bytes, file) = (text.into(), Some(name.to_owned()));
///     Given::Sources(Source::Text(NamedText { bytes, file }).into())
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
/// use al::Source;
/// use lattice_core::NamedText;
///
/// let text = NamedText { bytes: b"{}".to_vec(), file: Some("plan.json".to_owned()) };
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
