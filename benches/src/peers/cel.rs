//! cel: the Common Expression Language, compiled to a tree.

use std::collections::HashMap;

use cel::{Context, Program, Value};

use crate::input::{Branch, Rules};

/// The functions of the language, made once; an action's fields are a scope below.
pub(super) struct Cel(&'static Context<'static, 'static>);

impl super::Engine for Cel {
    const NAME: &'static str = "cel";
    type Rule = Program;
    type Fields = Context<'static, 'static>;

    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    fn source(rules: &Rules) -> String {
        let branch = match &rules.branch {
            Branch::Is(text) => format!("branch == \"{text}\""),
            Branch::Under(text) => format!("branch.startsWith(\"{text}\")"),
            Branch::Like(regex) => format!("branch.matches(\"{regex}\")"),
        };
        format!(
            "{branch} && repo in {:?} && pr_size < {} && ticket.startsWith(\"{}\")",
            rules.repos, rules.size, rules.ticket
        )
    }

    fn compile(&self, source: &str) -> Program {
        Program::compile(source).expect("a program")
    }

    fn fields(&self, json: &str) -> Self::Fields {
        let fields: HashMap<&str, serde_json::Value> = serde_json::from_str(json).expect("fields");
        let mut context = self.0.new_inner_scope();
        for (name, value) in fields {
            let value = match value {
                serde_json::Value::Number(number) => {
                    Value::Int(number.as_i64().expect("an integer"))
                }
                other => cel::to_value(other).expect("a value"),
            };
            context.add_variable_from_value(name, value);
        }
        context
    }

    fn test(&mut self, rule: &Program, fields: &Self::Fields) -> bool {
        rule.execute(fields).expect("a verdict") == Value::Bool(true)
    }
}
