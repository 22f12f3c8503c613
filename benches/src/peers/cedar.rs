//! cedar-policy: one policy set, or one for each action type.

use std::str::FromStr as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};

use crate::input::{Branch, CONTEXTS, Policy, Rules};
use crate::measure::fast;
use crate::report::Peer;

pub(super) struct Cedar {
    authorizer: Authorizer,
    entities: Entities,
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{kind}::\"{id}\"")).expect("an id")
}

fn permit(action_type: &str, rules: &Rules) -> String {
    let branch = match &rules.branch {
        Branch::Is(text) => format!("context.branch == \"{text}\""),
        Branch::Under(text) => format!("context.branch like \"{text}*\""),
        Branch::Like(_) => unreachable!("no regex in the language"),
    };
    format!(
        "permit(principal, action == Action::\"{action_type}\", resource) when {{ {branch} && {:?}.contains(context.repo) \
         && context.pr_size < {} && context.ticket like \"{}*\" }};\n",
        rules.repos, rules.size, rules.ticket
    )
}

impl Cedar {
    fn request(json: &str, action_type: &str) -> Request {
        let value = serde_json::from_str(json).expect("fields");
        let context = Context::from_json_value(value, None).expect("a context");
        let [principal, action, resource] = [
            uid("Agent", "agent-7"),
            uid("Action", action_type),
            uid("Repository", "any"),
        ];
        Request::new(principal, action, resource, context, None).expect("a request")
    }
}

impl super::Engine for Cedar {
    const NAME: &'static str = "cedar-policy";
    type Rule = PolicySet;
    type Fields = Request;

    fn new() -> Self {
        Self {
            authorizer: Authorizer::new(),
            entities: Entities::empty(),
        }
    }

    fn source(rules: &Rules) -> String {
        permit(&super::any_type(), rules)
    }

    fn compile(&self, source: &str) -> PolicySet {
        PolicySet::from_str(source).expect("a policy")
    }

    fn fields(&self, json: &str) -> Request {
        Self::request(json, &super::any_type())
    }

    fn test(&mut self, rule: &PolicySet, fields: &Request) -> bool {
        self.authorizer
            .is_authorized(fields, rule, &self.entities)
            .decision()
            == Decision::Allow
    }
}

/// Deciding inside the engine, which looks at every policy of the set.
pub(super) fn decide(policies: &[Policy], action_type: &str, applying: usize) -> Peer {
    let text: String = policies
        .iter()
        .map(|policy| {
            permit(
                &policy.action_type,
                policy.rules.as_ref().expect("policies with rules"),
            )
        })
        .collect();
    let set = PolicySet::from_str(&text).expect("policies");
    let request = Cedar::request(&CONTEXTS[0].fields(), action_type);
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    let response = authorizer.is_authorized(&request, &set, &entities);
    assert_eq!(
        response.diagnostics().reason().count(),
        applying,
        "cedar-policy"
    );
    Peer::new(
        "cedar-policy, in its own set",
        fast(|| authorizer.is_authorized(&request, &set, &entities)),
    )
}
