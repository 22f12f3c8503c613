//! Compiling policies beside those of another set: what the two have in common is compiled once, and shared.

use std::collections::HashSet;
use std::num::NonZero;

use foldhash::fast::RandomState;

use super::draft::{Draft, label};
use super::set::{Entry, EntryRef};
use super::{PolicyRow, PolicySet, PolicySpec};
use crate::condition::Cache;
use crate::error::{Code, Error};
use crate::findings::{Findings, Nowhere, Sink};
use crate::parallel::{Piece, batches, in_order};
use crate::source::Span;

/// Policies to be compiled, such as the rows of a store beside the policies of a manifest.
///
/// ```
/// use std::num::NonZero;
/// use lattice_core::{Beside, Manifest, PolicyRow};
///
/// let manifest = Manifest::parse(
///     b"manifest_version: '1.0'
/// policies:
///   - name: reviewed-deploys
///     action_type: deploy.production
///     approval_required: true
///     allowed_repos: null
///     allowed_branches: [main]
///     conditions: null
/// ",
/// )?;
/// let mut rows = Beside::new(manifest.policies());
/// rows.push(&PolicyRow {
///     name: "reviewed-deploys",
///     action_type: "deploy.production",
///     approval_required: true,
///     approval_timeout_hours: 8,
///     allowed_repos: None,
///     allowed_branches: Some(vec!["main".into()]),
///     conditions: None,
/// });
/// assert_eq!(&rows.compile(NonZero::<usize>::MIN)?, manifest.policies());
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Beside<'k> {
    known: &'k PolicySet,
    /// How many of the known policies a row is beyond.
    passed: usize,
    rows: Vec<Row<'k>>,
    /// Whether the rows are in name order, each name once. Found while their names are at hand.
    in_order: bool,
    last: String,
}

impl<'k> Beside<'k> {
    /// None yet, beside the policies of `known`.
    pub fn new(known: &'k PolicySet) -> Self {
        Self {
            known,
            passed: 0,
            rows: Vec::new(),
            in_order: true,
            last: String::new(),
        }
    }

    /// Adds a policy; one that is known and written just so is shared. All of those are found if rows come in name order.
    pub fn push(&mut self, row: &PolicyRow<'_>) {
        if !self.share(row) {
            self.push_spec(row.to_spec());
        }
    }

    /// Adds plain data.
    pub(super) fn push_spec(&mut self, spec: PolicySpec) {
        self.pass(&spec.name);
        self.rows.push(Row::Spec(Box::new(spec)));
    }

    /// Adds a policy if it is known.
    pub(super) fn share(&mut self, row: &PolicyRow<'_>) -> bool {
        if self.passed == self.known.len() {
            return false;
        }
        // Digests lie side by side. A look at each policy, wherever that lies in memory, would take longer.
        let digest = row.digest();
        let is_before =
            |entry: &EntryRef<'_>| *entry.digest != digest && entry.policy.name() < row.name;
        let mut ahead = self.known.entry(self.passed);
        while ahead.as_ref().is_some_and(is_before) {
            self.passed += 1;
            ahead = self.known.entry(self.passed);
        }
        let Some(same) = ahead.filter(|entry| *entry.digest == digest) else {
            return false;
        };
        self.passed += 1;
        self.pass(row.name);
        self.rows.push(Row::Known(same));
        true
    }

    fn pass(&mut self, name: &str) {
        self.in_order &= self.rows.is_empty() || *self.last < *name;
        self.last.clear();
        self.last.push_str(name);
    }

    /// The policies as plain data, in their order.
    pub fn into_specs(self) -> impl Iterator<Item = PolicySpec> + use<'k> {
        self.rows.into_iter().map(|row| match row {
            Row::Known(entry) => entry.policy.spec(),
            Row::Spec(spec) => *spec,
        })
    }

    /// Compiles what is not compiled, by so many threads at most.
    ///
    /// # Errors
    ///
    /// As for [`PolicySet::compile`].
    pub fn compile(self, threads: NonZero<usize>) -> Result<PolicySet, Error> {
        let is_known = |row: &Row<'_>| matches!(row, Row::Known(_));
        if self.rows.len() == self.known.len() && self.rows.iter().all(is_known) {
            return Ok(self.known.clone());
        }
        let repeated = if self.in_order {
            HashSet::default()
        } else {
            repeated(&self.rows)
        };
        let rows = self.rows.into_iter().enumerate().map(|(at, row)| {
            let is_new = !repeated.contains(&at);
            (row, is_new)
        });
        let cache = Cache::default();
        let mut findings = Findings::default();
        let mut entries = Vec::with_capacity(rows.len());
        in_order(
            threads,
            batches(rows),
            |rows| compile(rows, &cache),
            |(compiled, found)| {
                entries.extend(compiled);
                findings.absorb(found);
            },
        );
        match Error::from_diagnostics(findings.in_order_of_report()) {
            Some(error) => Err(error),
            None if self.in_order => Ok(PolicySet::in_order(entries)),
            None => Ok(PolicySet::new(entries)),
        }
    }
}

/// A policy to be compiled.
#[derive(Debug)]
enum Row<'k> {
    /// It was compiled before.
    Known(EntryRef<'k>),
    Spec(Box<PolicySpec>),
}

impl Row<'_> {
    fn name(&self) -> &str {
        match self {
            Row::Known(entry) => entry.policy.name(),
            Row::Spec(spec) => &spec.name,
        }
    }
}

/// Where the rows are whose name another before them has.
fn repeated(rows: &[Row<'_>]) -> HashSet<usize, RandomState> {
    let mut names: HashSet<&str, RandomState> = HashSet::default();
    let numbered = rows.iter().enumerate();
    let repeated = numbered.filter(|(_, row)| !names.insert(row.name()));
    repeated.map(|(at, _)| at).collect()
}

/// A row, and whether no other before it has its name.
impl Piece for (Row<'_>, bool) {
    fn bytes(&self) -> usize {
        let Row::Spec(spec) = &self.0 else {
            return 0;
        };
        // Beside the conditions, the patterns are what may be long.
        let lists = [&spec.allowed_repos, &spec.allowed_branches];
        let patterns = lists.into_iter().flatten().flatten();
        spec.name.len()
            + spec.conditions.as_ref().map_or(0, String::len)
            + patterns.map(String::len).sum::<usize>()
    }
}

/// Compiles some policies, one after the other.
fn compile(rows: Vec<(Row<'_>, bool)>, cache: &Cache) -> (Vec<Entry>, Findings) {
    let mut findings = Findings::default();
    let mut entries = Vec::with_capacity(rows.len());
    for (row, is_new) in rows {
        if is_new && let Row::Known(entry) = row {
            entries.push(entry.cloned());
            continue;
        }
        let label = label(row.name());
        let mut sink = Sink {
            code: Code::InvalidManifest,
            policy: Some(label.clone()),
            text: &Nowhere,
            findings: &mut findings,
        };
        if !is_new {
            let message = format!("duplicate policy name `{label}`");
            sink.error_help(Span::default(), message, "rename one of the two");
        }
        if let Row::Spec(spec) = &row {
            let policy = Draft::of(spec).compile(&label, cache, &mut sink);
            entries.extend(policy.map(Entry::new));
        }
    }
    (entries, findings)
}
