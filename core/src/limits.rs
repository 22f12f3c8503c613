//! The bounds that keep every input within time and memory. They are part of the contract.

/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 256 * 1024 * 1024;
/// Policies of a manifest.
pub const POLICIES: usize = 1_000_000;
/// Nested lists and mappings of a YAML document.
pub const YAML_NESTING: usize = 16;
/// Values in one policy, or in one other field of a manifest.
pub const VALUES: usize = 100_000;
/// Unicode scalar values of a policy's name.
pub const NAME_CHARS: usize = 200;
/// Bytes of an action type.
pub const ACTION_TYPE_BYTES: usize = 128;
/// Hours an approval may take.
pub const APPROVAL_TIMEOUT_HOURS: u16 = 8760;
/// Hours an approval takes where a manifest says nothing.
pub const DEFAULT_APPROVAL_TIMEOUT_HOURS: u16 = 8;
/// Bytes of a conditions document.
pub const CONDITIONS_BYTES: usize = 64 * 1024;
/// Nested groups of a conditions document.
pub const CONDITIONS_NESTING: usize = 16;
/// Comparisons and groups of a conditions document.
pub const RULES: usize = 1_000;
/// Elements of all list values of a conditions document, and of one allow-list.
pub const LIST_ITEMS: usize = 10_000;
/// Bytes of a pattern.
pub const PATTERN_BYTES: usize = 4 * 1024;
/// Bytes of a compiled pattern.
pub const COMPILED_PATTERN_BYTES: usize = 1024 * 1024;
/// Segments of a path.
pub const PATH_SEGMENTS: usize = 32;
/// Bytes of an action.
pub const ACTION_BYTES: usize = 1024 * 1024;
/// Nested lists and objects of an action.
pub const ACTION_NESTING: usize = 32;
/// Bytes of text that an operator reads; longer text is unknown.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Bytes of all values that the trace of a decision repeats; what does not fit is left out, its result is not.
pub const TRACE_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of all compiled patterns of a conditions document, or of an allow-list, together.
pub const COMPILED_PATTERNS_BYTES: usize = 4 * 1024 * 1024;
/// Findings reported in one run.
pub const DIAGNOSTICS: usize = 1_000;
/// Events of a page of the audit log, where nothing else is asked for.
pub const PAGE_DEFAULT: usize = 100;
/// Events of a page of the audit log at most.
pub const PAGE_MAX: usize = 1_000;
/// Bytes of a checkpoint with its signatures.
pub const CHECKPOINT_BYTES: usize = 256 * 1024;
/// Signatures of a checkpoint.
pub const CHECKPOINT_SIGNATURES: usize = 64;
/// Bytes of a proof, with its event and its checkpoint.
pub const PROOF_BYTES: usize = 1024 * 1024;
/// Bytes of a saved plan, which holds the texts of its manifest beside what they change.
pub const PLAN_BYTES: usize = 1024 * 1024 * 1024;

/// The share of active policies, in percent, that a change may deactivate unless its author says the exact number.
pub const DEACTIVATION_PERCENT: u64 = 30;

/// Below so many active policies a share says little.
pub const GUARDED_POLICIES: usize = 10;
