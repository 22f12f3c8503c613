// A workspace in PostgreSQL, or behind a server, answers what one in an SQLite file does.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Workspace } from '@agentlattice/cli';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const STAGING = at('../../examples/policies/staging.yaml');
const DEV = at('../../examples/policies/dev.yaml');
const ACTION = at('../../examples/actions/refund-small.json');

// An id, a time, a digest or the root of a log: of each workspace another.
const DIFFERENT =
  /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20[0-9-]{8}T[0-9:.]+Z|\b[0-9a-f]{64}\b|[0-9A-Za-z+/]{43}=/g;

const folder = mkdtempSync(join(tmpdir(), 'lattice-'));

/** A server that ends when its input does, and the URL of an empty database on it. */
let server;
let database;
before(async () => {
  const command = ['run', '--locked', '--quiet', '-p', 'lattice-testing'];
  server = spawn('cargo', command, { cwd: at('../..'), stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(server.stdout)) {
    database = line;
    break;
  }
  assert.ok(database, 'the server did not start');
});
after(async () => {
  rmSync(folder, { recursive: true });
  server.stdin.end();
  if (server.exitCode === null) await once(server, 'exit');
});

/** Makes the workspace `staging`: its service key. */
function create(url) {
  const command = [at('../bin/al.js'), 'workspace', 'create', 'staging', '--format', 'json', '--quiet'];
  const env = { PATH: process.env.PATH, AL_URL: url };
  return JSON.parse(execFileSync(process.execPath, command, { env, encoding: 'utf8' })).service_key;
}

/** What is the same of every workspace into which these manifests were imported. */
async function answers(url, serviceKey = create(url)) {
  const workspace = await Workspace.open({ url, serviceKey });

  const imported = [
    await workspace.importManifest({ path: STAGING }),
    await workspace.importManifest({ path: DEV }, { replace: true }),
  ];
  assert.deepEqual(imported.map((plan) => plan.applied), [true, true]);
  const decided = await workspace.decide(readFileSync(ACTION, 'utf8'));
  const log = await workspace.audit();
  assert.deepEqual(log.events.slice(1), imported.map((plan) => plan.event));
  const verified = await workspace.verify({ checkpoints: [await workspace.checkpoint()], state: true });
  assert.deepEqual([verified.valid, verified.size, verified.state_matches], [true, 3, true]);
  const all = [imported, decided, log, verified, await workspace.export()];
  return JSON.stringify(all, null, 1).replaceAll(DIFFERENT, '…');
}

test('both answer alike', async () => {
  assert.equal(await answers(database), await answers(`sqlite:${join(folder, 'al.db')}`));
});

test('a server answers alike', async () => {
  const url = `sqlite:${join(folder, 'served.db')}`;
  const key = create(url);
  const command = [at('../bin/al.js'), 'serve', '--url', url, '--listen', '127.0.0.1:0'];
  const env = { PATH: process.env.PATH };
  const serving = spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const [line] = await once(createInterface(serving.stderr), 'line');
    const served = await answers(line.split(' ').at(-1), key);
    assert.equal(served, await answers(`sqlite:${join(folder, 'beside.db')}`));
  } finally {
    serving.kill('SIGKILL');
    await once(serving, 'exit');
  }
});
