/**
 * Promote the governance policies of AI agents from one environment to the next.
 *
 * Results are documents: plain data with the keys that `al --format json` prints. `schema(name)` describes each.
 * Integers beyond ±(2^53 − 1) are `bigint`. Whatever the engine refuses is thrown, or rejected, as a
 * {@link LatticeError}; an argument of a wrong JavaScript type is a `TypeError`.
 */

/** A JSON number. An integer beyond ±(2^53 − 1) comes, and must be given, as a `bigint` within 64 bits. */
export type JsonNumber = number | bigint;

/** A value of an action or of a trace. */
export type JsonValue = null | boolean | JsonNumber | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * A text: a string, its bytes in UTF-8, either of them with the name that errors give it, or a file. A string is
 * never a path: write `{ path }`.
 */
export type Text = string | Uint8Array | { text: string | Uint8Array; name?: string } | { path: string };

/** What an agent wants to do. Plain data: what is no JSON, NaN and infinities are refused. */
export interface ActionObject {
  action_type: string;
  metadata?: { [key: string]: ActionValue };
  data_accessed?: readonly ActionValue[];
  timestamp?: ActionValue;
  event_id?: ActionValue;
}

/** A value of an action. A property that is undefined counts as absent. */
export type ActionValue =
  | null
  | boolean
  | JsonNumber
  | string
  | readonly ActionValue[]
  | { readonly [key: string]: ActionValue | undefined };

/** An action: an object, or JSON text or its bytes. */
export type Action = ActionObject | string | Uint8Array;

/** A stable code of what went wrong. */
export type Code =
  | 'UNSUPPORTED_MANIFEST_VERSION'
  | 'INVALID_MANIFEST'
  | 'POLICY_COMPILE_ERROR'
  | 'INVALID_SERVICE_KEY'
  | 'INVALID_ACTION'
  | 'STATE_CHANGED'
  | 'STALE_PLAN'
  | 'INVALID_PLAN'
  | 'WORKSPACE_MISMATCH'
  | 'DEACTIVATION_LIMIT'
  | 'LOOSENING_REFUSED'
  | 'AUDIT_TAMPERED'
  | 'INVALID_CHECKPOINT'
  | 'INVALID_AUDIT_KEY'
  | 'STORE_UNAVAILABLE'
  | 'IO_ERROR'
  | 'LIMIT_EXCEEDED'
  | 'USAGE'
  | 'INTERNAL';

/** An error as a document. */
export interface ErrorObject {
  code: Code;
  message: string;
  policy: string | null;
  file: string | null;
  /** From 1. */
  line: number | null;
  /** From 1, in Unicode scalar values. */
  column: number | null;
  help: string | null;
  plan: Plan | null;
  related: ErrorObject[];
}

/** Why the engine refused: the first error; `related` has the others of the run. */
export class LatticeError extends Error implements ErrorObject {
  constructor(document: { code: Code; message: string } & Partial<ErrorObject>);
  readonly name: 'LatticeError';
  readonly code: Code;
  readonly policy: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly help: string | null;
  readonly plan: Plan | null;
  readonly related: ErrorObject[];
  /** The error document. */
  toJSON(): { error: ErrorObject };
}

/** A policy as a manifest says it. */
export interface Policy {
  name: string;
  action_type: string;
  approval_required: boolean;
  approval_timeout_hours: number;
  allowed_repos: string[] | null;
  allowed_branches: string[] | null;
  conditions: string | null;
}

/** A circuit breaker, for reference. */
export interface Breaker {
  anomaly_type: string;
  score_threshold: JsonNumber;
  response_level: string;
}

/** A manifest as a document; policies in name order. */
export interface ManifestDocument {
  file: string | null;
  /** Of the bytes as read. */
  sha256: string;
  /** Of the manifest after overlays. */
  rendered_sha256: string | null;
  manifest_version: string;
  exported_at: string | null;
  org_name: string | null;
  policies: Policy[];
  circuit_breakers: Breaker[];
}

/** What a manifest is checked to be. */
export interface Validation {
  valid: boolean;
  files: {
    file: string;
    valid: boolean;
    manifest_version: string | null;
    policies: number | null;
    sha256: string | null;
  }[];
  diagnostics: Diagnostic[];
}

/** A finding. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  code: Code | 'EMPTY_ALLOW_LIST' | 'PRESENCE_TEST';
  message: string;
  policy: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
  help: string | null;
  related: { message: string; file: string | null; line: number | null; column: number | null }[];
}

/** What an import did, or would do. */
export interface Plan {
  workspace: { id: string; name: string; org_name: string } | null;
  mode: 'additive' | 'replace';
  dry_run: boolean;
  applied: boolean;
  manifest: { file: string | null; sha256: string; rendered_sha256: string | null; version: string; policies: number };
  summary: { added: number; modified: number; deactivated: number; unchanged: number; untouched: number };
  changes: {
    name: string;
    action: 'add' | 'modify' | 'deactivate' | 'unchanged' | 'untouched';
    reactivated: boolean;
    fields: { field: string; before: JsonValue; after: JsonValue }[];
  }[];
  notes: string[];
  /** Which side changed since the state that audit event `since` left; names of policies. */
  drift: { since: number; workspace: string[]; manifest: string[]; both: string[] } | null;
  event: AuditEvent | null;
  checkpoint: string | null;
}

/** What one rule said. */
export interface ConditionResult {
  field: string;
  operator: string;
  expected: JsonValue;
  actual: JsonValue;
  /** Null is unknown, which never grants; `reason` says why. */
  result: boolean | null;
  reason: string | null;
}

/** What conditions say about an action. */
export interface Evaluation {
  /** Null is unknown. */
  result: boolean | null;
  conditions_evaluated: ConditionResult[];
}

/** How an action is met, and why. */
export interface Decision {
  status: 'policy_not_found' | 'denied' | 'requested' | 'executed';
  denial_reason: 'CONDITIONS_DENIED' | null;
  policy_name: string | null;
  approval_timeout_hours: number | null;
  conditions_evaluated: ({ policy: string } & ConditionResult)[];
  policies: { name: string; result: boolean | null; approval_required: boolean }[];
}

/** A leaf of the audit log. What its kind does not use is null. */
export interface AuditLeaf {
  actor: string;
  added: number | null;
  after: string | null;
  before: string | null;
  changes: string | null;
  deleted: number | null;
  from: string | null;
  kind: 'import' | 'rollback' | 'key_created' | 'key_revoked' | 'log_key_rotated';
  log: string;
  manifest_sha256: string | null;
  manifest_version: string | null;
  modified: number | null;
  rendered_sha256: string | null;
  replace: boolean | null;
  seq: number;
  time: string;
  type: string;
  unchanged: number | null;
}

/** A leaf of the audit log, and the names that its digest covers: of policies, or of keys that were rotated. */
export interface AuditEvent extends AuditLeaf {
  names: { added: string[]; modified: string[]; deactivated: string[] };
}

/** States that a workspace had, newest first. */
export interface History {
  states: {
    event: number;
    time: string;
    kind: 'import' | 'rollback';
    actor: string;
    added: number;
    modified: number;
    deactivated: number;
    unchanged: number;
    state: string;
    manifest_sha256: string;
    rendered_sha256: string | null;
    replace: boolean;
    current: boolean;
  }[];
  next_cursor: number | null;
}

/** A page of the audit log. */
export interface AuditPage {
  events: AuditEvent[];
  next_cursor: number | null;
}

/** What became of the audit log. */
export interface Verification {
  valid: boolean;
  workspace: string;
  size: number;
  root: string;
  first_broken_seq: number | null;
  /** Null where the policies were not compared. */
  state_matches: boolean | null;
  /** The best of the checkpoints that are consistent. */
  trust: Trust;
  /** The checkpoints, in the order in which they were given. */
  pins: Pin[];
}

/**
 * What a verdict rests on: the store or the proof alone, a checkpoint that was kept, one that its log signed, and one that
 * a witness signed.
 */
export type Trust = 'self' | 'pinned' | 'signed' | 'witnessed';

/** What the audit log says about a checkpoint that was kept. */
export interface Pin {
  file: string | null;
  origin: string;
  size: number;
  root: string;
  /** Whether the log extends it. */
  result: 'consistent' | 'truncated' | 'forked';
  trust: Trust;
  /** The names of the given keys that signed it. */
  signers: string[];
}

/** What the proof of an audit event shows. */
export interface CheckedProof {
  valid: boolean;
  /** Null where the hashes do not lead from it to the root. */
  event: AuditLeaf | null;
  checkpoint: { origin: string; size: number; root: string; checkpoint: string };
  trust: Trust;
  signers: string[];
}

/** A manifest that was read; it stands for its text without being read again. */
export class Manifest {
  private constructor();
  /** The manifest as an export writes it, after overlays: policies in name order, in one layout, without comments. */
  render(): string;
  /** The manifest as a document. */
  toJSON(): ManifestDocument;
}

/** Where a manifest is wanted: one that was read, or its text. */
export type ManifestLike = Manifest | Text;

/** How a manifest meets what it does not name. */
export interface PlanOptions {
  /** Deactivate policies that the manifest does not name. */
  replace?: boolean | undefined;
}

/** What lets a change through that deactivates many policies. */
export interface GuardOptions {
  /** The exact number of deactivations that goes through, however many they are. */
  allowDeactivations?: number | undefined;
  /** The share of active policies that may be deactivated without that, in percent; 30 unless the environment says. */
  deactivationThreshold?: number | undefined;
}

/** What changes a manifest before it is used. */
export interface OverlayOptions {
  /** Overlays, which apply in this order. */
  overlays?: readonly Text[] | undefined;
}

/** What an audit log or a proof is held against. */
export interface EvidenceOptions {
  /** Checkpoints that were kept where the writer of the log cannot write. */
  checkpoints?: readonly Text[] | undefined;
  /** Keys, as `al audit keygen` prints them: of every type that is given, the log's and a witness's, one has to have signed. */
  vkeys?: readonly string[] | undefined;
}

/**
 * Reads a manifest, changed by overlays; `{ path }` may be a folder, whose manifests are merged.
 * @throws LatticeError with every error of the texts
 */
export function parseManifest(text: Text, options?: OverlayOptions): Promise<Manifest>;
/** {@link parseManifest}, on this thread. */
export function parseManifestSync(text: Text, options?: OverlayOptions): Manifest;

/**
 * Checks a manifest and its overlays: every error and warning, with its place. What is wrong is in the document, not
 * thrown.
 */
export function validate(text: Text, options?: OverlayOptions): Promise<Validation>;
/** {@link validate}, on this thread. */
export function validateSync(text: Text, options?: OverlayOptions): Validation;

/** The canonical text of a manifest, its comments kept. @throws LatticeError for what is not valid */
export function formatManifest(text: Text): Promise<string>;
/** {@link formatManifest}, on this thread. */
export function formatManifestSync(text: Text): string;

/** What turns the policies of `current` into those of `desired`. */
export function plan(current: ManifestLike, desired: ManifestLike, options?: PlanOptions): Promise<Plan>;
/** {@link plan}, on this thread. */
export function planSync(current: ManifestLike, desired: ManifestLike, options?: PlanOptions): Plan;

/** The plan that was saved, as it was reviewed. @throws LatticeError `INVALID_PLAN` for anything else */
export function showPlan(plan: Text): Promise<Plan>;
/** {@link showPlan}, on this thread. */
export function showPlanSync(plan: Text): Plan;

/**
 * Checks the proof of an audit event, offline. A proof that does not hold is a result, not an error; one that is held
 * against nothing speaks for itself alone.
 * @throws LatticeError `INVALID_CHECKPOINT` for what is no proof or checkpoint, where none of the checkpoints is that of the
 * proof, and for missing signatures; `INVALID_AUDIT_KEY`
 */
export function check(proof: Text, options?: EvidenceOptions): Promise<CheckedProof>;
/** {@link check}, on this thread. */
export function checkSync(proof: Text, options?: EvidenceOptions): CheckedProof;

/**
 * A plan for people to look at, out of its document: `markdown` for a pull request, `html` for a browser.
 * @throws LatticeError `INVALID_PLAN` for what is no plan
 */
export function report(plan: Plan, form: 'markdown' | 'html'): Promise<string>;
/** {@link report}, on this thread. */
export function reportSync(plan: Plan, form: 'markdown' | 'html'): string;

/** A JSON Schema: that of manifests, or of the document named. @throws LatticeError `USAGE` for an unknown name */
export function schema(name?: string): { [key: string]: JsonValue };

/** Compiled conditions: compile once, evaluate often. */
export class Conditions {
  private constructor();
  /** @throws LatticeError `POLICY_COMPILE_ERROR` with everything that is wrong */
  static compile(text: Text): Conditions;
  /** @throws LatticeError `INVALID_ACTION` */
  evaluate(action: Action): Evaluation;
}

/** The compiled policies of a manifest: compile once, decide often. */
export class PolicySet {
  /** Compiles on this thread. @throws LatticeError with every error of the text */
  constructor(manifest: ManifestLike);
  /** Compiles off the event loop. */
  static compile(manifest: ManifestLike): Promise<PolicySet>;
  /** @throws LatticeError `INVALID_ACTION` */
  decide(action: Action): Decision;
  /**
   * Decides about each action, in order.
   * @throws LatticeError `INVALID_ACTION` for the first that is none, which `file` names: `actions[3]`
   */
  decideMany(actions: Iterable<Action>): Decision[];
}

/** The workspace of a key. Every call reads it as it then is, off the event loop. */
export class Workspace {
  private constructor();
  /**
   * Opens the workspace of a key of either kind; an agent's key may only `decide`. Left out, `url` is `AL_URL` or a
   * file in the user's data directory, and `serviceKey` is `AL_SERVICE_KEY`.
   * @throws LatticeError `INVALID_SERVICE_KEY`, `STORE_UNAVAILABLE`, `USAGE`
   */
  static open(options?: { url?: string | undefined; serviceKey?: string | undefined }): Promise<Workspace>;
  /**
   * The manifest of the workspace, as `al export` writes it, or of the state after the audit event `at`.
   * @throws LatticeError `USAGE` for an event that the log does not have, `AUDIT_TAMPERED`
   */
  export(options?: { at?: number | undefined }): Promise<string>;
  /** What a replacing import would do, and in `drift` which side changed since the last import of the manifest. */
  diff(manifest: ManifestLike): Promise<Plan>;
  /**
   * The plan of an import, to be kept for {@link apply}: a text that holds the manifest and the overlays, and is bound to
   * the workspace as it is. {@link showPlan} shows it.
   * @throws LatticeError what {@link plan} throws
   */
  savePlan(text: Text, options?: OverlayOptions & PlanOptions & GuardOptions): Promise<string>;
  /**
   * Applies a saved plan: exactly what it shows, or nothing.
   * @throws LatticeError `INVALID_PLAN`, `STALE_PLAN`, `WORKSPACE_MISMATCH`, `DEACTIVATION_LIMIT`
   */
  apply(plan: Text): Promise<Plan>;
  /** The states that the workspace had, newest first: those of events before `before` (the `next_cursor`), or all. */
  history(options?: { before?: number | undefined; limit?: number | undefined }): Promise<History>;
  /**
   * Brings the workspace back to the state after an audit event, as an import that replaces.
   * @throws LatticeError `USAGE` for an event that the log does not have, `DEACTIVATION_LIMIT`, `STATE_CHANGED`
   */
  rollback(event: number, options?: GuardOptions & { dryRun?: boolean | undefined }): Promise<Plan>;
  /**
   * What an import would do; nothing is written.
   * @throws LatticeError with every error of the text, `DEACTIVATION_LIMIT` with the plan in `plan`
   */
  plan(manifest: ManifestLike, options?: PlanOptions & GuardOptions): Promise<Plan>;
  /**
   * Imports a manifest: everything is written or nothing.
   * @throws LatticeError with every error of the text, `DEACTIVATION_LIMIT` with the plan in `plan`, `STATE_CHANGED`,
   * `STORE_UNAVAILABLE`
   */
  importManifest(
    manifest: ManifestLike,
    options?: PlanOptions & GuardOptions & { dryRun?: boolean | undefined },
  ): Promise<Plan>;
  /** How the workspace's policies meet an action. */
  decide(action: Action): Promise<Decision>;
  /** A page of audit events in order of `seq`, from `cursor` on (the `next_cursor` of the page before). */
  audit(options?: { cursor?: number | undefined; limit?: number | undefined }): Promise<AuditPage>;
  /**
   * Whether the audit log verifies and extends the checkpoints that were kept, and with `state` whether the policies are
   * what it says. A log that does not is a result, not an error.
   * @throws LatticeError `INVALID_CHECKPOINT` and `INVALID_AUDIT_KEY` for what is none, or is not signed as `vkeys` ask;
   * `USAGE` for keys without a checkpoint
   */
  verify(options?: EvidenceOptions & { state?: boolean | undefined }): Promise<Verification>;
  /**
   * The checkpoint of the audit log, to keep where its writer cannot write; signed if `AL_AUDIT_KEY_FILE` names a key.
   * @throws LatticeError `AUDIT_TAMPERED`, `INVALID_AUDIT_KEY` for a key that does not sign for this log
   */
  checkpoint(): Promise<string>;
  /**
   * The proof that an audit event is in the log of a checkpoint that was kept, or in the log as it stands: a text for
   * {@link check}.
   * @throws LatticeError `USAGE` for an event that it does not have, `INVALID_CHECKPOINT`, `AUDIT_TAMPERED` for a checkpoint
   * that the log does not extend, `INVALID_AUDIT_KEY`
   */
  prove(event: number, options?: { checkpoint?: Text | undefined }): Promise<string>;
}
