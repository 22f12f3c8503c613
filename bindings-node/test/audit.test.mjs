// The audit log: what a store says that was copied, restored or edited, and proofs that need none.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { LatticeError, Workspace, check, checkSync } from '@agentlattice/cli';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const STAGING = at('../../examples/policies/staging.yaml');
const DEV = at('../../examples/policies/dev.yaml');

const root = mkdtempSync(join(tmpdir(), 'lattice-'));
after(() => rmSync(root, { recursive: true }));

/** A store of its own for each test, with the workspace `staging`, into which a manifest was imported: its event 1. */
let folder;
let store;
let serviceKey;
beforeEach(({ name }) => {
  delete process.env.AL_AUDIT_KEY_FILE;
  folder = join(root, name.replaceAll(/\W/g, '-'));
  mkdirSync(folder);
  store = join(folder, 'al.db');
  serviceKey = al(['workspace', 'create', 'staging']).service_key;
  al(['import', '--file', STAGING]);
});

/** The command line of the package. When it is done, and nobody has the store open, the file holds all of it. */
function al(args, file = store, key = serviceKey) {
  const env = { PATH: process.env.PATH, AL_URL: `sqlite:${file}`, ...(key && { AL_SERVICE_KEY: key }) };
  const command = [at('../bin/al.js'), ...args, '--format', 'json', '--quiet'];
  return JSON.parse(execFileSync(process.execPath, command, { env, encoding: 'utf8' }));
}

function copy(name) {
  const file = join(folder, name);
  copyFileSync(store, file);
  return file;
}

const open = (file = store, key = serviceKey) => Workspace.open({ url: `sqlite:${file}`, serviceKey: key });

const refused = (work, code) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof LatticeError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });

test('a log that is held against nothing', async () => {
  const workspace = await open();
  const { root: head, ...verified } = await workspace.verify();
  const nothing = { first_broken_seq: null, state_matches: null, trust: 'self', pins: [] };
  assert.deepEqual(verified, { valid: true, workspace: 'staging', size: 2, ...nothing });
  const given = { checkpoints: [], vkeys: undefined, state: false };
  assert.deepEqual(await workspace.verify(given), { ...verified, root: head });
  assert.deepEqual(await workspace.verify({ state: true }), { ...verified, root: head, state_matches: true });
});

test('a checkpoint is a text, bytes, a named text or a file', async () => {
  const workspace = await open();
  const kept = await workspace.checkpoint();
  const [origin, size, head] = kept.split('\n');
  assert.deepEqual([origin.slice(0, 3), size], ['al/', '2']);
  const path = join(folder, 'staging.checkpoint');
  writeFileSync(path, kept);
  await workspace.importManifest({ path: DEV });

  const rows = [
    [kept, null],
    [Buffer.from(kept), null],
    [{ text: kept, name: 'git' }, 'git'],
    [{ path }, path],
  ];
  const verified = await workspace.verify({ checkpoints: rows.map(([given]) => given) });
  assert.deepEqual([verified.valid, verified.trust, verified.size], [true, 'pinned', 3]);
  const pin = { origin, size: 2, root: Buffer.from(head, 'base64').toString('hex'), result: 'consistent' };
  assert.deepEqual(verified.pins, rows.map(([, file]) => ({ file, ...pin, trust: 'pinned', signers: [] })));
  const proofs = await Promise.all(rows.map(([checkpoint]) => workspace.prove(1, { checkpoint })));
  assert.equal(new Set(proofs).size, 1);
});

test('an older copy is truncated', async () => {
  const old = copy('old.db');
  al(['import', '--file', DEV]);
  const kept = await (await open()).checkpoint();
  const restored = await open(old);
  const { valid, size, trust, pins } = await restored.verify({ checkpoints: [kept] });
  assert.deepEqual([valid, size, trust], [false, 2, 'self']);
  assert.deepEqual(pins.map((pin) => [pin.result, pin.size]), [['truncated', 3]]);
  assert.equal((await restored.verify()).valid, true, 'by itself it shows nothing');
  await refused(restored.prove(1, { checkpoint: kept }), 'AUDIT_TAMPERED');
});

test('a copy that went another way is forked', async () => {
  const file = copy('other.db');
  const [workspace, other] = [await open(), await open(file)];
  const before = await workspace.checkpoint();
  await workspace.importManifest({ path: STAGING });
  await other.importManifest({ path: DEV });
  const { valid, trust, pins } = await other.verify({ checkpoints: [before, await workspace.checkpoint()] });
  assert.deepEqual([valid, trust, pins.map((pin) => pin.result)], [false, 'self', ['consistent', 'forked']]);
});

test('the checkpoint of another workspace is no part of the log', async () => {
  const other = await open(store, al(['workspace', 'create', 'other']).service_key);
  const kept = await other.checkpoint();
  const { valid, pins } = await (await open()).verify({ checkpoints: [kept] });
  assert.deepEqual([valid, pins.map((pin) => [pin.origin, pin.result])], [false, [[kept.split('\n')[0], 'forked']]]);
});

test('policies that were edited are seen where they are compared', async () => {
  const file = copy('edited.db');
  const [before, edited] = ['deploy.production', 'deploy.productioo'];
  const bytes = readFileSync(file, 'latin1');
  assert.ok(bytes.includes(before), 'the file holds the policies');
  writeFileSync(file, bytes.replaceAll(before, edited), 'latin1');
  const workspace = await open(file);
  const { valid, state_matches: matches, first_broken_seq: broken } = await workspace.verify({ state: true });
  assert.deepEqual([valid, matches, broken], [false, false, null]);
  const unseen = await workspace.verify({ checkpoints: [await (await open()).checkpoint()] });
  assert.deepEqual([unseen.valid, unseen.state_matches], [true, null]);
});

test('a proof is checked without the store', async () => {
  const workspace = await open();
  const kept = await workspace.checkpoint();
  await workspace.importManifest({ path: DEV });
  const proof = await workspace.prove(1, { checkpoint: kept });
  const { names, ...event } = (await workspace.audit()).events[1];

  const checked = checkSync(proof);
  const head = { origin: event.log, size: 2, checkpoint: kept, root: checked.checkpoint.root };
  assert.deepEqual(checked, { valid: true, event, checkpoint: head, trust: 'self', signers: [] });
  const path = join(folder, 'proof');
  writeFileSync(path, proof);
  for (const given of [Buffer.from(proof), { path }]) {
    assert.deepEqual(await check(given, { checkpoints: [kept] }), { ...checked, trust: 'pinned' });
  }

  const later = await workspace.checkpoint();
  await refused(check(proof, { checkpoints: [later] }), 'INVALID_CHECKPOINT');
  assert.equal((await check(await workspace.prove(1), { checkpoints: [later] })).valid, true);
  assert.throws(() => checkSync({ text: kept, name: 'x' }), { code: 'INVALID_CHECKPOINT', file: 'x' });
  await refused(workspace.prove(2, { checkpoint: kept }), 'USAGE');

  const [extra] = proof.match(/(?<=^extra ).*$/m);
  const body = Buffer.from(extra, 'base64').toString().replace('"replace":false', '"replace":true');
  const edited = proof.replace(extra, Buffer.from(body).toString('base64'));
  assert.notEqual(edited, proof);
  const verdict = await check(edited, { checkpoints: [kept] });
  assert.deepEqual([verdict.valid, verdict.event, verdict.trust], [false, null, 'self']);
});

test('signatures are those of the key that the environment names', async () => {
  const workspace = await open();
  const unsigned = await workspace.checkpoint();
  const [log] = unsigned.split('\n');
  const [logKey, witnessKey] = [join(folder, 'log.key'), join(folder, 'w1.key')];
  const { vkey } = al(['audit', 'keygen', '--out', logKey]);
  const witness = al(['audit', 'keygen', '--witness', 'witness.example.com/w1', '--out', witnessKey]).vkey;

  process.env.AL_AUDIT_KEY_FILE = logKey;
  const { checkpoint } = await workspace.importManifest({ path: DEV });
  assert.equal(checkpoint, await workspace.checkpoint());
  assert.ok(checkpoint.split('\n\n')[1].startsWith(`\u2014 ${log} `), checkpoint);
  const { valid, trust, pins } = await workspace.verify({ checkpoints: [checkpoint], vkeys: [vkey] });
  assert.deepEqual([valid, trust, pins[0].trust, pins[0].signers], [true, 'signed', 'signed', [log]]);
  const checked = await check(await workspace.prove(1), { vkeys: [vkey] });
  assert.deepEqual([checked.valid, checked.trust, checked.signers], [true, 'signed', [log]]);

  for (const [vkeys, kept] of [[[vkey], unsigned], [[witness], checkpoint], [[vkey, witness], checkpoint]]) {
    await refused(workspace.verify({ checkpoints: [kept], vkeys }), 'INVALID_CHECKPOINT');
  }
  await refused(workspace.verify({ vkeys: [vkey] }), 'USAGE');

  process.env.AL_AUDIT_KEY_FILE = witnessKey;
  await refused(workspace.checkpoint(), 'INVALID_AUDIT_KEY');
  await refused(workspace.prove(1), 'INVALID_AUDIT_KEY');
  await refused(workspace.importManifest({ path: STAGING }), 'INVALID_AUDIT_KEY');
  assert.equal((await workspace.audit()).events.length, 3);
});

test('what is no evidence', async () => {
  const workspace = await open();
  const [kept, proof] = [await workspace.checkpoint(), await workspace.prove(0)];
  for (const vkey of ['key', '', 'a+00000000+AAAA']) {
    await refused(workspace.verify({ checkpoints: [kept], vkeys: [vkey] }), 'INVALID_AUDIT_KEY');
    await refused(check(proof, { vkeys: [vkey] }), 'INVALID_AUDIT_KEY');
  }
  for (const checkpoint of ['', kept.trimEnd(), Buffer.from([0xff, 10, 10]), '\ud800']) {
    await refused(workspace.verify({ checkpoints: [checkpoint] }), 'INVALID_CHECKPOINT');
    await refused(workspace.prove(0, { checkpoint }), 'INVALID_CHECKPOINT');
  }
  await refused(workspace.verify({ checkpoints: [{ path: join(folder, 'none') }] }), 'IO_ERROR');
  await refused(workspace.prove(-1), 'USAGE');
  const wrong = [
    () => workspace.verify({ checkpoints: kept }),
    () => workspace.verify({ checkpoints: [1] }),
    () => workspace.verify({ checkpoint: kept }),
    () => workspace.prove(0, { checkpoints: [kept] }),
    () => workspace.prove(0, { checkpoint: 1 }),
    () => check(proof, { state: true }),
    () => check(proof, { vkeys: 'key' }),
    () => check(proof, { vkeys: [1] }),
  ];
  for (const attempt of wrong) {
    await assert.rejects(attempt(), TypeError, String(attempt));
  }
});
