//! One reading of one text: the version gate, then every field, policy by policy.

use std::borrow::Cow;
use std::num::NonZero;

use jiff::Timestamp;

use super::names::Names;
use super::{FIELDS, Manifest, Validation, parts};
use crate::breaker::{self, Breaker};
use crate::condition::Cache;
use crate::decode::{self, report_problems};
use crate::error::{Code, Diagnostic, Error, Kind as Finding};
use crate::findings::{Findings, Sink};
use crate::hash::Running;
use crate::limits;
use crate::policy::{self, Entry, PolicySet};
use crate::source::{Source, Span, strip_bom};
use crate::version::{self, Gate};
use crate::yaml::{Kind, Node, Reader, Root};

/// Reads the bytes of a manifest.
pub(super) fn read(threads: NonZero<usize>, bytes: &[u8]) -> Validation {
    let text = match text_of("manifest", bytes) {
        Ok(text) => text,
        Err(error) => return Reading::new(valid(bytes), bytes).version_alone(error),
    };
    Reading::new(text, bytes).run(threads)
}

/// What stands before the first fault of an encoding, where there may be a version. The limit comes first.
pub(crate) fn valid(bytes: &[u8]) -> &str {
    if bytes.len() > limits::MANIFEST_BYTES {
        return "";
    }
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    strip_bom(valid)
}

/// The text of a document, which `what` names.
pub(crate) fn text_of<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
    let limit = limits::MANIFEST_BYTES;
    if bytes.len() > limit {
        let message = format!("the {what} has {} bytes, more than {limit}", bytes.len());
        return Err(Error::new(Code::InvalidManifest, message).with_help("split it"));
    }
    let invalid = |text: &str, at: usize, message: &str, help: &str| {
        let place = Source::new(text).place(Span::at(at));
        let error = Error::new(Code::InvalidManifest, message);
        Err(error.with_place(place).with_help(help))
    };
    let text = std::str::from_utf8(bytes).or_else(|_| {
        let text = valid(bytes);
        let message = "the text is not UTF-8 from here on";
        invalid(text, text.len(), message, "save the file as UTF-8")
    })?;
    let text = strip_bom(text);
    if text.starts_with('\u{feff}') {
        return invalid(text, 0, "a second byte-order mark", "remove it");
    }
    Ok(text)
}

/// One reading of one text.
struct Reading<'a> {
    source: Source<'a>,
    reader: Reader<'a>,
    findings: Findings,
    version: Option<String>,
    unsupported: Option<Diagnostic>,
    /// A value for the version was there to be judged.
    gated: bool,
    /// The known root keys so far.
    seen: Vec<&'static str>,
    exported_at: Option<Timestamp>,
    org_name: Option<String>,
    policies: Vec<Entry>,
    /// Whether they are in name order.
    in_order: bool,
    breakers: Vec<Breaker>,
    sha256: Running<'a>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            source: Source::new(text),
            reader: Reader::new(text, limits::YAML_NESTING),
            findings: Findings::default(),
            version: None,
            unsupported: None,
            gated: false,
            seen: Vec::new(),
            exported_at: None,
            org_name: None,
            policies: Vec::new(),
            in_order: true,
            breakers: Vec::new(),
            sha256: Running::new(bytes),
        }
    }

    /// Of a text with a fault of encoding nothing but the version can be judged: what stands around it is not known.
    fn version_alone(mut self, error: Error) -> Validation {
        self.version_before(self.source.text().len());
        let unsupported = self.unsupported.map(|unsupported| vec![unsupported]);
        Validation {
            version: self.version,
            manifest: None,
            diagnostics: unsupported.unwrap_or_else(|| error.into_diagnostics()),
        }
    }

    fn run(mut self, threads: NonZero<usize>) -> Validation {
        let root = self.reader.open();
        self.problems();
        match root {
            Root::Nothing if self.reader.is_cut() => {}
            Root::Nothing => {
                let help = "write at least `manifest_version: '1.0'` and `policies: []`";
                self.sink()
                    .error_help(Span::at(0), "the manifest is empty", help);
            }
            Root::Other(node) => {
                let help = "begin with `manifest_version: '1.0'`";
                decode::wrong_type(
                    &node,
                    "a manifest must be a mapping",
                    help,
                    &mut self.sink(),
                );
            }
            Root::Mapping(span) => self.fields(threads, span),
        }
        if let (Some(fault), false) = (self.reader.stopped_at(), self.gated) {
            self.version_before(fault);
        }
        if let Some(unsupported) = self.unsupported {
            return Validation {
                version: self.version,
                manifest: None,
                diagnostics: vec![unsupported],
            };
        }
        self.reader.close();
        self.problems();
        let diagnostics = self.findings.finish();
        let valid = diagnostics
            .iter()
            .all(|d| matches!(d.kind, Finding::Warning(_)));
        let policies = if self.in_order {
            PolicySet::in_order
        } else {
            PolicySet::new
        };
        let manifest = valid.then(|| Manifest {
            exported_at: self.exported_at,
            org_name: self.org_name,
            policies: policies(self.policies),
            breakers: self.breakers,
            sha256: self.sha256.finish(),
            rendered_sha256: None,
            overlays: Vec::new(),
        });
        Validation {
            version: self.version,
            manifest,
            diagnostics,
        }
    }

    fn sink(&mut self) -> Sink<'_> {
        sink(&self.source, &mut self.findings, None)
    }

    /// Reports what the reader found since the last call.
    fn problems(&mut self) {
        let problems = self.reader.take_problems();
        report_problems(problems, &mut self.sink());
    }

    fn fields(&mut self, threads: NonZero<usize>, root: Span) {
        while let Some(key) = self.reader.next_key() {
            self.problems();
            if key.name == "overlay_version" {
                let message = "this is an overlay, not a manifest";
                let help = "name it with `--overlay`, beside the manifest that it changes";
                return self.sink().error_help(key.span, message, help);
            }
            let name = FIELDS.iter().find(|field| **field == key.name);
            let Some(&name) = name.filter(|name| !self.seen.contains(*name)) else {
                // A second one of a known key was reported as a duplicate.
                decode::check_key(&key, "a manifest", &FIELDS, &mut self.sink());
                self.reader.value();
                self.problems();
                continue;
            };
            self.seen.push(name);
            if name == "policies" {
                self.policies(threads, root);
            } else {
                let node = self.reader.value();
                self.problems();
                self.field(name, &node);
            }
            if self.unsupported.is_some() {
                return;
            }
        }
        self.problems();
        if self.reader.is_cut() {
            return;
        }
        for required in ["manifest_version", "policies"] {
            if !self.seen.contains(&required) {
                decode::missing(root, required, &mut self.sink());
            }
        }
    }

    fn version_before(&mut self, fault: usize) {
        let text = self.source.text();
        value_before(text, fault, "manifest_version", |node| {
            self.field("manifest_version", node);
        });
    }

    fn field(&mut self, name: &str, node: &Node<'_>) {
        let Self {
            source, findings, ..
        } = self;
        let mut sink = sink(source, findings, None);
        match name {
            "manifest_version" => {
                self.gated = !matches!(node.kind, Kind::Absent);
                match version::gate("manifest_version", node, &mut sink) {
                    Gate::Known => self.version = Some(version::VERSION.to_owned()),
                    Gate::Invalid => {}
                    Gate::Unsupported { version, span } => {
                        self.unsupported = Some(unsupported("manifest", &version, span, source));
                        self.version = Some(version);
                    }
                }
            }
            "exported_at" => self.exported_at = exported_at(node, &mut sink),
            "org_name" => {
                let text = decode::nullable_string(node, "`org_name`", &mut sink);
                self.org_name = text.ok().flatten().map(str::to_owned);
            }
            _ => self.breakers = breaker::read_all(node, &mut sink),
        }
    }

    fn policies(&mut self, threads: NonZero<usize>, root: Span) {
        let list = match self.reader.enter_list() {
            Ok(list) => list,
            Err(node) => {
                self.problems();
                let expected = "`policies` must be a list (`[]` for none)";
                let help = "write `- name: …` and indent what belongs to it, or `[]`";
                decode::wrong_type(&node, expected, help, &mut self.sink());
                return;
            }
        };
        let cache = Cache::default();
        // With a look at the first item, as the parser tells of an anchor behind what it stands before.
        if self.reader.item_start().is_some()
            && self.reader.in_good_form()
            && let Some(read) =
                parts::read(threads, &self.source, root, list, &cache, &mut self.sha256)
        {
            self.findings.absorb(read.findings);
            self.policies = read.policies;
            self.in_order = read.in_order;
            self.reader.go_to(read.end);
            return;
        }
        let mut names = Names::new(self.source.text());
        let mut index = 0;
        while let Some(node) = self.reader.next_item() {
            let own_name = policy::name_of(&node);
            let problems = self.reader.take_problems();
            let policy = own_name.map(|(name, _)| policy::label(name));
            let label = policy
                .clone()
                .unwrap_or_else(|| format!("policies[{index}]"));
            let mut sink = sink(&self.source, &mut self.findings, policy);
            report_problems(problems, &mut sink);
            if index == limits::POLICIES {
                let message = format!("the manifest has more than {} policies", limits::POLICIES);
                sink.error_help(node.span, message, "split it");
                return self.reader.leave_list();
            }
            if let Some((name, span)) = own_name
                && let Some(first) = names.add(name, span)
            {
                sink.duplicate(
                    span,
                    format!("duplicate policy name `{}`", decode::excerpt(name)),
                    Some("rename one of the two, or remove it".to_owned()),
                    (first, "first used here".to_owned()),
                );
            }
            let policy = policy::read(&node, &label, &self.source, &cache, &mut sink);
            let read = Span::new(list.start, node.span.end);
            let policy = policy.map(Entry::new);
            parts::extend(&mut self.policies, policy, read, self.source.text().len());
            index += 1;
        }
        self.in_order = names.in_order();
    }
}

/// Where findings of a policy go, or of no policy.
pub(crate) fn sink<'s>(
    source: &'s Source<'_>,
    findings: &'s mut Findings,
    policy: Option<String>,
) -> Sink<'s> {
    Sink {
        code: Code::InvalidManifest,
        policy,
        text: source,
        findings,
    }
}

/// Gives the value of a root key that stands in the text before a fault. The parser looks ahead: what it had not handed
/// out when it came to the fault may be it.
pub(crate) fn value_before(text: &str, fault: usize, key: &str, found: impl FnOnce(&Node<'_>)) {
    let text = whole_before(text, fault);
    let mut reader = Reader::new(&text, limits::YAML_NESTING);
    if !matches!(reader.open(), Root::Mapping(_)) {
        return;
    }
    while let Some(next) = reader.next_key() {
        let node = reader.value();
        if next.name == key {
            return found(&node);
        }
    }
}

/// The finding of a version that is another engine's, in the kind of document that `what` names.
pub(crate) fn unsupported(
    what: &str,
    version: &str,
    span: Span,
    source: &Source<'_>,
) -> Diagnostic {
    let message = format!(
        "{what} version `{}` is not supported: this engine reads `{}`",
        decode::excerpt(version),
        version::VERSION
    );
    let mut diagnostic = Diagnostic::error(Code::UnsupportedManifestVersion, message);
    diagnostic.place = Some(source.place(span));
    diagnostic.help = Some(match what {
        "manifest" => "export the manifest again with the current CLI, or upgrade".to_owned(),
        what => format!("write the {what} for this version, or upgrade"),
    });
    diagnostic
}

fn exported_at(node: &Node<'_>, sink: &mut Sink<'_>) -> Option<Timestamp> {
    if decode::is_null(node) {
        return None;
    }
    let time = match &node.kind {
        Kind::Scalar(scalar) => scalar.text.parse().ok(),
        Kind::List(_) | Kind::Mapping(_) | Kind::Absent => None,
    };
    if time.is_none() && !matches!(node.kind, Kind::Absent) {
        sink.error_help(
            node.span,
            format!(
                "`exported_at` must be an RFC 3339 time, found {}",
                decode::found(node)
            ),
            "write it as `'2026-04-01T10:30:00.000Z'`, or `null`",
        );
    }
    time
}

/// The part of the text before a fault that stands for itself: whole lines, or in brackets whole fields.
fn whole_before(text: &str, fault: usize) -> Cow<'_, str> {
    let root = root(text);
    if !text.get(root..).unwrap_or_default().starts_with('{') {
        let lines = text.get(..fault).unwrap_or_default();
        let end = lines.rfind('\n').map_or(0, |end| end + 1);
        return Cow::Borrowed(lines.get(..end).unwrap_or_default());
    }
    // A bracket that is never closed is reported where it was opened.
    let fault = if fault <= root { text.len() } else { fault };
    let (mut depth, mut quote, mut escaped, mut comment) = (0_usize, None, false, false);
    let (mut end, mut before, mut significant) = (root + 1, ' ', ' ');
    let fields = text.get(root..fault).unwrap_or_default();
    for (at, c) in fields.char_indices() {
        match (quote, c) {
            _ if comment => comment = c != '\n',
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '#') if before.is_whitespace() => comment = true,
            // Within plain text, a quote is a letter as others are.
            (None, '"' | '\'') if matches!(significant, '{' | '[' | ',' | ':') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 1 => end = root + at,
            (Some(_) | None, _) => {}
        }
        before = c;
        if !c.is_whitespace() {
            significant = c;
        }
    }
    Cow::Owned(format!("{}}}", text.get(..end).unwrap_or_default()))
}

/// Where the root begins: behind white space, comments and the mark of a document's start.
fn root(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        rest = match rest.strip_prefix("---") {
            Some(behind) => behind,
            None if rest.starts_with('#') => {
                let end = rest.find('\n').unwrap_or(rest.len());
                rest.get(end..).unwrap_or_default()
            }
            None => return text.len() - rest.len(),
        };
    }
}
