//! Documents that are judged over one action: what several of them read is found once, and what several of them ask is
//! judged once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::action::{Action, Lookup};
use crate::limits::TEXT_BYTES;
use crate::number::Number;
use crate::value::{Operand, Text, Value};

use super::ast::{Comparison, Logic, Rule};
use super::evaluate::{Fields, Visitor};
use super::expected::Holds;
use super::operator::Operator;
use super::path::Path;
use super::truth::Truth;
use super::{Conditions, Group};

/// What documents have in common.
#[derive(Debug)]
pub(crate) struct Joint {
    /// Each path once.
    paths: Box<[Arc<Path>]>,
    /// Each question once: comparisons that are equal ask the same.
    questions: Box<[Question]>,
    /// For each comparison of each document, in their order, which question it asks.
    asked: Box<[u32]>,
    documents: Box<[Member]>,
    /// Those that ask for one of some texts.
    memberships: Box<[u32]>,
    /// For each path and each text that is asked for there, where the chain of those begins that ask for it.
    texts: Box<[Texts]>,
    chains: Box<[Link]>,
    /// Those that compare numbers.
    bounds: Box<[Bound]>,
}

type Texts = HashMap<Text, u32, RandomState>;

/// A document among others.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// Where what it asks begins and ends.
    asked: (u32, u32),
    /// How its rules are joined, if none of them is a group.
    logic: Option<Logic>,
}

/// What equal comparisons ask.
#[derive(Debug, Clone, Copy)]
struct Question {
    /// The path that it is about.
    slot: u32,
    negated: bool,
}

/// A question in a chain, and where the next one stands; nowhere, if it is the last.
#[derive(Debug, Clone, Copy)]
struct Link {
    question: u32,
    next: u32,
}

/// Nowhere.
const END: u32 = u32::MAX;

/// A question about a number.
#[derive(Debug, Clone, Copy)]
struct Bound {
    question: u32,
    holds: Holds,
    operand: Number,
}

impl Joint {
    /// Of documents in an order that they are named by; some places have none.
    pub(crate) fn of<'c>(documents: impl Iterator<Item = Option<&'c Conditions>>) -> Self {
        let mut builder = Builder::default();
        let documents = documents.map(|conditions| {
            let start = index(builder.asked.len());
            let root = conditions.map(Conditions::root);
            if let Some(root) = root {
                root.each_comparison(&mut |comparison| builder.add(comparison));
            }
            Member {
                asked: (start, index(builder.asked.len())),
                logic: root.filter(|root| is_flat(root)).map(Group::logic),
            }
        });
        let documents = documents.collect();
        builder.texts.iter_mut().for_each(Texts::shrink_to_fit);
        Self {
            paths: builder.paths.into(),
            questions: builder.questions.into(),
            asked: builder.asked.into(),
            documents,
            memberships: builder.memberships.into(),
            texts: builder.texts.into(),
            chains: builder.chains.into(),
            bounds: builder.bounds.into(),
        }
    }

    /// What stands at the paths.
    pub(crate) fn find<'a>(&'a self, action: &'a Action<'a>) -> Vec<Lookup<'a>> {
        self.paths.iter().map(|path| action.lookup(path)).collect()
    }

    /// The fields of a document.
    pub(crate) fn fields<'f, 'a>(&'f self, at: usize, found: &'f [Lookup<'a>]) -> Fields<'f, 'a> {
        let document = self.documents.get(at);
        Fields::Joint(JointFields {
            found,
            questions: &self.questions,
            asked: document.map_or(&[], |document| part(&self.asked, document.asked)),
        })
    }

    /// Begins to judge: what needs no look at a comparison is answered, all else when it is asked for.
    pub(crate) fn answers<'f, 'a>(&'f self, found: &'f [Lookup<'a>]) -> Answers<'f, 'a> {
        let mut answers = Answers {
            joint: self,
            found,
            known: vec![None; self.questions.len()],
        };
        answers.find_texts();
        answers.compare_numbers();
        answers
    }
}

/// Numbers what documents have in common.
#[derive(Default)]
struct Builder<'c> {
    paths: Vec<Arc<Path>>,
    slots: HashMap<&'c str, u32, RandomState>,
    questions: Vec<Question>,
    known: HashMap<(u32, Operator, Option<&'c Operand>), u32, RandomState>,
    asked: Vec<u32>,
    memberships: Vec<u32>,
    texts: Vec<Texts>,
    chains: Vec<Link>,
    bounds: Vec<Bound>,
}

impl<'c> Builder<'c> {
    fn add(&mut self, comparison: &'c Comparison) {
        let slot = *self
            .slots
            .entry(comparison.path().as_str())
            .or_insert_with(|| {
                self.paths.push(comparison.shared_path());
                self.texts.push(Texts::default());
                index(self.paths.len() - 1)
            });
        let question = (slot, comparison.operator(), comparison.value());
        let next = index(self.questions.len());
        let question = *self.known.entry(question).or_insert(next);
        self.asked.push(question);
        if question < next {
            return;
        }
        self.questions.push(Question {
            slot,
            negated: comparison.is_negated(),
        });
        if let Some(texts) = comparison.texts_to_equal()
            && let Some(chains) = self.texts.get_mut(slot as usize)
        {
            self.memberships.push(question);
            for text in texts {
                let first = chains.entry(text.clone()).or_insert(END);
                let link = Link {
                    question,
                    next: *first,
                };
                *first = index(self.chains.len());
                self.chains.push(link);
            }
        }
        if let Some((holds, operand)) = comparison.bound() {
            self.bounds.push(Bound {
                question,
                holds,
                operand,
            });
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn part(all: &[u32], (start, end): (u32, u32)) -> &[u32] {
    all.get(start as usize..end as usize).unwrap_or_default()
}

fn is_flat(group: &Group) -> bool {
    let is_comparison = |rule: &Rule| matches!(rule, Rule::Comparison(_));
    group.rules().iter().all(is_comparison)
}

/// The fields of one document.
#[derive(Debug)]
pub(crate) struct JointFields<'f, 'a> {
    found: &'f [Lookup<'a>],
    questions: &'f [Question],
    asked: &'f [u32],
}

impl<'a> JointFields<'_, 'a> {
    pub(super) fn find(&self, comparison: usize) -> Lookup<'a> {
        let question = self.asked.get(comparison);
        let question = question.and_then(|question| self.questions.get(*question as usize));
        let found = question.and_then(|question| self.found.get(question.slot as usize));
        found.copied().unwrap_or(Lookup::Missing)
    }
}

/// What is known of the questions about one action.
#[derive(Debug)]
pub(crate) struct Answers<'f, 'a> {
    joint: &'f Joint,
    found: &'f [Lookup<'a>],
    known: Vec<Option<Truth>>,
}

impl<'a> Answers<'_, 'a> {
    /// [`Conditions::test`] of the document at that place.
    #[inline]
    pub(crate) fn test(&mut self, at: usize, conditions: &Conditions) -> Truth {
        let joint = self.joint;
        let Some(document) = joint.documents.get(at) else {
            return Truth::Unknown;
        };
        let asked = part(&joint.asked, document.asked);
        let root = conditions.root();
        let Some(logic) = document.logic else {
            return root.evaluate(&mut Asker {
                answers: self,
                asked,
            });
        };
        // Most answers are known: the rules are then not looked at.
        let truths = asked.iter().enumerate().map(|(rule, question)| {
            if let Some(Some(truth)) = self.known.get(*question as usize) {
                return *truth;
            }
            match root.rules().get(rule) {
                Some(Rule::Comparison(comparison)) => self.ask(*question, comparison),
                Some(Rule::Group(_)) | None => Truth::Unknown,
            }
        });
        logic.join(false, truths)
    }

    /// Answers which texts are among those that are asked for.
    fn find_texts(&mut self) {
        for question in &self.joint.memberships {
            if let Some((Value::String(text), negated)) = self.value(*question)
                && text.len() <= TEXT_BYTES
            {
                self.learn(*question, negated);
            }
        }
        for (chains, found) in self.joint.texts.iter().zip(self.found) {
            if let Lookup::Found(Value::String(text)) = found
                && text.len() <= TEXT_BYTES
                && let Some(first) = chains.get(&**text)
            {
                self.find_text(*first);
            }
        }
    }

    /// Answers those who ask for a text that stands at their path.
    fn find_text(&mut self, first: u32) {
        let joint = self.joint;
        let mut next = first;
        while let Some(link) = joint.chains.get(next as usize) {
            if let Some(asked) = joint.questions.get(link.question as usize) {
                self.learn(link.question, !asked.negated);
            }
            next = link.next;
        }
    }

    /// Answers how numbers stand to others.
    fn compare_numbers(&mut self) {
        for bound in &self.joint.bounds {
            if let Some((Value::Number(number), negated)) = self.value(bound.question) {
                let holds = (bound.holds)(number.cmp(&bound.operand));
                self.learn(bound.question, holds != negated);
            }
        }
    }

    /// The value that a question is about, and whether it is negated.
    fn value(&self, question: u32) -> Option<(&'a Value<'a>, bool)> {
        let asked = self.joint.questions.get(question as usize)?;
        let value = self.found.get(asked.slot as usize)?.value()?;
        Some((value, asked.negated))
    }

    fn learn(&mut self, question: u32, answer: impl Into<Truth>) {
        if let Some(known) = self.known.get_mut(question as usize) {
            *known = Some(answer.into());
        }
    }

    /// Finds the answer to a question that a comparison asks.
    #[inline(never)]
    fn ask(&mut self, question: u32, comparison: &Comparison) -> Truth {
        let truth = comparison.test(self.value(question).map(|(value, _)| value));
        self.learn(question, truth);
        truth
    }
}

/// A walk that asks.
struct Asker<'w, 'f, 'a> {
    answers: &'w mut Answers<'f, 'a>,
    asked: &'f [u32],
}

impl<'a> Visitor<'a> for Asker<'_, '_, '_> {
    const VISITS_ALL: bool = false;

    fn visit(&mut self, comparison: &'a Comparison) -> Truth {
        let Some(&question) = self.asked.get(comparison.ordinal as usize) else {
            return Truth::Unknown;
        };
        match self.answers.known.get(question as usize) {
            Some(Some(truth)) => *truth,
            _ => self.answers.ask(question, comparison),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Comparisons that are equal however they are written, and others that are only nearly so.
    const ASKED: &[&str] = &[
        "operator: eq, value: 1",
        "operator: eq, value: 1.0",
        "operator: eq, value: '1'",
        "operator: neq, value: 1.00",
        "operator: in, value: [1, 2]",
        "operator: in, value: [2.0, 1, 1.0]",
        "operator: not_in, value: [2, 1]",
        "operator: lt, value: 1",
        "operator: lte, value: 1.0",
        "operator: lte, value: 1",
        "operator: gt, value: -0.0",
        "operator: gt, value: 0",
        "operator: gte, value: 9007199254740993",
        "operator: gte, value: 9007199254740992",
        "operator: eq, value: x",
        "operator: ne, value: x",
        "operator: eq, value: X",
        "operator: eq_ci, value: X",
        "operator: eq_ci, value: x",
        "operator: in_ci, value: [X, w]",
        "operator: in, value: [x, w]",
        "operator: in, value: [w, x, w]",
        "operator: not_in, value: [w, x]",
        "operator: in, value: [w, longer than what is kept in place]",
        "operator: eq, value: longer than what is kept in place",
        "operator: regex, value: ^x$",
        "operator: not_regex, value: ^x$",
        "operator: full_match, value: x",
        "operator: starts_with, value: x",
        "operator: contains, value: x",
        "operator: not_contains, value: x",
        "operator: any_in, value: [x, w]",
        "operator: none_in, value: [w, x]",
        "operator: eq, value: true",
        "operator: exists",
        "operator: not_exists",
        "operator: is_null",
    ];

    fn rule() -> impl Strategy<Value = String> {
        let path = select(&["a", "'\"a\"'", "b", "a.b", "action_type", "data_accessed"][..]);
        let rule = (path, select(ASKED));
        rule.prop_map(|(path, asked)| format!("{{field: {path}, {asked}}}"))
    }

    fn document() -> impl Strategy<Value = Conditions> {
        let group = |rules: BoxedStrategy<String>| {
            let logic = select(Logic::ALL);
            let group = (logic, prop::collection::vec(rules, 1..4));
            group.prop_map(|(logic, rules)| {
                let rules = rules.join(", ");
                format!("{{logic: {}, rules: [{rules}]}}", logic.as_str())
            })
        };
        let flat = group(rule().boxed());
        let nested = group(prop_oneof![rule(), group(rule().boxed())].boxed());
        let document = prop_oneof![2 => flat, 1 => nested];
        document.prop_map(|text| Conditions::parse(&text).unwrap())
    }

    fn action() -> impl Strategy<Value = String> {
        let too_long = format!("\"{}\"", "x".repeat(TEXT_BYTES + 1));
        let values = [
            "null",
            "true",
            "0",
            "-0.0",
            "1",
            "1.0",
            "2",
            "9007199254740992",
            "9007199254740993",
            r#""1""#,
            r#""x""#,
            r#""X""#,
            r#""w""#,
            r#""longer than what is kept in place""#,
            "[]",
            r#"["x"]"#,
            r#"["w", 1]"#,
            r#"{"b": "x"}"#,
            r#"{"b": 1.0}"#,
            &too_long,
        ];
        let value = || prop::option::weighted(0.9, select(values.map(str::to_owned).to_vec()));
        let kind = select(&["x", "a.b"][..]);
        let data = select(&["[]", r#"["x"]"#, r#"["w", "x"]"#][..]);
        (kind, data, value(), value()).prop_map(|(kind, data, a, b)| {
            let entry = |(key, value): (_, Option<String>)| Some(format!("\"{key}\": {}", value?));
            let metadata: Vec<_> = [("a", a), ("b", b)].into_iter().filter_map(entry).collect();
            format!(
                "{{\"action_type\": \"{kind}\", \"data_accessed\": {data}, \"metadata\": {{{}}}}}",
                metadata.join(", ")
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

        #[test]
        fn documents_are_judged_together_as_alone(
            documents in prop::collection::vec(prop::option::weighted(0.9, document()), 1..8),
            json in action(),
        ) {
            let action = Action::parse(json.as_bytes()).unwrap();
            let joint = Joint::of(documents.iter().map(Option::as_ref));
            let found = joint.find(&action);
            let mut answers = joint.answers(&found);
            for (at, document) in documents.iter().enumerate() {
                let Some(document) = document else { continue };
                let (result, traces) = document.evaluate(&action);
                prop_assert_eq!(answers.test(at, document), result, "{}", document.text());
                prop_assert_eq!(document.test(&action), result);
                let mut together = Vec::new();
                let fields = joint.fields(at, &found);
                let left = &mut { crate::limits::TRACE_BYTES };
                document.trace_in(&fields, left, |trace| together.push(trace));
                prop_assert_eq!(together, traces);
            }
        }
    }

    #[test]
    fn a_text_leads_to_those_alone_who_ask_for_it_at_its_path() {
        // Were it to lead to all who ask for it anywhere, an action could hold it at every path.
        let documents: Vec<_> = (0..1_000)
            .map(|n| format!("{{logic: all, rules: [{{field: f{n}, operator: eq, value: x}}]}}"))
            .map(|text| Conditions::parse(&text).unwrap())
            .collect();
        let joint = Joint::of(documents.iter().map(Some));
        let links = |first: u32| {
            let link = |at: u32| joint.chains.get(at as usize);
            std::iter::successors(link(first), |last| link(last.next)).count()
        };
        let chains: Vec<_> = joint.texts.iter().map(|texts| links(texts["x"])).collect();
        assert_eq!(chains, [1; 1_000]);
    }

    #[test]
    fn equal_comparisons_ask_one_question() {
        let rows = [
            ("operator: eq, value: 1", "operator: eq, value: 1.0", true),
            ("operator: gt, value: 0", "operator: gt, value: -0.0", true),
            ("operator: ne, value: x", "operator: neq, value: 'x'", true),
            (
                "operator: in, value: [x, w]",
                "operator: in, value: [w, x, w]",
                true,
            ),
            ("operator: eq, value: 1", "operator: eq, value: '1'", false),
            ("operator: eq, value: 1", "operator: ne, value: 1", false),
            ("operator: eq, value: x", "operator: in, value: [x]", false),
            (
                "operator: eq_ci, value: x",
                "operator: eq_ci, value: X",
                false,
            ),
            (
                "operator: lt, value: 9007199254740993",
                "operator: lt, value: 9007199254740992.0",
                false,
            ),
        ];
        for (one, other, is_shared) in rows {
            let document = |path: &str, asked: &str| {
                let text = format!("{{logic: all, rules: [{{field: {path}, {asked}}}]}}");
                Conditions::parse(&text).unwrap()
            };
            let documents = [document("a", one), document("'\"a\"'", other)];
            let joint = Joint::of(documents.iter().map(Some));
            assert_eq!(joint.questions.len() == 1, is_shared, "{one}; {other}");
            assert_eq!(joint.paths.len(), 1);
            let elsewhere = [document("a", one), document("b", one)];
            let joint = Joint::of(elsewhere.iter().map(Some));
            assert_eq!(joint.questions.len(), 2, "{one}");
        }
    }
}
