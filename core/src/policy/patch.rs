//! Changes to single fields of a policy, as an overlay says them.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{AllowList, FIELDS, Policy, draft, read};
use crate::condition::{Cache, Conditions};
use crate::decode::{self, Fields};
use crate::findings::Sink;
use crate::plain::{Plain, classify};
use crate::source::{Source, Span};
use crate::yaml::{Kind, Node, Style};

/// The keys of a change: two that say what kind it is, and the fields of a policy without its name.
const KEYS: [&str; 8] = [
    "remove",
    "new",
    "action_type",
    "approval_required",
    "approval_timeout_hours",
    "allowed_repos",
    "allowed_branches",
    "conditions",
];

/// What becomes of the policy of a name.
#[derive(Debug)]
pub(crate) enum Change {
    /// It goes.
    Remove,
    /// There was none, and this is it.
    Add(Box<Policy>),
    /// These fields of it are replaced, each as a whole.
    Set(Vec<Field>),
}

/// A field, and what it is to hold.
#[derive(Debug)]
pub(crate) enum Field {
    ActionType(SmolStr),
    ApprovalRequired(bool),
    ApprovalTimeoutHours(u16),
    AllowedRepos(Option<Arc<AllowList>>),
    AllowedBranches(Option<Arc<AllowList>>),
    Conditions(Option<Conditions>),
}

impl Policy {
    /// The policy with those fields replaced.
    pub(crate) fn with(&self, fields: Vec<Field>) -> Self {
        let mut policy = self.clone();
        for field in fields {
            match field {
                Field::ActionType(value) => policy.action_type = value,
                Field::ApprovalRequired(value) => policy.approval_required = value,
                Field::ApprovalTimeoutHours(value) => policy.approval_timeout_hours = value,
                Field::AllowedRepos(value) => policy.allowed_repos = value,
                Field::AllowedBranches(value) => policy.allowed_branches = value,
                Field::Conditions(value) => policy.conditions = value,
            }
        }
        policy
    }
}

/// Reads what an overlay says about the policy of a name, which stands there; everything wrong with it is reported.
pub(crate) fn change(
    (name, at): (&str, Span),
    node: &Node<'_>,
    source: &Source<'_>,
    cache: &Cache,
    sink: &mut Sink<'_>,
) -> Option<Change> {
    let before = sink.findings.errors();
    let what = "an overlay's policy";
    let fields = Fields::of_any(node, what, sink)?;
    for key in fields.keys() {
        if key.name == "name" {
            let message = "an overlay cannot rename a policy: the key above is its name";
            sink.error_help(key.span, message, "remove `name`");
        } else {
            decode::check_key(key, what, &KEYS, sink);
        }
    }
    let [remove, new] = ["remove", "new"].map(|key| {
        let node = fields.get(key)?;
        confirm(key, node, sink);
        Some(node)
    });
    let mut given = || -> Vec<Field> {
        let given = FIELDS
            .iter()
            .filter_map(|key| Some((*key, fields.get(key)?)));
        let given = given.filter(|(key, _)| *key != "name");
        let read = given.filter_map(|(key, node)| field(key, node, name, source, cache, sink));
        read.collect()
    };
    let change = if remove.is_some() {
        given();
        let others = KEYS.iter().filter(|key| **key != "remove");
        let other = others
            .copied()
            .find_map(|key| Some((key, fields.key_span(key)?)));
        if let Some((other, span)) = other {
            let message = format!("`{other}` beside `remove`: a policy that goes has no fields");
            sink.error_help(span, message, "keep one of the two");
        }
        Some(Change::Remove)
    } else if new.is_some() {
        let draft = read::unnamed(&fields, source, sink).named(name, at);
        let policy = draft.compile(name, cache, sink);
        policy.map(|policy| Change::Add(Box::new(policy)))
    } else {
        Some(Change::Set(given()))
    };
    if let Some(Change::Set(set)) = &change
        && set.is_empty()
        && sink.findings.errors() == before
        && !fields.is_cut()
    {
        let help = "give the fields to set, or `remove: true`";
        sink.error_help(node.span, "nothing is set here", help);
    }
    change.filter(|_| sink.findings.errors() == before)
}

/// The field of that key; `None` if it is wrong, which was reported.
fn field(
    key: &str,
    node: &Node<'_>,
    policy: &str,
    source: &Source<'_>,
    cache: &Cache,
    sink: &mut Sink<'_>,
) -> Option<Field> {
    let mut list = || draft::allow_list(key, read::allow_list(node, key, sink), cache, sink).ok();
    Some(match key {
        "allowed_repos" => Field::AllowedRepos(list()?),
        "allowed_branches" => Field::AllowedBranches(list()?),
        "action_type" => {
            let text = read::text(node, key, sink)?;
            Field::ActionType(draft::action_type(&text, sink)?)
        }
        "approval_required" => Field::ApprovalRequired(read::approval_required_of(node, sink)?),
        "approval_timeout_hours" => {
            let hours = read::timeout(node, sink)?;
            Field::ApprovalTimeoutHours(draft::timeout(&hours, sink)?)
        }
        // INVARIANT: the last of `FIELDS` without the name, which is no key here.
        _ => {
            let document = read::conditions(node, source, sink);
            Field::Conditions(draft::conditions(document, policy, cache, sink).ok()?)
        }
    })
}

/// `remove` and `new` say `true`, spelt so: what they do is not to be had by a value that only looks like it.
fn confirm(key: &str, node: &Node<'_>, sink: &mut Sink<'_>) {
    let is_true = matches!(&node.kind, Kind::Scalar(scalar)
        if scalar.style == Style::Plain && classify(&scalar.text) == Plain::Bool(true));
    if !is_true {
        let help = format!("write `{key}: true`, or leave it out");
        decode::wrong_type(node, &format!("`{key}` must be `true`"), &help, sink);
    }
}
