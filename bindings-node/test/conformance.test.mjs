// The rows of core/testdata/conformance.json through this package: whole documents, as `al --format json` prints them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  LatticeError,
  PolicySet,
  Workspace,
  checkSync,
  formatManifestSync,
  parseManifestSync,
  planSync,
  showPlanSync,
  validateSync,
} from '@agentlattice/cli';
import { parse } from '../lib/json.js';

const expand = (text) => text.replace(/⟪(\d+)×([^⟪]*?)⟫/g, (_, count, copied) => copied.repeat(Number(count)));
const suite = parse(expand(readFileSync(new URL('../../core/testdata/conformance.json', import.meta.url), 'utf8')));

const AL = process.env.AL_BIN ?? fileURLToPath(new URL('../../target/debug/al', import.meta.url));
const VERSION = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

const whole = (text) => (Array.isArray(text) ? text.map((line) => `${line}\n`).join('') : text);
const named = (text, name) => ({ text, name });

function manifestOf(row) {
  assert.notEqual(row.manifest === undefined, row.conditions === undefined, row.name);
  if (row.manifest !== undefined) {
    return named(whole(row.manifest), 'manifest.yaml');
  }
  const indented = whole(row.conditions).replace(/\n+$/, '').replaceAll('\n', '\n      ');
  return named(whole(suite.manifest).replaceAll('$CONDITIONS', () => indented), 'manifest.yaml');
}

function actionOf(row) {
  assert.notEqual(row.action === undefined, row.metadata === undefined, row.name);
  return row.action ?? suite.action.replaceAll('$METADATA', () => row.metadata);
}

const OPS = {
  validate: (row) => validateSync(manifestOf(row)),
  fmt: (row) => formatManifestSync(manifestOf(row)),
  plan(row) {
    const current = parseManifestSync(named(whole(row.current), 'current.yaml'));
    const desired = parseManifestSync(named(whole(row.desired), 'desired.yaml'));
    return planSync(current, desired, { replace: true });
  },
  eval(row) {
    const policies = new PolicySet(manifestOf(row));
    return asFile('action.json', () => policies.decide(actionOf(row)));
  },
  render(row) {
    const overlays = row.overlays.map((text, at) => named(whole(text), `overlay-${at + 1}.yaml`));
    return parseManifestSync(manifestOf(row), { overlays }).render();
  },
  show: (row) => showPlanSync(named(savedOf(row), 'plan.json')),
  promote,
  check(row) {
    const checkpoints = row.checkpoints.map((text, at) => named(whole(text), `checkpoint-${at + 1}`));
    return checkSync(named(whole(row.proof), 'event.tlog-proof'), { checkpoints, vkeys: row.vkeys });
  },
};

const folder = mkdtempSync(join(tmpdir(), 'lattice-'));
after(() => rmSync(folder, { recursive: true }));

/** Each row has a store of its own; what differs between workspaces is taken out. */
async function promote(row) {
  const url = `sqlite:${join(mkdtempSync(join(folder, 'row-')), 'al.db')}`;
  const created = execFileSync(AL, ['workspace', 'create', 'dev', '--url', url, '--format', 'json', '--quiet']);
  const workspace = await Workspace.open({ url, serviceKey: JSON.parse(created).service_key });
  for (const [at, text] of row.imports.entries()) {
    await workspace.importManifest(named(whole(text), `import-${at + 1}.yaml`));
  }
  const { rollback } = row.then;
  // The manifest that a rollback makes has its time.
  const comparable = (plan) => ({
    ...plan,
    workspace: null,
    manifest: rollback === undefined ? plan.manifest : { ...plan.manifest, sha256: '' },
  });
  const guard = { allowDeactivations: row.allow_deactivations, deactivationThreshold: row.deactivation_threshold };
  const desired = row.desired && named(whole(row.desired), 'desired.yaml');
  try {
    if (rollback !== undefined) {
      return comparable(await workspace.rollback(rollback, { ...guard, dryRun: true }));
    }
    if (row.then === 'diff') {
      return comparable(await workspace.diff(desired));
    }
    assert.equal(row.then, 'replace');
    return comparable(await workspace.importManifest(desired, { ...guard, dryRun: true, replace: true }));
  } catch (error) {
    error.plan = comparable(error.plan);
    throw error;
  }
}

/** The text of a saved plan, with the version of the engine and a digest that fits where the row asks for them. */
function savedOf(row) {
  const text = whole(row.saved).replaceAll('$ENGINE', () => VERSION);
  const [before] = text.split('$SHA256', 1);
  const lines = before.slice(0, before.lastIndexOf('\n') + 1);
  return text.replaceAll('$SHA256', createHash('sha256').update(lines).digest('hex'));
}

/** An action has no name here. */
function asFile(name, work) {
  try {
    return work();
  } catch (error) {
    assert.equal(error.file, null);
    error.file = name;
    error.related.forEach((related) => (related.file = name));
    throw error;
  }
}

async function answer(row) {
  try {
    return { want: await OPS[row.op](row) };
  } catch (error) {
    assert.ok(error instanceof LatticeError, `${row.name}: ${error.stack}`);
    return { want_error: error.toJSON() };
  }
}

function wanted({ want, want_error: wantError, op }) {
  const isText = op === 'fmt' || op === 'render';
  return wantError === undefined ? { want: isText ? whole(want) : want } : { want_error: wantError };
}

test('every row is as it should be', async () => {
  assert.deepEqual(suite.surface, Object.keys(OPS), 'the operations that this runner knows');
  assert.deepEqual(new Set(suite.cases.map((row) => row.op)), new Set(suite.surface), 'every operation has rows');
  assert.equal(new Set(suite.cases.map((row) => row.name)).size, suite.cases.length, 'names are unique');
  let ran = 0;
  for (const row of suite.cases) {
    assert.notEqual('want' in row, 'want_error' in row, row.name);
    assert.deepEqual(await answer(row), wanted(row), `${row.name} (${row.op})`);
    ran += 1;
  }
  assert.equal(ran, suite.cases.length);
  assert.ok(ran > 900, `${ran} rows`);
});

/** `-0` is an integer in JSON and a float in JavaScript: zero, either way. */
function unsigned(value) {
  if (typeof value !== 'object' || value === null) {
    return value === 0 ? 0 : value;
  }
  const entries = Object.entries(value).map(([key, below]) => [key, unsigned(below)]);
  return Array.isArray(value) ? entries.map(([, below]) => below) : Object.fromEntries(entries);
}

test('an action as an object is the action as text', () => {
  let ran = 0;
  for (const row of suite.cases.filter((each) => each.op === 'eval' && each.want)) {
    const policies = new PolicySet(manifestOf(row));
    const action = parse(actionOf(row).replace(/^\ufeff/, ''));
    try {
      assert.deepEqual(unsigned(policies.decide(action)), unsigned(row.want), row.name);
      ran += 1;
    } catch (error) {
      // `1e300` is a literal of JSON, and a `number` that is no exact integer.
      assert.equal(error.help, 'give it as a BigInt', `${row.name}: ${error.stack}`);
    }
  }
  assert.ok(ran > 400, `${ran} rows`);
});
