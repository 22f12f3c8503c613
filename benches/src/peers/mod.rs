//! The peers: what else there is, doing the same work on the same inputs.
//!
//! A peer is built as its own documentation says for repeated use. Before it is timed, its verdicts are compared with
//! ours. Peers take an action's fields alone, without the action around them, which is less to parse.

mod cedar;
mod cel;
mod datalogic;
mod diff;
mod yaml;
mod zen;

use std::collections::HashMap;

pub use diff::{changes, diffs};
pub use yaml::{reads, writes};

use crate::input::{CONTEXTS, Context, Policy, Rules, type_of};
use crate::measure::{Figure, fast};
use crate::memory;
use crate::report::Peer;

/// The version of every peer, as the lockfile pins it.
pub const VERSIONS: &[&str] = &[
    "cedar-policy",
    "cel",
    "datalogic-rs",
    "json-patch",
    "serde-saphyr",
    "serde_json_diff",
    "serde_yaml_ng",
    "treediff",
    "yaml_serde",
    "zen-expression",
];

/// An engine that evaluates conditions.
trait Engine {
    /// Its name in the table.
    const NAME: &'static str;
    /// A compiled condition.
    type Rule;
    /// An action's fields, made ready.
    type Fields;

    fn new() -> Self;

    /// Compiles the rules, written in the engine's language.
    fn compile(&self, source: &str) -> Self::Rule;

    /// The rules in the engine's language.
    fn source(rules: &Rules) -> String;

    fn fields(&self, json: &str) -> Self::Fields;

    fn test(&mut self, rule: &Self::Rule, fields: &Self::Fields) -> bool;

    /// From JSON text, by the shortest way there is.
    fn test_text(&mut self, rule: &Self::Rule, json: &str) -> bool {
        let fields = self.fields(json);
        self.test(rule, &fields)
    }
}

/// Runs a generic function for every engine.
macro_rules! of_every_engine {
    ($function:ident($($argument:expr),*)) => {
        vec![
            $function::<datalogic::Datalogic>($($argument),*),
            $function::<zen::Zen>($($argument),*),
            $function::<cel::Cel>($($argument),*),
            $function::<cedar::Cedar>($($argument),*),
        ]
    };
}

/// One evaluation of the example, its action made ready.
pub fn prepared() -> Vec<Peer> {
    fn of<E: Engine>() -> Peer {
        let mut engine = E::new();
        let rule = engine.compile(&E::source(&Rules::example()));
        for context in &CONTEXTS {
            let fields = engine.fields(&context.fields());
            assert_eq!(
                engine.test(&rule, &fields),
                context.verdict,
                "{}: {context:?}",
                E::NAME
            );
        }
        let fields = engine.fields(&timed().fields());
        Peer::new(E::NAME, fast(|| engine.test(&rule, &fields)))
    }
    of_every_engine!(of())
}

/// One evaluation of the example, from JSON text.
pub fn from_text() -> Vec<Peer> {
    fn of<E: Engine>() -> Peer {
        let mut engine = E::new();
        let rule = engine.compile(&E::source(&Rules::example()));
        for context in &CONTEXTS {
            let verdict = engine.test_text(&rule, &context.fields());
            assert_eq!(verdict, context.verdict, "{}: {context:?}", E::NAME);
        }
        let json = timed().fields();
        Peer::new(E::NAME, fast(|| engine.test_text(&rule, &json)))
    }
    of_every_engine!(of())
}

/// Compiling the example.
pub fn compile() -> Vec<Peer> {
    fn of<E: Engine>() -> Peer {
        let engine = E::new();
        let source = E::source(&Rules::example());
        Peer::new(E::NAME, fast(|| engine.compile(&source)))
    }
    of_every_engine!(of())
}

/// A host's table of conditions by action type, which engines that know no action types need.
fn table<E: Engine>(engine: &E, policies: &[Policy]) -> HashMap<String, Vec<E::Rule>> {
    let mut table: HashMap<String, Vec<E::Rule>> = HashMap::new();
    for policy in policies {
        let rules = policy.rules.as_ref().expect("policies with rules");
        table
            .entry(policy.action_type.clone())
            .or_default()
            .push(engine.compile(&E::source(rules)));
    }
    table
}

/// Deciding among `policies` about an action of a type, all of whose `applying` policies pass.
pub fn decide(policies: &[Policy], action_type: &str, applying: usize) -> Vec<Peer> {
    fn of<E: Engine>(policies: &[Policy], action_type: &str, applying: usize) -> Peer {
        let mut engine = E::new();
        let table = table(&engine, policies);
        let fields = engine.fields(&timed().fields());
        let mut passing = || {
            table[action_type]
                .iter()
                .filter(|rule| engine.test(rule, &fields))
                .count()
        };
        assert_eq!(passing(), applying, "{}", E::NAME);
        Peer::new(E::NAME, fast(passing))
    }
    let mut peers = of_every_engine!(of(policies, action_type, applying));
    peers.push(cedar::decide(policies, action_type, applying));
    peers
}

/// Memory of 10,000 compiled conditions, in bytes each.
pub fn memory() -> Vec<Peer> {
    let names = ["datalogic-rs", "zen-expression", "cel", "cedar-policy"];
    names
        .map(|name| {
            let kept = memory::in_child(name).kept;
            Peer::new(name, Figure::exact(kept).per(POLICIES))
        })
        .to_vec()
}

const POLICIES: usize = 10_000;

/// The memory job of a peer.
pub fn memory_job(name: &str, policies: &[Policy]) -> Option<memory::Bytes> {
    fn of<E: Engine>(policies: &[Policy]) -> memory::Bytes {
        let engine = E::new();
        memory::of(|| table(&engine, policies))
    }
    let of = match name {
        "datalogic-rs" => of::<datalogic::Datalogic>,
        "zen-expression" => of::<zen::Zen>,
        "cel" => of::<cel::Cel>,
        "cedar-policy" => of::<cedar::Cedar>,
        _ => return None,
    };
    Some(of(policies))
}

fn timed() -> &'static Context {
    &CONTEXTS[0]
}

/// The example's action type, for engines that ask for one.
fn any_type() -> String {
    type_of(0)
}
