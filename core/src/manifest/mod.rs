//! The manifest: the document that carries policies from one workspace to another.

mod names;
mod parts;
mod places;
mod reading;

use std::num::NonZero;

use jiff::Timestamp;

use crate::breaker::Breaker;
use crate::error::{Code, Diagnostic, Error, Kind};
use crate::hash::{Hash, sha256};
use crate::limits;
use crate::parallel::ONE;
use crate::policy::PolicySet;
use crate::time::{exact_time, format_time};
use crate::version;
use crate::write;

pub(crate) use places::{places_of_breakers, places_of_policies};
pub(crate) use reading::{sink, text_of, unsupported, valid, value_before};

/// The keys of a manifest, in the order in which they are written.
pub(crate) const FIELDS: [&str; 5] = [
    "manifest_version",
    "exported_at",
    "org_name",
    "policies",
    "circuit_breakers_info",
];

/// A manifest that was read, checked and compiled.
///
/// ```
/// use lattice_core::Manifest;
///
/// let text = "manifest_version: '1.0'\npolicies: []\n";
/// let manifest = Manifest::parse(text.as_bytes())?;
/// assert!(manifest.policies().is_empty());
///
/// let error = Manifest::parse(b"manifest_version: '2.0'\n").unwrap_err();
/// assert_eq!(error.code().as_str(), "UNSUPPORTED_MANIFEST_VERSION");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Manifest {
    exported_at: Option<Timestamp>,
    org_name: Option<String>,
    policies: PolicySet,
    breakers: Vec<Breaker>,
    sha256: Hash,
    rendered_sha256: Option<Hash>,
    overlays: Vec<Option<String>>,
}

/// Everything that reading a manifest found.
#[derive(Debug)]
pub struct Validation {
    /// The version it says, where that could be read.
    pub version: Option<String>,
    /// The manifest, if there is no error.
    pub manifest: Option<Manifest>,
    /// Errors and warnings, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Validation {
    /// The manifest.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::parse`].
    pub fn into_manifest(self) -> Result<Manifest, Error> {
        self.manifest.ok_or_else(|| {
            // INVARIANT: where there is no manifest, an error says why.
            Error::from_diagnostics(self.diagnostics)
                .unwrap_or_else(|| Error::new(Code::Internal, "the manifest could not be read"))
        })
    }

    /// What is not wrong, but worth a look.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        let warnings = |d: &&Diagnostic| matches!(d.kind, Kind::Warning(_));
        self.diagnostics.iter().filter(warnings)
    }
}

impl Manifest {
    /// Reads the bytes of a manifest.
    ///
    /// # Errors
    ///
    /// `UNSUPPORTED_MANIFEST_VERSION` alone, or every `INVALID_MANIFEST` and `POLICY_COMPILE_ERROR` up to and
    /// including the first syntax error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        validate(bytes).into_manifest()
    }

    /// [`Manifest::parse`] by so many threads at most, which share the policies of a large manifest. The result is the
    /// same, whatever their number.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::parse`].
    pub fn parse_on(threads: NonZero<usize>, bytes: &[u8]) -> Result<Self, Error> {
        validate_on(threads, bytes).into_manifest()
    }

    /// Its version.
    pub fn version(&self) -> &'static str {
        version::VERSION
    }

    /// When it was exported.
    pub fn exported_at(&self) -> Option<Timestamp> {
        self.exported_at
    }

    /// The organisation it came from: information, never identity.
    pub fn org_name(&self) -> Option<&str> {
        self.org_name.as_deref()
    }

    /// Its policies.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Its circuit breakers, for reference.
    pub fn breakers(&self) -> &[Breaker] {
        &self.breakers
    }

    /// SHA-256 of the bytes as read, as `sha256sum` prints it; of several manifests that were merged, of
    /// [`Manifest::to_text`] before any overlay.
    pub fn sha256(&self) -> Hash {
        self.sha256
    }

    /// SHA-256 of the manifest after overlays; `None` where there are none.
    pub fn rendered_sha256(&self) -> Option<Hash> {
        self.rendered_sha256
    }

    /// Writes an export: the same arguments give the same bytes.
    pub fn write(
        org_name: &str,
        exported_at: Timestamp,
        policies: &PolicySet,
        breakers: &[Breaker],
    ) -> String {
        let exported_at = format_time(exported_at);
        write::manifest(Some(org_name), Some(&exported_at), policies, breakers)
    }

    /// The manifest as an export writes it; time and organisation only where it says them. It reads as what it is,
    /// however it was written or put together.
    pub fn to_text(&self) -> String {
        let exported_at = self.exported_at.map(exact_time);
        let org_name = self.org_name.as_deref();
        write::manifest(
            org_name,
            exported_at.as_deref(),
            &self.policies,
            &self.breakers,
        )
    }

    /// A manifest that was put together; what it is known by is its own text.
    ///
    /// # Errors
    ///
    /// `INVALID_MANIFEST` where it is larger than one may be.
    pub(crate) fn merged(
        exported_at: Option<Timestamp>,
        org_name: Option<String>,
        policies: PolicySet,
        breakers: Vec<Breaker>,
    ) -> Result<Self, Error> {
        let mut merged = Self {
            exported_at,
            org_name,
            policies,
            breakers,
            sha256: Hash::default(),
            rendered_sha256: None,
            overlays: Vec::new(),
        };
        merged.sha256 = merged.digest()?;
        Ok(merged)
    }

    /// The files of the overlays that changed it, in their order; `None` for a text without a name.
    pub fn overlays(&self) -> &[Option<String>] {
        &self.overlays
    }

    /// The manifest after overlays, from files of those names, that left these policies.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::merged`].
    pub(crate) fn rendered(
        self,
        overlays: Vec<Option<String>>,
        policies: PolicySet,
    ) -> Result<Self, Error> {
        let mut rendered = Self {
            policies,
            overlays,
            ..self
        };
        rendered.rendered_sha256 = Some(rendered.digest()?);
        Ok(rendered)
    }

    /// SHA-256 of the text that it is written as, if that can be read again.
    fn digest(&self) -> Result<Hash, Error> {
        let text = self.to_text();
        let rows = [
            (text.len(), limits::MANIFEST_BYTES, "bytes"),
            (self.policies.len(), limits::POLICIES, "policies"),
        ];
        for (found, limit, what) in rows {
            if found > limit {
                let message = format!("the manifest comes to {found} {what}, more than {limit}");
                let error = Error::new(Code::InvalidManifest, message);
                return Err(error.with_help("put less into one manifest"));
            }
        }
        Ok(sha256(text.as_bytes()))
    }

    /// What reading the manifest that [`Manifest::write`] writes would give, without the reading.
    pub fn exported(
        org_name: &str,
        exported_at: Timestamp,
        policies: &PolicySet,
        breakers: &[Breaker],
    ) -> Self {
        let mut exported = Self {
            // As it is written: to the millisecond.
            exported_at: format_time(exported_at).parse().ok(),
            org_name: Some(org_name.to_owned()),
            policies: policies.clone(),
            breakers: breakers.to_vec(),
            sha256: Hash::default(),
            rendered_sha256: None,
            overlays: Vec::new(),
        };
        exported.sha256 = sha256(exported.to_text().as_bytes());
        exported
    }

    /// Whether `old` and `new` are exports of the same content: equal bytes, the time of export apart.
    pub fn same_but_time(old: &[u8], new: &str) -> bool {
        let old = std::str::from_utf8(old).ok().and_then(around_time);
        old.is_some() && old == around_time(new)
    }
}

/// What stands before and behind the time in the bytes of an export; `None` if there is none, or not a time.
fn around_time(export: &str) -> Option<(&str, &str)> {
    const KEY: &str = "\nexported_at: '";
    let (before, rest) = export.split_once(KEY)?;
    let (time, after) = rest.split_once('\'')?;
    time.parse::<Timestamp>().ok()?;
    Some((before, after))
}

/// Reads the bytes of a manifest and keeps everything that was found, warnings included.
pub fn validate(bytes: &[u8]) -> Validation {
    validate_on(ONE, bytes)
}

/// [`validate`] by so many threads at most, as for [`Manifest::parse_on`].
pub fn validate_on(threads: NonZero<usize>, bytes: &[u8]) -> Validation {
    reading::read(threads, bytes)
}
