//! Decisions, as `lib/decision.js` puts them together: what depends on the action crosses each time, the rest once.

use std::sync::Arc;

use lattice_core::view::Decision;
use lattice_core::{Action, Error, Prepared};
use napi::Env;
use napi::bindgen_prelude::{Function, FunctionCallContext, Uint8Array};
use napi_derive::napi;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::batch::{Batch, Describe};
use crate::input::{Json, ManifestOrSource, given, into_bytes};
use crate::outcome::{Answer, answer, json, now};

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

    /// The function that decides about an action in a string: its outcome. A method would first have to find out what
    /// it is called on, and what with.
    #[napi]
    pub fn decider<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, String, String>> {
        let named = Arc::clone(&self.0);
        env.create_function_from_closure("decide", move |call: FunctionCallContext<'_>| {
            let json_text = call.get::<String>(0)?;
            now(|| outcome(&named, json_text.as_bytes()))
        })
    }

    /// The outcome of an action in bytes.
    #[napi]
    pub fn outcome(&self, json_text: Uint8Array) -> napi::Result<String> {
        now(|| outcome(&self.0, &json_text))
    }

    /// The outcome of each action.
    #[napi]
    pub fn outcomes(&self, actions: Vec<Json>) -> Batch {
        self.batch(actions, |prepared| json(&Outcome(prepared)))
    }

    /// For each action what all decisions of its level have.
    #[napi]
    pub fn levels(&self, actions: Vec<Json>) -> Batch {
        self.batch(actions, |prepared| json(&level(&prepared.decide())))
    }

    fn batch(&self, actions: Vec<Json>, describe: Describe) -> Batch {
        let actions = actions.into_iter().map(into_bytes).collect();
        Batch::begin(&self.0, actions, describe)
    }
}

fn outcome(named: &al::Named, json_text: &[u8]) -> Result<String, Error> {
    let action = Action::parse(json_text)?;
    json(&Outcome(&named.manifest.policies().prepare(&action)))
}

/// What of a decision depends on the action: a flat list, which JavaScript reads fast.
struct Outcome<'a>(&'a Prepared<'a>);

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let decision = self.0.decide();
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(&self.0.level())?;
        list.serialize_element(&decision.status)?;
        list.serialize_element(&decision.denial_reason)?;
        list.serialize_element(&decider(&decision))?;
        list.serialize_element(&decision.approval_timeout_hours)?;
        for rule in &decision.conditions_evaluated {
            list.serialize_element(&rule.actual)?;
            list.serialize_element(&rule.result)?;
            // There is a reason only where there is no result.
            if rule.result.is_none() {
                list.serialize_element(&rule.reason)?;
            }
        }
        for policy in &decision.policies {
            list.serialize_element(&policy.result)?;
        }
        list.end()
    }
}

/// Where the policy that decided stands among those of the decision: a number crosses faster than a name.
fn decider(decision: &Decision<'_>) -> Option<usize> {
    let name = decision.policy_name.as_ref()?;
    let mut policies = decision.policies.iter();
    policies.position(|policy| policy.name == *name)
}

/// What all decisions of a level have.
fn level(decision: &Decision<'_>) -> impl Serialize {
    let rules = decision.conditions_evaluated.iter();
    let rules = rules.map(|rule| (&rule.policy, &rule.field, &rule.operator, &rule.expected));
    let policies = decision.policies.iter();
    let policies = policies.map(|policy| (&policy.name, policy.approval_required));
    (rules.collect::<Vec<_>>(), policies.collect::<Vec<_>>())
}
