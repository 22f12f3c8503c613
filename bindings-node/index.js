'use strict';

const native = require('./native.js');
const { actionJson, callWithActions, refusal } = require('./lib/action.js');
const { Decisions } = require('./lib/decision.js');
const { LatticeError, call, wait } = require('./lib/error.js');
const { parse, stringify } = require('./lib/json.js');
const { source } = require('./lib/source.js');

/** What the engine takes where a manifest is wanted. */
let manifestInput;

/** A manifest that was read; wherever a manifest is wanted, it stands for its text without being read again. */
class Manifest {
  #native;
  #document;

  constructor(handle) {
    this.#native = made(handle, native.Manifest, 'parseManifest');
  }

  render() {
    return call(() => this.#native.render());
  }

  toJSON() {
    this.#document ??= call(() => this.#native.document());
    return parse(this.#document);
  }

  static {
    manifestInput = (given) =>
      given instanceof Manifest ? given.#native : source(given, 'INVALID_MANIFEST');
  }
}

/** Compiled conditions. */
class Conditions {
  #native;

  constructor(handle) {
    this.#native = made(handle, native.Conditions, 'Conditions.compile');
  }

  static compile(text) {
    return new Conditions(call(() => native.Conditions.compile(source(text, 'POLICY_COMPILE_ERROR'))));
  }

  evaluate(action) {
    const json = actionJson(action);
    try {
      return parse(this.#native.evaluate(json));
    } catch (thrown) {
      throw refusal(thrown, action);
    }
  }
}

/** The compiled policies of a manifest. */
class PolicySet {
  #native;
  #decide;
  #decisions;

  constructor(manifest) {
    this.#native =
      manifest instanceof native.PolicySet
        ? manifest
        : call(() => native.PolicySet.compile(manifestInput(manifest), true));
    this.#decide = this.#native.decider();
    this.#decisions = new Decisions(this.#native);
  }

  static async compile(manifest) {
    return new PolicySet(await wait(() => native.PolicySet.compile(manifestInput(manifest), false)));
  }

  decide(action) {
    const json = actionJson(action);
    try {
      const outcome = typeof json === 'string' ? this.#decide(json) : this.#native.outcome(json);
      return this.#decisions.one(parse(outcome), json);
    } catch (thrown) {
      throw refusal(thrown, action);
    }
  }

  decideMany(actions) {
    return callWithActions(actions, (texts) => this.#decisions.many(texts));
  }
}

/** The options of what deactivates policies, and of what changes a workspace. */
const GUARD = ['allowDeactivations', 'deactivationThreshold'];
const PROMOTION = ['replace', ...GUARD];

/** The options of what an audit log or a proof is held against. */
const EVIDENCE = ['checkpoints', 'vkeys'];

/** The workspace of a key. */
class Workspace {
  #native;

  constructor(handle) {
    this.#native = made(handle, native.Workspace, 'Workspace.open');
  }

  static async open(given) {
    const { url, serviceKey } = options(given, 'url', 'serviceKey');
    return new Workspace(await wait(() => native.Workspace.open(url, serviceKey)));
  }

  async export(given) {
    const { at } = options(given, 'at');
    return wait(() => this.#native.export(at));
  }

  async diff(manifest) {
    return parse(await wait(() => this.#native.diff(manifestInput(manifest))));
  }

  async savePlan(text, given) {
    const { overlays, ...promotion } = options(given, 'overlays', ...PROMOTION);
    return wait(() => this.#native.savePlan(manifestText(text), overlaysOf({ overlays }), promotion));
  }

  async apply(plan) {
    return parse(await wait(() => this.#native.apply(source(plan, 'INVALID_PLAN'))));
  }

  async history(given) {
    const { before, limit } = options(given, 'before', 'limit');
    return parse(await wait(() => this.#native.history(before, limit)));
  }

  async rollback(event, given) {
    const { dryRun, ...guard } = options(given, 'dryRun', ...GUARD);
    return parse(await wait(() => this.#native.rollback(event, guard, dryRun)));
  }

  async plan(manifest, given) {
    const promotion = options(given, ...PROMOTION);
    return parse(await wait(() => this.#native.plan(manifestInput(manifest), promotion)));
  }

  async importManifest(manifest, given) {
    const { dryRun, ...promotion } = options(given, 'dryRun', ...PROMOTION);
    return parse(await wait(() => this.#native.importManifest(manifestInput(manifest), promotion, dryRun)));
  }

  async decide(action) {
    const json = actionJson(action);
    try {
      return parse(await this.#native.decide(json));
    } catch (thrown) {
      throw refusal(thrown, action);
    }
  }

  async audit(given) {
    const { cursor, limit } = options(given, 'cursor', 'limit');
    return parse(await wait(() => this.#native.audit(cursor, limit)));
  }

  async verify(given) {
    const { state, ...evidence } = options(given, 'state', ...EVIDENCE);
    return parse(await wait(() => this.#native.verify(evidenceOf(evidence), state)));
  }

  async checkpoint() {
    return wait(() => this.#native.checkpoint());
  }

  async prove(event, given) {
    const { checkpoint } = options(given, 'checkpoint');
    const kept = checkpoint === undefined ? checkpoint : checkpointText(checkpoint);
    return wait(() => this.#native.prove(event, kept));
  }
}

/** Options by name. One that is misspelt must not pass for one that was left out. */
function options(given, ...names) {
  const unknown = Object.keys(given ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`unknown option ${unknown}: expected ${names.join(', ')}`);
  }
  return given ?? {};
}

function made(handle, type, by) {
  if (!(handle instanceof type)) {
    throw new TypeError(`Illegal constructor: use ${by}`);
  }
  return handle;
}

/** A function whose work another thread does, and its twin that does it on this one. */
function twins(start, finish) {
  return [
    async (...given) => finish(await wait(() => start(false, ...given))),
    (...given) => finish(call(() => start(true, ...given))),
  ];
}

const manifestText = (text) => source(text, 'INVALID_MANIFEST');

/** What the engine takes as overlays. */
const overlaysOf = (given) => (options(given, 'overlays').overlays ?? []).map(manifestText);

const checkpointText = (text) => source(text, 'INVALID_CHECKPOINT');

/** What the engine takes as evidence. */
function evidenceOf(given) {
  const { checkpoints, vkeys } = options(given, ...EVIDENCE);
  return { checkpoints: (checkpoints ?? []).map(checkpointText), vkeys: vkeys ?? [] };
}

const [parseManifest, parseManifestSync] = twins(
  (sync, text, given) => native.Manifest.parse(manifestText(text), overlaysOf(given), sync),
  (handle) => new Manifest(handle),
);

const [validate, validateSync] = twins(
  (sync, text, given) => native.validate(manifestText(text), overlaysOf(given), sync),
  parse,
);

const [formatManifest, formatManifestSync] = twins(
  (sync, text) => native.formatManifest(manifestText(text), sync),
  (text) => text,
);

const [plan, planSync] = twins((sync, current, desired, given) => {
  const { replace } = options(given, 'replace');
  return native.plan(manifestInput(current), manifestInput(desired), replace, sync);
}, parse);

const [showPlan, showPlanSync] = twins(
  (sync, plan) => native.showPlan(source(plan, 'INVALID_PLAN'), sync),
  parse,
);

const [check, checkSync] = twins(
  (sync, proof, given) => native.check(checkpointText(proof), evidenceOf(given), sync),
  parse,
);

const [report, reportSync] = twins(
  (sync, plan, form) => native.report(stringify(plan), form, sync),
  (text) => text,
);

function schema(name) {
  return parse(call(() => native.schema(name)));
}

module.exports = {
  Conditions,
  LatticeError,
  Manifest,
  PolicySet,
  Workspace,
  check,
  checkSync,
  formatManifest,
  formatManifestSync,
  parseManifest,
  parseManifestSync,
  plan,
  planSync,
  report,
  reportSync,
  schema,
  showPlan,
  showPlanSync,
  validate,
  validateSync,
};
