//! Overlays: what is different in one environment, by the names of policies.

use std::collections::{BTreeMap, HashSet};

use super::CheckedText;
use crate::condition::Cache;
use crate::decode;
use crate::error::{Code, Diagnostic, Error, Kind as Finding};
use crate::findings::{Findings, Sink, suggestion};
use crate::limits;
use crate::manifest::{sink, text_of, unsupported, valid, value_before};
use crate::plain::{Plain, classify};
use crate::policy::{self, Change, Entry, EntryRef, Policy, PolicySet};
use crate::source::{Source, Span};
use crate::version::{self, Gate};
use crate::yaml::{self, Kind, Node, Reader, Root};

/// The keys of an overlay, in the order in which they are written.
pub(crate) const FIELDS: [&str; 2] = ["overlay_version", "policies"];

/// Policies that overlays change.
pub(super) struct Policies<'b> {
    base: &'b PolicySet,
    /// What became of a name; `None` for what was removed.
    changed: BTreeMap<String, Option<Policy>>,
    /// Names of which an error keeps from telling what became of them.
    unclear: HashSet<String>,
    /// How many names may still be compared with a misspelt one: there may be a million.
    comparisons: usize,
}

impl<'b> Policies<'b> {
    pub(super) fn new(base: &'b PolicySet) -> Self {
        Self {
            base,
            changed: BTreeMap::new(),
            unclear: HashSet::new(),
            comparisons: limits::POLICIES,
        }
    }

    fn get(&self, name: &str) -> Option<&Policy> {
        match self.changed.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.base.get(name).map(AsRef::as_ref),
        }
    }

    /// A name that is there and much like `name`.
    fn like(&mut self, name: &str) -> Option<&str> {
        let names = self.base.len() + self.changed.len();
        self.comparisons = self.comparisons.checked_sub(names)?;
        let there = self.base.iter().map(|policy| policy.name());
        let there = there.chain(self.changed.keys().map(String::as_str));
        suggestion(name, there.filter(|name| self.get(name).is_some()))
    }

    /// The policies as they now are.
    pub(super) fn finish(self) -> PolicySet {
        let Self { base, changed, .. } = self;
        let kept = base.entries();
        let kept = kept.filter(|entry| !changed.contains_key(entry.policy.name()));
        let mut entries: Vec<Entry> = kept.map(EntryRef::cloned).collect();
        entries.extend(changed.into_values().flatten().map(Entry::new));
        PolicySet::new(entries)
    }
}

/// Reads an overlay, and changes the policies by it where they are known; they no longer are behind a fault that hides
/// what else an overlay says.
pub(super) fn read(bytes: &[u8], policies: &mut Option<Policies<'_>>) -> CheckedText {
    match text_of("overlay", bytes) {
        Ok(text) => {
            let mut reading = Reading::new(text);
            reading.run();
            let whole = reading.reader.stopped_at().is_none() && reading.policies.is_some();
            let found = reading.finish(policies.as_mut());
            policies.take_if(|_| !whole);
            found
        }
        Err(error) => {
            *policies = None;
            Reading::new(valid(bytes)).version_alone(error)
        }
    }
}

/// One reading of one overlay.
struct Reading<'a> {
    source: Source<'a>,
    reader: Reader<'a>,
    findings: Findings,
    gate: Option<Gate>,
    policies: Option<Node<'a>>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            source: Source::new(text),
            reader: Reader::new(text, limits::YAML_NESTING),
            findings: Findings::default(),
            gate: None,
            policies: None,
        }
    }

    fn sink(&mut self) -> Sink<'_> {
        sink(&self.source, &mut self.findings, None)
    }

    fn problems(&mut self) {
        let problems = self.reader.take_problems();
        decode::report_problems(problems, &mut self.sink());
    }

    fn run(&mut self) {
        let root = self.reader.open();
        self.problems();
        match root {
            Root::Nothing if self.reader.is_cut() => {}
            Root::Nothing => {
                let help = "write at least `overlay_version: '1.0'` and `policies: {}`";
                self.sink()
                    .error_help(Span::at(0), "the overlay is empty", help);
            }
            Root::Other(node) => {
                let help = "begin with `overlay_version: '1.0'`";
                let expected = "an overlay must be a mapping";
                decode::wrong_type(&node, expected, help, &mut self.sink());
            }
            Root::Mapping(span) => self.fields(span),
        }
        if let (Some(fault), None) = (self.reader.stopped_at(), &self.gate) {
            let text = self.source.text();
            value_before(text, fault, FIELDS[0], |node| self.version(node));
        }
        self.reader.close();
        self.problems();
    }

    fn fields(&mut self, root: Span) {
        let mut seen = Vec::new();
        while let Some(key) = self.reader.next_key() {
            self.problems();
            if key.name == "manifest_version" {
                let help = "name it as the manifest, and overlays with `--overlay`";
                let message = "this is a manifest, not an overlay";
                return self.sink().error_help(key.span, message, help);
            }
            let is_known = decode::check_key(&key, "an overlay", &FIELDS, &mut self.sink());
            let node = self.reader.value();
            self.problems();
            // A second one of a known key was reported as a duplicate.
            if !is_known || seen.contains(&key.name) {
                continue;
            }
            if key.name == FIELDS[0] {
                self.version(&node);
            } else {
                self.policies = Some(node);
            }
            seen.push(key.name);
        }
        self.problems();
        if self.reader.is_cut() {
            return;
        }
        for required in FIELDS {
            if !seen.iter().any(|name| name == required) {
                decode::missing(root, required, &mut self.sink());
            }
        }
    }

    fn version(&mut self, node: &Node<'_>) {
        if !matches!(node.kind, Kind::Absent) {
            let gate = version::gate(FIELDS[0], node, &mut self.sink());
            self.gate = Some(gate);
        }
    }

    /// Of a text with a fault of encoding nothing but the version can be judged: what stands around it is not known.
    fn version_alone(mut self, error: Error) -> CheckedText {
        let text = self.source.text();
        value_before(text, text.len(), FIELDS[0], |node| self.version(node));
        let found = self.finish(None);
        let is_unsupported =
            |d: &Diagnostic| d.kind == Finding::Error(Code::UnsupportedManifestVersion);
        if found.diagnostics.iter().any(is_unsupported) {
            return found;
        }
        CheckedText {
            diagnostics: error.into_diagnostics(),
            ..found
        }
    }

    fn finish(mut self, policies: Option<&mut Policies<'_>>) -> CheckedText {
        let version = match self.gate.take() {
            Some(Gate::Unsupported { version, span }) => {
                return CheckedText {
                    diagnostics: vec![unsupported("overlay", &version, span, &self.source)],
                    version: Some(version),
                    policies: 0,
                };
            }
            Some(Gate::Known) => Some(version::VERSION.to_owned()),
            Some(Gate::Invalid) | None => None,
        };
        let Self {
            source,
            mut findings,
            policies: node,
            ..
        } = self;
        let changes = node.map_or(0, |node| changes(&node, policies, &source, &mut findings));
        CheckedText {
            version,
            policies: changes,
            diagnostics: findings.finish(),
        }
    }
}

/// Reads what an overlay says about policies, and applies it; how many it names.
fn changes(
    node: &Node<'_>,
    mut policies: Option<&mut Policies<'_>>,
    source: &Source<'_>,
    findings: &mut Findings,
) -> usize {
    let Kind::Mapping(mapping) = &node.kind else {
        let expected = "`policies` must be a mapping from names to what changes (`{}` for nothing)";
        let help = "write `NAME:`, and below it the fields to set";
        decode::wrong_type(node, expected, help, &mut sink(source, findings, None));
        return 0;
    };
    let cache = Cache::default();
    let mut seen = HashSet::new();
    for yaml::Entry { key, value } in &mapping.entries {
        // A second one of a name was reported as a duplicate.
        if key.reported || !seen.insert(&key.name) {
            continue;
        }
        let label = policy::label(&key.name);
        let mut sink = sink(source, findings, Some(label));
        if !is_quoted(source.slice(key.span)) && classify(&key.name) != Plain::String {
            let message = format!(
                "`{}` is not text to every reader of YAML",
                decode::excerpt(&key.name)
            );
            sink.error_help(key.span, message, "quote the name");
        }
        let change = policy::change((&key.name, key.span), value, source, &cache, &mut sink);
        if let Some(policies) = policies.as_deref_mut() {
            if let Some(change) = change {
                apply(policies, &key.name, key.span, change, &mut sink);
                continue;
            }
            if !declares_new(value) && policies.get(&key.name).is_none() {
                unknown(policies, &key.name, key.span, &mut sink);
            }
            policies.unclear.insert(key.name.clone().into_owned());
        }
    }
    mapping.entries.len()
}

/// Whether it is said that the manifest does not have the policy, right or wrong.
fn declares_new(node: &Node<'_>) -> bool {
    let Kind::Mapping(mapping) = &node.kind else {
        return false;
    };
    mapping.entries.iter().any(|entry| entry.key.name == "new")
}

fn unknown(policies: &mut Policies<'_>, name: &str, at: Span, sink: &mut Sink<'_>) {
    if policies.unclear.contains(name) {
        return;
    }
    let message = format!("no policy is named `{}`", decode::excerpt(name));
    let help = match policies.like(name) {
        Some(near) => format!("did you mean `{}`?", decode::excerpt(near)),
        None => "check the name; `new: true` declares a policy that the manifest does not have"
            .to_owned(),
    };
    sink.error_help(at, message, help);
}

fn is_quoted(key: &str) -> bool {
    key.starts_with(['"', '\''])
}

fn apply(policies: &mut Policies<'_>, name: &str, at: Span, change: Change, sink: &mut Sink<'_>) {
    if policies.unclear.contains(name) {
        return;
    }
    let there = policies.get(name);
    let changed = match (change, there) {
        (Change::Add(policy), None) => Some(*policy),
        (Change::Add(_), Some(_)) => {
            let message = format!("a policy is named `{}` already", decode::excerpt(name));
            return sink.error_help(at, message, "leave out `new` to set fields of it");
        }
        (Change::Set(fields), Some(policy)) => Some(policy.with(fields)),
        (Change::Remove, Some(_)) => None,
        (Change::Set(_) | Change::Remove, None) => {
            return unknown(policies, name, at, sink);
        }
    };
    policies.changed.insert(name.to_owned(), changed);
}
