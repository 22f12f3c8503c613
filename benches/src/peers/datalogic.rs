//! datalogic-rs: JSON Logic, compiled, in an arena that is used again.

use datalogic_rs::{Engine, Logic, ParsedData};
use serde_json::json;

use crate::input::{Branch, Rules};

pub(super) struct Datalogic {
    engine: Engine,
    arena: bumpalo::Bump,
}

impl super::Engine for Datalogic {
    const NAME: &'static str = "datalogic-rs";
    type Rule = Logic;
    type Fields = ParsedData;

    fn new() -> Self {
        Self {
            engine: Engine::new(),
            arena: bumpalo::Bump::new(),
        }
    }

    fn source(rules: &Rules) -> String {
        let branch = match &rules.branch {
            Branch::Is(text) => json!({"==": [{"var": "branch"}, text]}),
            Branch::Under(text) => json!({"starts_with": [{"var": "branch"}, text]}),
            Branch::Like(_) => unreachable!("no regex in the language"),
        };
        json!({"and": [
            branch,
            {"in": [{"var": "repo"}, rules.repos]},
            {"<": [{"var": "pr_size"}, rules.size]},
            {"starts_with": [{"var": "ticket"}, rules.ticket]},
        ]})
        .to_string()
    }

    fn compile(&self, source: &str) -> Logic {
        self.engine.compile(source).expect("a rule")
    }

    fn fields(&self, json: &str) -> ParsedData {
        ParsedData::from_json(json).expect("fields")
    }

    fn test(&mut self, rule: &Logic, fields: &ParsedData) -> bool {
        self.arena.reset();
        let value = self
            .engine
            .evaluate(rule, fields, &self.arena)
            .expect("a verdict");
        value.as_bool().expect("a boolean")
    }

    fn test_text(&mut self, rule: &Logic, json: &str) -> bool {
        self.arena.reset();
        let value = self
            .engine
            .evaluate(rule, json, &self.arena)
            .expect("a verdict");
        value.as_bool().expect("a boolean")
    }
}
