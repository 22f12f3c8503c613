//! The engine and the command line for Node.
//!
//! Every function converts, calls and converts. Documents cross as JSON text; `index.js` is what programs see.
#![deny(missing_docs)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "what comes from JavaScript is given away"
)]

pub mod cli;
pub mod input;
pub mod outcome;
pub mod workspace;

use std::sync::Arc;

use al::Limit;
use lattice_core::view::{self, Evaluation, Mode};
use lattice_core::{Action, Error};
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Uint8Array};
use napi_derive::napi;

use crate::input::{Named, Source, Text, Wanted};
use crate::outcome::{Job, json, later, now};

/// How deep an action may nest; what lies deeper need not be written out to be refused.
#[napi]
#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
pub const ACTION_NESTING: u32 = lattice_core::limits::ACTION_NESTING as u32;

/// A manifest that was read.
#[napi]
#[derive(Debug)]
pub struct Manifest(Arc<Named>);

type ManifestOrSource<'a> = Either<ClassInstance<'a, Manifest>, Source>;

impl From<ManifestOrSource<'_>> for Wanted {
    fn from(given: ManifestOrSource<'_>) -> Self {
        match given {
            Either::A(manifest) => Wanted::Manifest(Arc::clone(&manifest.0)),
            Either::B(source) => Wanted::Text(source.into()),
        }
    }
}

#[napi]
impl Manifest {
    /// Reads a manifest.
    #[napi]
    pub fn parse(source: Source) -> AsyncTask<Job<Manifest>> {
        let text = Text::from(source);
        later(|| text.manifest().map(Arc::new).map(Manifest))
    }

    /// Reads a manifest, here.
    #[napi]
    pub fn parse_sync(source: Source) -> napi::Result<Manifest> {
        now(|| Text::from(source).manifest().map(Arc::new).map(Manifest))
    }

    /// The document of the manifest.
    #[napi]
    pub fn document(&self) -> napi::Result<String> {
        now(|| {
            json(&view::Manifest::new(
                self.0.file.as_deref(),
                &self.0.manifest,
            ))
        })
    }
}

fn validated(text: Text) -> Result<String, Error> {
    json(&text.validation())
}

/// Checks a manifest.
#[napi]
pub fn validate(source: Source) -> AsyncTask<Job<String>> {
    let text = Text::from(source);
    later(|| validated(text))
}

/// Checks a manifest, here.
#[napi]
pub fn validate_sync(source: Source) -> napi::Result<String> {
    now(|| validated(source.into()))
}

fn formatted(text: Text) -> Result<String, Error> {
    Ok(text.with(Limit::MANIFEST, lattice_core::format)?.0)
}

/// The canonical text of a manifest.
#[napi]
pub fn format_manifest(source: Source) -> AsyncTask<Job<String>> {
    let text = Text::from(source);
    later(|| formatted(text))
}

/// The canonical text of a manifest, here.
#[napi]
pub fn format_manifest_sync(source: Source) -> napi::Result<String> {
    now(|| formatted(source.into()))
}

pub(crate) fn mode(replace: Option<bool>) -> Mode {
    replace.map(Mode::replacing).unwrap_or_default()
}

fn planned(current: Wanted, desired: Wanted, replace: Option<bool>) -> Result<String, Error> {
    let (current, desired) = (current.manifest()?, desired.manifest()?);
    let file = desired.file.as_deref();
    let plan = view::Plan::between(&current.manifest, &desired.manifest, file, mode(replace));
    json(&plan)
}

/// What turns the policies of one manifest into those of another.
#[napi]
pub fn plan(
    current: ManifestOrSource<'_>,
    desired: ManifestOrSource<'_>,
    replace: Option<bool>,
) -> AsyncTask<Job<String>> {
    let (current, desired) = (Wanted::from(current), Wanted::from(desired));
    later(move || planned(current, desired, replace))
}

/// What turns the policies of one manifest into those of another, here.
#[napi]
pub fn plan_sync(
    current: ManifestOrSource<'_>,
    desired: ManifestOrSource<'_>,
    replace: Option<bool>,
) -> napi::Result<String> {
    now(|| planned(current.into(), desired.into(), replace))
}

/// A JSON Schema.
#[napi]
pub fn schema(name: Option<String>) -> napi::Result<String> {
    now(|| json(&lattice_core::schema::find(name.as_deref())?))
}

/// JSON text, or its bytes.
type Json = Either<String, Uint8Array>;

fn action(json: &Json) -> Result<Action, Error> {
    match json {
        Either::A(text) => Action::parse(text.as_bytes()),
        Either::B(bytes) => Action::parse(bytes),
    }
}

/// Compiled conditions.
#[napi]
#[derive(Debug)]
pub struct Conditions(lattice_core::Conditions);

#[napi]
impl Conditions {
    /// Compiles a conditions document.
    #[napi]
    pub fn compile(source: Source) -> napi::Result<Conditions> {
        let compile = lattice_core::Conditions::from_bytes;
        now(|| {
            Ok(Conditions(
                Text::from(source).with(Limit::CONDITIONS, compile)?.0,
            ))
        })
    }

    /// What the conditions say about an action.
    #[napi]
    pub fn evaluate(&self, json_text: Json) -> napi::Result<String> {
        now(|| json(&Evaluation::new(&self.0, &action(&json_text)?)))
    }
}

/// The compiled policies of a manifest.
#[napi]
#[derive(Debug)]
pub struct PolicySet(Arc<Named>);

#[napi]
impl PolicySet {
    /// Compiles the policies of a manifest.
    #[napi]
    pub fn compile(given: ManifestOrSource<'_>) -> AsyncTask<Job<PolicySet>> {
        let given = Wanted::from(given);
        later(|| given.manifest().map(PolicySet))
    }

    /// Compiles the policies of a manifest, here.
    #[napi]
    pub fn compile_sync(given: ManifestOrSource<'_>) -> napi::Result<PolicySet> {
        now(|| Wanted::from(given).manifest().map(PolicySet))
    }

    /// Decides about an action.
    #[napi]
    pub fn decide(&self, json_text: Json) -> napi::Result<String> {
        now(|| json(&self.decision(&json_text)?))
    }

    /// Decides about actions; an error names the one that is none.
    #[napi]
    pub fn decide_many(&self, actions: Vec<Json>) -> napi::Result<String> {
        now(|| {
            let decide = |(at, json_text)| {
                let named = |error: Error| error.in_file(&format!("actions[{at}]"));
                self.decision(json_text).map_err(named)
            };
            let decisions = actions.iter().enumerate().map(decide);
            json(&decisions.collect::<Result<Vec<_>, _>>()?)
        })
    }

    fn decision(&self, json_text: &Json) -> Result<view::Decision, Error> {
        Ok(self.0.manifest.policies().decide(&action(json_text)?))
    }
}
