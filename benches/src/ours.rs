//! Every call of the product, in one place.

pub mod audit;

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lattice_core::condition::{Truth, bench};
use lattice_core::hash::{self, Hash};
use lattice_core::view::{KeyKind, Status};
use lattice_core::{
    Action, Conditions, Manifest, Mode, Plan, PolicySet, PolicySpec, Prepared, State,
};
use lattice_workspace::{Ambient, Key, Location, Reader, Store, create_workspace, import};

use crate::input::Policy;

/// Reads, checks and compiles a manifest.
pub fn read(text: &str) -> Manifest {
    Manifest::parse(text.as_bytes()).expect("a valid manifest")
}

/// The same by several threads.
pub fn read_on(threads: NonZero<usize>, text: &str) -> Manifest {
    Manifest::parse_on(threads, text.as_bytes()).expect("a valid manifest")
}

/// Policies as the product takes plain data.
pub fn specs(policies: &[Policy]) -> Vec<PolicySpec> {
    let spec = |policy: &Policy| PolicySpec {
        name: policy.name.clone(),
        action_type: policy.action_type.clone(),
        approval_required: policy.approval_required,
        approval_timeout_hours: policy.hours,
        allowed_repos: policy.repos.clone(),
        allowed_branches: policy.branches.clone(),
        conditions: policy.rules.as_ref().map(crate::input::Rules::canonical),
    };
    policies.iter().map(spec).collect()
}

/// Compiles plain data.
pub fn compile(specs: Vec<PolicySpec>) -> PolicySet {
    PolicySet::compile(specs).expect("valid policies")
}

/// The same by several threads.
pub fn compile_on(threads: NonZero<usize>, specs: Vec<PolicySpec>) -> PolicySet {
    PolicySet::compile_beside(threads, specs, &PolicySet::default()).expect("valid policies")
}

/// Writes a manifest.
pub fn write(policies: &PolicySet) -> String {
    Manifest::write("Acme", Timestamp::UNIX_EPOCH, policies, &[])
}

/// The canonical text of a manifest.
pub fn format(text: &str) -> String {
    lattice_core::format(text.as_bytes()).expect("a valid manifest")
}

/// Compiles a conditions document from its text.
pub fn condition(text: &str) -> Conditions {
    Conditions::parse(text).expect("valid conditions")
}

/// Reads a conditions document as a tree, the first step of compiling it.
pub fn condition_tree(text: &str) -> bench::Parsed<'_> {
    bench::read(text).expect("a valid document")
}

/// Compiles a conditions document from its tree, the second step.
pub fn condition_of(tree: &bench::Parsed<'_>) -> Conditions {
    bench::compile(tree).expect("valid conditions")
}

/// An action, ready to be decided about.
pub fn action(json: &str) -> Action<'_> {
    Action::parse(json.as_bytes()).expect("a valid action")
}

/// The bare verdict.
pub fn test(conditions: &Conditions, action: &Action) -> bool {
    conditions.test(action) == Truth::True
}

/// The verdict with the outcome of every rule.
pub fn trace<'a>(conditions: &'a Conditions, action: &'a Action<'a>) -> impl Sized + 'a {
    conditions.evaluate(action)
}

/// The bare verdict of a set.
pub fn verdict(policies: &PolicySet, action: &Action<'_>) -> Status {
    policies.verdict(action).status
}

/// An action beside the policies that decide about it, its fields found.
pub fn prepare<'a>(policies: &'a PolicySet, action: &'a Action<'a>) -> Prepared<'a> {
    policies.prepare(action)
}

/// The bare verdict of a prepared action.
pub fn prepared_verdict(prepared: &Prepared<'_>) -> Status {
    prepared.verdict().status
}

/// A decision with its whole trace.
pub fn decide<'a>(policies: &'a PolicySet, action: &'a Action<'a>) -> impl Sized + 'a {
    policies.decide(action)
}

/// A decision with its whole trace that outlives the action.
pub fn decide_to_keep(policies: &PolicySet, action: &Action<'_>) -> impl Sized + use<> {
    policies.decide(action).into_owned()
}

/// Whether a decision lets the action go on, or asks a human.
pub fn admits(policies: &PolicySet, action: &Action) -> bool {
    matches!(
        policies.decide(action).status,
        Status::Executed | Status::Requested
    )
}

/// How many policies a decision judged.
pub fn judged(policies: &PolicySet, action: &Action) -> usize {
    policies.decide(action).policies.len()
}

/// A workspace with these policies.
pub fn state(policies: &PolicySet) -> State {
    State {
        active: policies.clone(),
        ..State::default()
    }
}

/// What a replacing import would do.
pub fn plan(current: &State, desired: &PolicySet) -> Plan {
    Plan::new(current, desired, Mode::Replace)
}

/// Added, modified and removed policies of a plan.
pub fn changes(plan: &Plan) -> [usize; 3] {
    let summary = plan.summary();
    [summary.added, summary.modified, summary.deactivated]
}

/// The state digest.
pub fn digest(policies: &PolicySet) -> Hash {
    policies.digest()
}

/// Reads a file and hashes it, as a manifest is.
pub fn hash_file(path: &Path) -> Hash {
    hash::sha256(&fs::read(path).expect("a readable file"))
}

/// Hashes a text that was read.
pub fn hash(text: &[u8]) -> Hash {
    hash::sha256(text)
}

/// A workspace in an SQLite file.
#[derive(Debug)]
pub struct Workspace {
    store: Box<dyn Store>,
    key: Key,
    imports: u8,
}

impl Workspace {
    /// An empty one, in a file that is made.
    pub fn create(file: &Path) -> Self {
        let url = format!("sqlite:{}", file.display());
        let store = Location::parse(&url).expect("a location").open();
        let created =
            create_workspace(&*store, "bench", None, &ambient(0)).expect("a new workspace");
        let key = Key::parse(&created.service_key).expect("its key");
        Self {
            store,
            key,
            imports: 0,
        }
    }

    /// Plans the import of a manifest that was read, and commits it.
    pub fn import(&mut self, manifest: &Manifest, mode: Mode) {
        self.imports += 1;
        let reader = Reader::open_to_import(&*self.store, &self.key, None).expect("the workspace");
        let planned = reader.plan(manifest, mode).expect("a plan");
        drop(reader);
        import(&*self.store, &self.key, &planned, &ambient(self.imports)).expect("an import");
    }

    /// Reads and compiles what is there, and decides about an action.
    pub fn load(&self, action: &Action) {
        let reader =
            Reader::open(&*self.store, &self.key, KeyKind::Agent, None).expect("the workspace");
        reader.decide(action).expect("a decision");
    }
}

fn ambient(n: u8) -> Ambient {
    Ambient {
        now: Timestamp::UNIX_EPOCH,
        seed: [n; 64],
    }
}

/// The release build of `al`.
pub fn executable() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/al")
}
