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

use lattice_core::view::{self, Evaluation};
use lattice_core::{Action, Error};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

use crate::input::{ManifestOrSource, Source, given};
use crate::outcome::{Answer, answer, json, now};

/// How deep an action may nest; what lies deeper need not be written out to be refused.
#[napi]
#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
pub const ACTION_NESTING: u32 = lattice_core::limits::ACTION_NESTING as u32;

/// A manifest that was read.
#[napi]
#[derive(Debug)]
pub struct Manifest(Arc<al::Named>);

#[napi]
impl Manifest {
    /// Reads a manifest.
    #[napi]
    pub fn parse(source: Source, sync: bool) -> napi::Result<Answer<Manifest>> {
        let source = al::Given::Source(source.into());
        answer(sync, || source.manifest().map(Manifest))
    }

    /// The document of the manifest.
    #[napi]
    pub fn document(&self) -> napi::Result<String> {
        now(|| json(&self.0.view()))
    }
}

/// Checks a manifest.
#[napi]
pub fn validate(source: Source, sync: bool) -> napi::Result<Answer<String>> {
    let source = al::Source::from(source);
    answer(sync, || json(&source.validation()))
}

/// The canonical text of a manifest.
#[napi]
pub fn format_manifest(source: Source, sync: bool) -> napi::Result<Answer<String>> {
    let source = al::Source::from(source);
    answer(sync, || source.format())
}

/// What turns the policies of one manifest into those of another.
#[napi]
pub fn plan(
    current: ManifestOrSource<'_>,
    desired: ManifestOrSource<'_>,
    replace: Option<bool>,
    sync: bool,
) -> napi::Result<Answer<String>> {
    let (current, desired) = (given(current), given(desired));
    answer(sync, move || json(&al::plan(current, desired, replace)?))
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
        now(|| al::Source::from(source).conditions().map(Conditions))
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
pub struct PolicySet(Arc<al::Named>);

#[napi]
impl PolicySet {
    /// Compiles the policies of a manifest.
    #[napi]
    pub fn compile(manifest: ManifestOrSource<'_>, sync: bool) -> napi::Result<Answer<PolicySet>> {
        let given = given(manifest);
        answer(sync, || given.manifest().map(PolicySet))
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
