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

use lattice_core::view::Evaluation;
use lattice_core::{Action, Error};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde::{Serialize, Serializer};

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

fn action(json: &Json) -> Result<Action<'_>, Error> {
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

    /// Decides about an action: the decision.
    #[napi]
    pub fn decide(&self, json_text: Json) -> napi::Result<String> {
        now(|| json(&self.0.manifest.policies().decide(&action(&json_text)?)))
    }

    /// Decides about an action: what depends on it, and the level whose first decision has the rest.
    #[napi]
    pub fn outcome(&self, json_text: Json) -> napi::Result<String> {
        now(|| {
            let policies = self.0.manifest.policies();
            json(&Outcome {
                policies,
                action: &action(&json_text)?,
            })
        })
    }

    /// What [`PolicySet::outcome`] says about each action; an error names the one that is none.
    #[napi]
    pub fn outcomes(&self, actions: Vec<Json>) -> napi::Result<String> {
        now(|| {
            let read = |(at, json_text)| {
                action(json_text).map_err(|error| error.in_file(&format!("actions[{at}]")))
            };
            let actions = actions.iter().enumerate().map(read);
            let actions = actions.collect::<Result<Vec<_>, _>>()?;
            let policies = self.0.manifest.policies();
            let outcomes = actions.iter().map(|action| Outcome { policies, action });
            json(&outcomes.collect::<Vec<_>>())
        })
    }
}

/// What of a decision depends on the action, as `lib/decision.js` takes it. It is made when it is written.
struct Outcome<'a> {
    policies: &'a lattice_core::PolicySet,
    action: &'a Action<'a>,
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let prepared = self.policies.prepare(self.action);
        let decision = prepared.decide();
        let rules = decision.conditions_evaluated.iter();
        let rules = rules.map(|rule| (&rule.actual, rule.result, &rule.reason));
        let policies = decision.policies.iter().map(|policy| policy.result);
        let outcome = (
            prepared.level(),
            decision.status,
            &decision.denial_reason,
            &decision.policy_name,
            decision.approval_timeout_hours,
            rules.collect::<Vec<_>>(),
            policies.collect::<Vec<_>>(),
        );
        outcome.serialize(serializer)
    }
}
