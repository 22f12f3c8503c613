//! Saved plans: a plan with everything that it rests on, so that what is applied is what was reviewed.

use serde::Deserialize;

use crate::bundle::{Bundle, NamedText};
use crate::decode::excerpt;
use crate::error::{Code, Error};
use crate::guard::Guard;
use crate::hash::{Hash, hex, parse_hex, sha256};
use crate::view::{self, SavedPlanType, SavedText};
use crate::{VERSION, limits};

/// The state of a workspace that a plan starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// How many imports were committed.
    pub revision: u64,
    /// The state digest.
    pub digest: Hash,
}

/// A plan with everything that it rests on: what `al plan --out` writes and `al apply` reads.
///
/// It holds the state that it was planned on and the one that it leads to, the guard that it was reviewed under, the texts
/// of the manifest, and the plan as it was shown. Whoever applies it plans again from the texts and must come to the same
/// bytes.
///
/// The digest in its last line finds accidents: a file that was edited, cut short or mangled on its way. It is no
/// signature: whoever may write the file can write a digest that fits.
///
/// ```
/// use lattice_core::{
///     Base, Bundle, Code, Guard, Manifest, Mode, NamedText, Plan, SavedPlan, State, view,
/// };
///
/// let text = b"manifest_version: '1.0'\npolicies: []\n";
/// let manifest = Manifest::parse(text)?;
/// let digest = manifest.policies().digest();
/// let workspace = view::WorkspaceRef {
///     id: "0197a3c2-6a50-7000-8000-000000000001".to_owned(),
///     name: "staging".to_owned(),
///     org_name: "Acme".to_owned(),
/// };
/// let plan = Plan::new(&State::default(), manifest.policies(), Mode::Additive);
/// let plan = view::Plan::new(&plan, Some(workspace), view::ManifestRef::new(None, &manifest), true);
///
/// let bundle = Bundle::of(NamedText { file: None, bytes: text.to_vec() });
/// let base = Base { revision: 3, digest };
/// let saved = SavedPlan::new(base, digest, Guard::default(), bundle, plan)?;
/// assert_eq!(SavedPlan::parse(saved.text().as_bytes())?, saved);
///
/// let edited = saved.text().replace("additive", "replace");
/// let error = SavedPlan::parse(edited.as_bytes()).unwrap_err();
/// assert_eq!(error.code(), Code::InvalidPlan);
/// assert_eq!(error.message(), "the plan was changed after it was saved");
/// # Ok::<(), lattice_core::Error>(())
/// ```
//
// INVARIANT: the text is that of all the rest, and the plan is a dry run for the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    text: String,
    base: Base,
    after: Hash,
    guard: Guard,
    manifests: Vec<SavedText>,
    overlays: Vec<SavedText>,
    workspace: view::WorkspaceRef,
    plan: view::Plan,
}

/// What is looked at first: everything else depends on it.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "type")]
    form: String,
    engine: String,
}

/// What stands around the digest at the end of the text.
const BEFORE_DIGEST: &str = "  \"sha256\": \"";
const BEHIND_DIGEST: &str = "\"\n}";
const DIGEST_CHARS: usize = 64;

const SAVE_AGAIN: &str = "save it again with `al plan --out`, and review it";

impl SavedPlan {
    /// Saves the `plan` of a dry run, made from `bundle` on `base`, that leads to the state `after`.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED` where the text would be larger than [`limits::PLAN_BYTES`]; `INVALID_PLAN` for a plan without a
    /// workspace, or one that is no dry run; `INVALID_MANIFEST` for a text that is not UTF-8, which makes no manifest.
    pub fn new(
        base: Base,
        after: Hash,
        guard: Guard,
        bundle: Bundle,
        plan: view::Plan,
    ) -> Result<Self, Error> {
        let document = view::SavedPlan {
            form: SavedPlanType::V1,
            engine: VERSION.to_owned(),
            base: view::SavedBase {
                revision: base.revision,
                state: hex(&base.digest),
            },
            after: hex(&after),
            guard: view::SavedGuard {
                percent: guard.percent(),
                allowed: guard.allowed(),
            },
            manifests: save_all(bundle.manifests)?,
            overlays: save_all(bundle.overlays)?,
            plan,
            sha256: String::new(),
        };
        let text = write(&document)?;
        if text.len() > limits::PLAN_BYTES {
            let message = format!(
                "the plan takes {} bytes, too many to be read back",
                text.len()
            );
            return Err(Error::new(Code::LimitExceeded, message)
                .with_help("import the manifest without saving its plan"));
        }
        Self::of(text, document)
    }

    /// Reads a saved plan back.
    ///
    /// # Errors
    ///
    /// `INVALID_PLAN` for anything but the bytes that [`SavedPlan::text`] gave, by an engine of this very version.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > limits::PLAN_BYTES {
            let message = format!(
                "a plan of {} bytes is larger than any that is saved",
                bytes.len()
            );
            return Err(invalid(message));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| no_plan("this is not a saved plan: it is not UTF-8"))?;
        let head: Head = serde_json::from_str(text).map_err(|error| unread(&error))?;
        let form = SavedPlanType::V1.as_str();
        if head.form != form {
            let message = format!(
                "the plan is of the form `{}`, and this version of al reads `{form}`",
                excerpt(&head.form)
            );
            return Err(
                Error::new(Code::InvalidPlan, message).with_help("plan again with this version")
            );
        }
        if !is_intact(text) {
            return Err(invalid("the plan was changed after it was saved"));
        }
        if head.engine != VERSION {
            let engine = excerpt(&head.engine);
            let message = format!("the plan was saved by al {engine}, which is not this version");
            return Err(Error::new(Code::InvalidPlan, message)
                .with_help(format!("plan again with this version, or use al {engine}")));
        }
        let document: view::SavedPlan = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            invalid(format!(
                "the plan is not as al saves plans: line {line}, column {column}"
            ))
        })?;
        for saved in document.manifests.iter().chain(&document.overlays) {
            saved.check()?;
        }
        Self::of(text.to_owned(), document)
    }

    fn of(text: String, document: view::SavedPlan) -> Result<Self, Error> {
        let digest = |text: &str| {
            parse_hex(text).ok_or_else(|| {
                invalid(format!(
                    "`{}` in the plan is no state digest",
                    excerpt(text)
                ))
            })
        };
        let guard = Guard::new(Some(document.guard.percent), document.guard.allowed)
            .map_err(|error| invalid(format!("the guard of the plan is none: {error}")))?;
        let plan = document.plan;
        let shown =
            plan.dry_run && !plan.applied && plan.event.is_none() && plan.checkpoint.is_none();
        let workspace = plan.workspace.clone().filter(|_| shown);
        let workspace = workspace
            .ok_or_else(|| invalid("the plan is not a preview of what a workspace would become"))?;
        Ok(Self {
            text,
            base: Base {
                revision: document.base.revision,
                digest: digest(&document.base.state)?,
            },
            after: digest(&document.after)?,
            guard,
            manifests: document.manifests,
            overlays: document.overlays,
            workspace,
            plan,
        })
    }

    /// The text to keep: the same plan gives the same bytes. It ends in a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text to keep.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The plan as it was shown.
    pub fn view(&self) -> &view::Plan {
        &self.plan
    }

    /// The plan as it was shown.
    pub fn into_view(self) -> view::Plan {
        self.plan
    }

    /// The workspace that it is for.
    pub fn workspace(&self) -> &view::WorkspaceRef {
        &self.workspace
    }

    /// The state that it was planned on.
    pub fn base(&self) -> Base {
        self.base
    }

    /// The state digest that it leads to.
    pub fn after(&self) -> Hash {
        self.after
    }

    /// The guard that it was reviewed under.
    pub fn guard(&self) -> Guard {
        self.guard
    }

    /// The manifests, with their digests.
    pub fn manifests(&self) -> &[SavedText] {
        &self.manifests
    }

    /// The overlays, with their digests.
    pub fn overlays(&self) -> &[SavedText] {
        &self.overlays
    }

    /// The texts that the manifest was made of.
    pub fn bundle(&self) -> Bundle {
        let named = |texts: &[SavedText]| {
            let named = texts.iter().map(|saved| NamedText {
                file: saved.file.clone(),
                bytes: saved.text.clone().into_bytes(),
            });
            named.collect()
        };
        Bundle {
            manifests: named(&self.manifests),
            overlays: named(&self.overlays),
        }
    }
}

fn save_all(texts: Vec<NamedText>) -> Result<Vec<SavedText>, Error> {
    texts.into_iter().map(SavedText::try_from).collect()
}

impl TryFrom<NamedText> for SavedText {
    type Error = Error;

    fn try_from(NamedText { file, bytes }: NamedText) -> Result<Self, Error> {
        let sha256 = hex(&sha256(&bytes));
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(Code::InvalidManifest, "the manifest is not UTF-8"))?;
        Ok(SavedText { file, sha256, text })
    }
}

impl TryFrom<SavedText> for NamedText {
    type Error = Error;

    /// `INVALID_PLAN` for a text that is not the one of its digest.
    fn try_from(saved: SavedText) -> Result<Self, Error> {
        saved.check()?;
        Ok(Self {
            file: saved.file,
            bytes: saved.text.into_bytes(),
        })
    }
}

impl SavedText {
    fn check(&self) -> Result<(), Error> {
        if self.sha256 == hex(&sha256(self.text.as_bytes())) {
            return Ok(());
        }
        let name = self.file.as_deref();
        let name = name.map_or("the manifest".to_owned(), |file| {
            format!("`{}`", excerpt(file))
        });
        Err(invalid(format!(
            "the text of {name} in the plan is not the one of its digest"
        )))
    }
}

/// The text of a document, its digest filled in.
fn write(document: &view::SavedPlan) -> Result<String, Error> {
    let unwritten = || Error::new(Code::Internal, "the plan cannot be written as JSON");
    let mut text = serde_json::to_string_pretty(document).map_err(|_| unwritten())?;
    let around = [BEFORE_DIGEST, BEHIND_DIGEST].concat();
    let body = text.strip_suffix(&around).ok_or_else(unwritten)?;
    let digest = hex(&sha256(body.as_bytes()));
    text.truncate(body.len());
    text.extend([BEFORE_DIGEST, &digest, BEHIND_DIGEST, "\n"]);
    Ok(text)
}

/// Whether the digest is that of everything in front of its line, and nothing but the end stands behind it.
fn is_intact(text: &str) -> bool {
    let rest = text
        .strip_suffix('\n')
        .and_then(|text| text.strip_suffix(BEHIND_DIGEST));
    let split = rest.and_then(|rest| {
        let (rest, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST_CHARS)?)?;
        Some((rest.strip_suffix(BEFORE_DIGEST)?, digest))
    });
    split.is_some_and(|(body, digest)| digest == hex(&sha256(body.as_bytes())))
}

fn unread(error: &serde_json::Error) -> Error {
    if error.is_eof() {
        invalid("the plan ends before it is complete")
    } else if error.is_data() {
        no_plan("this is not a saved plan")
    } else {
        no_plan("this is not a saved plan: it is not JSON")
    }
}

fn no_plan(message: &str) -> Error {
    Error::new(Code::InvalidPlan, message)
        .with_help("`al plan --file FILE --out PLAN` saves one; `al import` takes a manifest")
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidPlan, message).with_help(SAVE_AGAIN)
}
