//! The engine and the command line for Node.
//!
//! Every function converts, calls and converts. Documents cross as JSON text; `index.js` is what programs see.
#![deny(missing_docs)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "what comes from JavaScript is given away"
)]

pub mod batch;
pub mod cli;
pub mod decide;
pub mod input;
pub mod outcome;
pub mod workspace;

use std::sync::Arc;

use lattice_core::view::{self, Evaluation};
use napi_derive::napi;

use crate::input::{Evidence, Json, ManifestOrSource, Source, action, given, sources};
use crate::outcome::{Answer, answer, json, now};

/// What the engine allocates; what Node has is Node's own (`docs/decisions/0009`).
#[cfg(not(target_vendor = "apple"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    pub fn parse(
        source: Source,
        overlays: Vec<Source>,
        sync: bool,
    ) -> napi::Result<Answer<Manifest>> {
        let given = al::Given::Sources(sources(source, overlays));
        answer(sync, || given.manifest().map(Manifest))
    }

    /// The document of the manifest.
    #[napi]
    pub fn document(&self) -> napi::Result<String> {
        now(|| json(&self.0.view()))
    }

    /// The manifest as an export writes it, after overlays.
    #[napi]
    pub fn render(&self) -> napi::Result<String> {
        now(|| Ok(self.0.manifest.to_text()))
    }
}

/// Checks a manifest.
#[napi]
pub fn validate(source: Source, overlays: Vec<Source>, sync: bool) -> napi::Result<Answer<String>> {
    let sources = sources(source, overlays);
    answer(sync, || json(&sources.validation()))
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

/// The plan that was saved, as it was reviewed.
#[napi]
pub fn show_plan(plan: Source, sync: bool) -> napi::Result<Answer<String>> {
    let source = al::Source::from(plan);
    answer(sync, || json(&al::show(source)?))
}

/// Checks the proof of an audit event.
#[napi]
pub fn check(proof: Source, evidence: Evidence, sync: bool) -> napi::Result<Answer<String>> {
    let (proof, evidence) = (proof.into(), evidence.into());
    answer(sync, || json(&al::check(proof, evidence)?))
}

/// A plan for people to look at, out of its document.
#[napi]
pub fn report(plan: String, form: String, sync: bool) -> napi::Result<Answer<String>> {
    answer(sync, move || {
        let form = al::Report::named(&form)?;
        let plan = serde_json::from_str::<view::Plan>(&plan).map_err(al::no_plan)?;
        Ok(al::report(&plan, form))
    })
}

/// A JSON Schema.
#[napi]
pub fn schema(name: Option<String>) -> napi::Result<String> {
    now(|| json(&lattice_core::schema::find(name.as_deref())?))
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
