//! From a text to the tree: every error is reported, at its place.

use std::sync::Arc;

use crate::decode::{Fields, excerpt, is_null, list, report_problems, string, wrong_type};
use crate::error::Lint;
use crate::findings::{Sink, suggestion};
use crate::limits::{COMPILED_PATTERNS_BYTES, CONDITIONS_BYTES, CONDITIONS_NESTING, RULES};
use crate::source::Span;
use crate::yaml::{Kind, Mapping, Node, Reader, document_of};

use super::ast::{Comparison, Group, Logic, Rule};
use super::expected::Expected;
use super::operator::{Operator, ValueType};
use super::path::Path;
use super::pattern::Patterns;

const GROUP_KEYS: &[&str] = &["logic", "rules"];
const COMPARISON_KEYS: &[&str] = &["field", "operator", "value"];

/// A group has a list, a comparison in it, and a list as its value. One group past the deepest is still read, so
/// that it is reported as what it is.
const YAML_NESTING: usize = 2 * (CONDITIONS_NESTING + 1) + 2;

const NO_CONDITIONS: &str = "write `conditions: null` for no conditions";

/// A conditions document, read and not yet looked into.
#[derive(Debug)]
pub(super) struct Document<'t> {
    root: Option<Node<'t>>,
    /// The end of the text, if the reader stopped before it.
    cut_at: Option<usize>,
}

/// Reads a conditions document; what is wrong with its form is reported. `None` if it is not read at all.
pub(super) fn read<'t>(text: &'t str, sink: &mut Sink<'_>) -> Option<Document<'t>> {
    if text.len() > CONDITIONS_BYTES {
        sink.error_help(
            Span::at(0),
            format!("the conditions are longer than {CONDITIONS_BYTES} bytes"),
            "split the policy into several",
        );
        return None;
    }
    let mut reader = Reader::new(text, YAML_NESTING);
    let root = document_of(&mut reader);
    report_problems(reader.take_problems(), sink);
    let cut_at = reader.is_cut().then_some(text.len());
    Some(Document { root, cut_at })
}

/// The outermost group of a document, if one can be made of it; every error is reported.
pub(super) fn compile(
    document: &Document<'_>,
    patterns: &Patterns,
    sink: &mut Sink<'_>,
) -> Option<Group> {
    let mut parser = Parser {
        cut_at: document.cut_at,
        rules: 0,
        comparisons: 0,
        items: 0,
        compiled: 0,
        patterns,
        sink,
    };
    match &document.root {
        Some(node) if !is_null(node) => parser.group(node, "a conditions document", 1),
        Some(_) | None => {
            if parser.cut_at.is_none() {
                let help = format!("{NO_CONDITIONS}, or remove the comment signs");
                parser
                    .sink
                    .error_help(Span::at(0), "the conditions are empty", help);
            }
            None
        }
    }
}

pub(super) struct Parser<'p, 's> {
    /// The end of the text, if the reader stopped before it.
    cut_at: Option<usize>,
    /// Comparisons and groups so far.
    rules: usize,
    /// Comparisons so far that are as they should be.
    comparisons: u32,
    /// Elements of list values so far.
    pub(super) items: usize,
    /// Bytes of compiled patterns so far.
    compiled: usize,
    pub(super) patterns: &'p Patterns,
    pub(super) sink: &'p mut Sink<'s>,
}

impl Parser<'_, '_> {
    /// Whether the reader stopped inside the node: what it lacks may stand further on.
    pub(super) fn is_cut(&self, node: &Node<'_>) -> bool {
        self.cut_at.is_some_and(|end| node.span.end >= end)
    }

    fn group(&mut self, node: &Node<'_>, what: &str, depth: usize) -> Option<Group> {
        if depth > CONDITIONS_NESTING {
            let message = format!("groups are nested deeper than {CONDITIONS_NESTING} levels");
            self.sink
                .error_help(node.span, message, "flatten the conditions");
            return None;
        }
        let fields = Fields::of(node, what, GROUP_KEYS, self.sink)?;
        let logic = fields.require("logic", self.sink);
        let rules = fields.require("rules", self.sink);
        let logic = logic.and_then(|node| self.logic(node));
        let before = self.comparisons;
        let rules = rules.and_then(|node| self.rules(node, depth));
        Some(Group {
            logic: logic?,
            comparisons: self.comparisons - before,
            rules: rules?,
        })
    }

    fn logic(&mut self, node: &Node<'_>) -> Option<Logic> {
        let word = string(node, "`logic`", self.sink)?;
        let found = Logic::ALL.iter().find(|logic| logic.as_str() == word);
        if found.is_none() {
            let words = Logic::ALL.iter().map(|logic| logic.as_str());
            let help = match suggestion(word, words) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write `all`, `any` or `none`".to_owned(),
            };
            let message = format!("unknown logic `{}`", excerpt(word));
            self.sink.error_help(node.span, message, help);
        }
        found.copied()
    }

    fn rules(&mut self, node: &Node<'_>, depth: usize) -> Option<Box<[Rule]>> {
        let Kind::List(nodes) = &node.kind else {
            let help = "write `- field: …` and indent what belongs to it";
            wrong_type(node, "`rules` must be a list", help, self.sink);
            return None;
        };
        if nodes.is_empty() {
            if !self.is_cut(node) {
                let help = if depth == 1 {
                    format!("list at least one rule, or {NO_CONDITIONS}")
                } else {
                    "list at least one rule, or remove the group".to_owned()
                };
                self.sink.error_help(node.span, "`rules` is empty", help);
            }
            return None;
        }
        // Every rule is looked at, so that every error is reported.
        let mut rules = Vec::with_capacity(nodes.len());
        for node in nodes {
            rules.extend(self.rule(node, depth));
        }
        (rules.len() == nodes.len()).then(|| rules.into())
    }

    fn rule(&mut self, node: &Node<'_>, depth: usize) -> Option<Rule> {
        self.rules += 1;
        if self.rules == RULES + 1 {
            self.sink.error_help(
                node.span,
                format!("the conditions hold more than {RULES} rules"),
                "split the policy, or use lists and patterns",
            );
        }
        match &node.kind {
            Kind::Mapping(mapping) if is_group(mapping) => {
                self.group(node, "a group", depth + 1).map(Rule::Group)
            }
            Kind::Mapping(_) | Kind::Scalar(_) | Kind::List(_) | Kind::Absent => {
                self.comparison(node).map(Rule::Comparison)
            }
        }
    }

    fn comparison(&mut self, node: &Node<'_>) -> Option<Comparison> {
        let fields = Fields::of(node, "a rule", COMPARISON_KEYS, self.sink)?;
        let field = fields.require("field", self.sink);
        let operator = fields.require("operator", self.sink);
        let path = field.and_then(|node| self.path(node));
        let operator = match operator {
            Some(node) => self.operator(node).map(|operator| (operator, node.span)),
            None => None,
        };
        // Without its operator nothing can be said about a value.
        let (operator, span) = operator?;
        let expected = if operator.value_type() == ValueType::None {
            if let Some(place) = fields.key_span("value") {
                let message = format!("`{}` takes no value", operator.name());
                self.sink.error_help(place, message, "remove `value`");
            }
            Some(Expected::Nothing)
        } else {
            let value = fields.require("value", self.sink);
            value.and_then(|node| self.operand(operator, node))
        };
        let path = path?;
        if operator.tests_presence() {
            self.warn_of_presence_test(operator, &path, span);
        }
        let expected = expected?;
        let ordinal = self.comparisons;
        self.comparisons += 1;
        Some(Comparison {
            path,
            ordinal,
            operator,
            positive: operator.negation_of().unwrap_or(operator),
            expected,
        })
    }

    fn path(&mut self, node: &Node<'_>) -> Option<Arc<Path>> {
        let text = string(node, "`field`", self.sink)?;
        let path = self.patterns.path(text);
        self.accept(path, node)
    }

    fn operator(&mut self, node: &Node<'_>) -> Option<Operator> {
        let word = string(node, "`operator`", self.sink)?;
        let found = Operator::lookup(word);
        if found.is_none() {
            let names = || Operator::ALL.iter().map(|operator| operator.name());
            let help = match suggestion(word, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the operators are {}", list(&names().collect::<Vec<_>>())),
            };
            let message = format!("unknown operator `{}`", excerpt(word));
            self.sink.error_help(node.span, message, help);
        }
        found
    }

    /// Counts a compiled pattern; the first that is too much is reported.
    pub(super) fn spend_on_pattern(&mut self, bytes: usize, place: Span) {
        let before = self.compiled;
        self.compiled += bytes;
        if before <= COMPILED_PATTERNS_BYTES && self.compiled > COMPILED_PATTERNS_BYTES {
            let message = format!(
                "the patterns take more than {COMPILED_PATTERNS_BYTES} bytes when compiled"
            );
            let help =
                "use fewer or smaller repetitions, lists instead of patterns, or several policies";
            self.sink.error_help(place, message, help);
        }
    }

    fn warn_of_presence_test(&mut self, operator: Operator, path: &Path, span: Span) {
        self.sink.warning(
            Lint::PresenceTest,
            span,
            format!(
                "`{}` lets whoever sends the action decide by what `{path}` leaves out",
                operator.name()
            ),
            "make sure that the agent cannot leave out or empty the field, or compare its value",
        );
    }
}

/// Whether a rule is meant as a group, misspelt keys included.
fn is_group(mapping: &Mapping<'_>) -> bool {
    let names = || mapping.entries.iter().map(|entry| entry.key.name.as_ref());
    let has = |keys: &[&str]| names().any(|name| keys.contains(&name));
    let resembles =
        |keys: &[&str]| names().any(|name| suggestion(name, keys.iter().copied()).is_some());
    if has(COMPARISON_KEYS) {
        return false;
    }
    has(GROUP_KEYS) || (resembles(GROUP_KEYS) && !resembles(COMPARISON_KEYS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::findings::Findings;
    use crate::source::Source;

    #[test]
    fn presence_tests_are_warned_of_where_they_stand() {
        let text = "logic: all\nrules:\n  - {field: '\"a\"', operator: not_exists}\n  - {field: b, operator: eq, value: 1}\n  - {field: c, operator: is_empty}\n";
        let source = Source::new(text);
        let mut findings = Findings::default();
        let mut sink = Sink {
            code: Code::PolicyCompileError,
            policy: Some("p".to_owned()),
            text: &source,
            findings: &mut findings,
        };
        let document = read(text, &mut sink).unwrap();
        assert!(compile(&document, &Patterns::default(), &mut sink).is_some());
        assert_eq!(findings.errors(), 0);
        let found: Vec<_> = findings
            .finish()
            .into_iter()
            .map(|d| {
                (
                    d.kind.as_str(),
                    d.message,
                    d.place.map(|p| (p.line, p.column)),
                )
            })
            .collect();
        let message = |operator, field| {
            format!(
                "`{operator}` lets whoever sends the action decide by what `{field}` leaves out"
            )
        };
        assert_eq!(
            found,
            [
                ("PRESENCE_TEST", message("not_exists", "a"), Some((3, 30))),
                ("PRESENCE_TEST", message("is_empty", "c"), Some((5, 26))),
            ]
        );
    }
}
