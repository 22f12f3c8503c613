//! zen-expression: compiled to bytecode, on a machine that is used again.

use zen_expression::expression::Standard;
use zen_expression::vm::VM;
use zen_expression::{Expression, Isolate, Scope, Variable};

use crate::input::{Branch, Rules};

pub(super) struct Zen(VM);

impl super::Engine for Zen {
    const NAME: &'static str = "zen-expression";
    type Rule = Expression<Standard>;
    type Fields = Scope;

    fn new() -> Self {
        Self(VM::new())
    }

    fn source(rules: &Rules) -> String {
        let branch = match &rules.branch {
            Branch::Is(text) => format!("branch == \"{text}\""),
            Branch::Under(text) => format!("startsWith(branch, \"{text}\")"),
            Branch::Like(regex) => format!("matches(branch, \"{regex}\")"),
        };
        format!(
            "{branch} and repo in {:?} and pr_size < {} and startsWith(ticket, \"{}\")",
            rules.repos, rules.size, rules.ticket
        )
    }

    fn compile(&self, source: &str) -> Self::Rule {
        Isolate::new()
            .compile_standard(source)
            .expect("an expression")
    }

    fn fields(&self, json: &str) -> Scope {
        Scope::new(serde_json::from_str::<Variable>(json).expect("fields"))
    }

    fn test(&mut self, rule: &Self::Rule, fields: &Scope) -> bool {
        let value = rule
            .evaluate_with_scope(fields, &mut self.0)
            .expect("a verdict");
        value.as_bool().expect("a boolean")
    }
}
