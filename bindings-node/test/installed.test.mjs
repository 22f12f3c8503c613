// The package as users have it: packed, installed into an empty folder, run through npx.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { LatticeError, Workspace, report, showPlan } from '@agentlattice/cli';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const AL = process.env.AL_BIN ?? at('../../target/debug/al');
const folder = mkdtempSync(join(tmpdir(), 'lattice-'));
const home = join(folder, 'home');
const project = join(folder, 'project');
const BASE = { PATH: process.env.PATH, HOME: home, npm_config_update_notifier: 'false', npm_config_offline: 'true' };
const env = { ...BASE, AL_URL: `sqlite:${join(folder, 'al.db')}` };

before(() => {
  [home, project].forEach((path) => mkdirSync(path));
  // Scripts would build for release; what is packed is the build under test.
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: at('..'), env, stdio: 'pipe' });
  const [tarball] = readdirSync(folder).filter((name) => /^agentlattice-cli-.*\.tgz$/.test(name));
  writeFileSync(join(project, 'package.json'), '{"private": true}\n');
  const install = ['install', '--no-audit', '--no-fund', join(folder, tarball)];
  execFileSync('npm', install, { cwd: project, env, stdio: 'pipe' });
  copyFileSync(at('../../examples/policies/dev.yaml'), join(project, 'x.yaml'));
  writeFileSync(join(project, 'bad.yaml'), 'policies:\n');
  const created = execFileSync(AL, ['workspace', 'create', 'dev'], { env, encoding: 'utf8' });
  env.AL_SERVICE_KEY = created.match(/al_svc_dev_[0-9a-f]{64}/)[0];
});
after(() => rmSync(folder, { recursive: true }));

const run = (command, args, input) => {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { cwd: project, env, input, encoding: 'utf8' });
  return { status, signal, stdout, stderr };
};
const npx = (...args) => run('npx', ['--no-install', ...args]);
const shell = (script) => run('bash', ['-c', script]);

test('`npx al` and `npx @agentlattice/cli` are the executable', () => {
  const rows = [
    ['--help'],
    ['--version'],
    ['import', '--bad'],
    ['import', '--bad', '--format', 'json'],
    ['import', '--file', 'x.yaml', '--dry-run'],
    ['import', '--file', 'x.yaml', '--dry-run', '--detailed-exitcode', '--format', 'json'],
    ['import', '--file', 'bad.yaml', '--dry-run'],
    ['import', '--file', 'bad.yaml', '--dry-run', '--format', 'json'],
    ['import', '--file', 'none.yaml'],
    ['validate', 'x.yaml', 'bad.yaml', '--format', 'markdown'],
    ['schema', 'manifest'],
  ];
  const codes = new Set();
  for (const args of rows) {
    const expected = run(AL, args);
    assert.deepEqual(npx('al', ...args), expected, args.join(' '));
    codes.add(expected.status);
  }
  assert.deepEqual([...codes].sort(), [0, 1, 2, 64]);
  const args = ['import', '--file', 'x.yaml', '--dry-run'];
  assert.deepEqual(npx('@agentlattice/cli', ...args), run(AL, args));
});

test('stdin is read, and bytes that are no text pass', () => {
  const manifest = readFileSync(join(project, 'x.yaml'));
  const bin = join(project, 'node_modules/.bin/al');
  for (const input of [manifest, Buffer.from([0xff, 0xfe]), Buffer.alloc(0)]) {
    assert.deepEqual(run(bin, ['fmt', '-'], input), run(AL, ['fmt', '-'], input));
    assert.deepEqual(run(bin, ['validate', '-'], input), run(AL, ['validate', '-'], input));
  }
});

/** More than a pipe holds. */
function fill() {
  const policy = (i) => `  - name: p${String(i).padStart(5, '0')}
    action_type: t
    approval_required: false
    allowed_repos: null
    allowed_branches: null
    conditions: null
`;
  const policies = Array.from({ length: 4000 }, (_, i) => policy(i));
  writeFileSync(join(project, 'large.yaml'), `manifest_version: '1.0'\npolicies:\n${policies.join('')}`);
  const imported = run(AL, ['import', '--file', 'large.yaml', '--replace']);
  assert.equal(imported.status, 0, imported.stderr);
}

test('pipes: a reader that is slow gets everything, one that leaves ends the command', () => {
  fill();
  const untimed = (text) => text.replace(/^exported_at: .*$/m, '');
  const expected = run(AL, ['export']);
  assert.ok(expected.stdout.length > 4 * 65536, `${expected.stdout.length} bytes`);
  for (const al of ['npx --no-install al', 'node_modules/.bin/al']) {
    const slow = shell(`set -o pipefail; ${al} export --quiet | (sleep 1; cat)`);
    assert.deepEqual([slow.status, slow.stderr], [0, '']);
    assert.equal(untimed(slow.stdout), untimed(expected.stdout));
    const left = shell(`${al} export --quiet | head -1; echo "\${PIPESTATUS[@]}"`);
    assert.deepEqual(left, { status: 0, signal: null, stdout: "manifest_version: '1.0'\n0 0\n", stderr: '' });
    const through = shell(`set -o pipefail; ${al} export --quiet | ${al} import --quiet --file - --dry-run`);
    assert.deepEqual([through.status, through.stderr], [0, '']);
    assert.match(through.stdout, /= 4000 unchanged/);
  }
});

test('an interrupt ends the command', { timeout: 60_000 }, async () => {
  const rows = [
    [join(project, 'node_modules/.bin/al'), ['validate', 'bad.yaml', '-']],
    ['npx', ['--no-install', 'al', 'validate', 'bad.yaml', '-']],
  ];
  for (const [command, args] of rows) {
    // In a group of its own, as a shell starts it, so that the signal reaches all of it.
    const child = spawn(command, args, { cwd: project, env, detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    // What is wrong with the first file; then it waits for the second, standard input, which stays open.
    await once(child.stderr, 'data');
    assert.equal(child.exitCode, null, 'it waits for its input');
    process.kill(-child.pid, 'SIGINT');
    const [code, signal] = await ended;
    assert.ok(signal === 'SIGINT' || code === 130, `${command}: code ${code}, signal ${signal}`);
  }
});

test('an embedded workspace through the library, as `al` sees it', async () => {
  const store = { ...env, AL_URL: `sqlite:${join(folder, 'library.db')}` };
  const al = (...args) =>
    JSON.parse(execFileSync(AL, [...args, '--format', 'json', '--quiet'], { cwd: project, env: store, encoding: 'utf8' }));
  store.AL_SERVICE_KEY = al('workspace', 'create', 'dev').service_key;
  const agentKey = al('key', 'create', '--agent').key;
  const manifest = { path: join(project, 'x.yaml') };
  const open = (serviceKey) => Workspace.open({ url: store.AL_URL, serviceKey });
  const workspace = await open(store.AL_SERVICE_KEY);

  const preview = al('import', '--file', manifest.path, '--dry-run');
  assert.equal(preview.summary.added, 30);
  assert.deepEqual(await workspace.plan(manifest), preview);
  assert.deepEqual(await workspace.importManifest(manifest, { dryRun: true }), preview);
  assert.equal((await workspace.audit()).events.length, 2, 'a preview writes nothing');

  const { event, checkpoint, ...imported } = await workspace.importManifest(manifest, { replace: true });
  assert.deepEqual(imported, { ...withoutEvent(preview), mode: 'replace', dry_run: false, applied: true });
  assert.match(checkpoint, /^al\//);
  assert.deepEqual(await workspace.audit(), al('audit', 'list'));
  assert.deepEqual(await workspace.audit({ cursor: 2, limit: 1 }), { events: [event], next_cursor: null });
  assert.deepEqual(await workspace.verify(), al('audit', 'verify'));
  assert.deepEqual(await workspace.verify({ state: true }), al('audit', 'verify', '--state'));

  const overlay = "overlay_version: '1.0'\npolicies: {}\n";
  const kept = await workspace.savePlan(manifest, { overlays: [overlay], replace: true });
  const shown = await showPlan(kept);
  assert.deepEqual(shown.summary, (await workspace.plan(manifest, { replace: true })).summary);
  writeFileSync(join(project, 'plan.json'), kept);
  assert.deepEqual(al('show', join(project, 'plan.json')), shown);
  for (const form of ['markdown', 'html']) {
    const printed = execFileSync(AL, ['show', join(project, 'plan.json'), '--quiet', '--format', form], { encoding: 'utf8' });
    assert.equal(await report(shown, form), printed);
  }
  await assert.rejects(workspace.apply(`${kept} `), { code: 'INVALID_PLAN' });
  const applied = await workspace.apply({ path: join(project, 'plan.json') });
  assert.deepEqual([applied.changes, applied.applied], [shown.changes, true]);
  await assert.rejects(workspace.apply(kept), { code: 'STALE_PLAN' });
  assert.deepEqual(await workspace.history(), al('history'));
  assert.equal(await workspace.export({ at: 2 }), execFileSync(AL, ['export', '--at', '2', '--quiet'], { env: store, encoding: 'utf8' }));
  assert.deepEqual(await workspace.diff(manifest), al('diff', '--file', manifest.path));
  const back = await workspace.rollback(2, { dryRun: true });
  assert.deepEqual(back, al('rollback', '2', '--dry-run'));
  await assert.rejects(workspace.rollback(99), { code: 'USAGE' });

  const none = "manifest_version: '1.0'\npolicies: []\n";
  const held = await workspace.plan(none, { replace: true }).catch((error) => error);
  assert.deepEqual([held.code, held.plan.summary.deactivated], ['DEACTIVATION_LIMIT', 30]);
  const allowed = await workspace.plan(none, { replace: true, allowDeactivations: 30 });
  assert.equal(allowed.summary.deactivated, 30);
  await assert.rejects(workspace.plan(none, { deactivationThreshold: -1 }), { code: 'USAGE' });

  const untimed = (text) => text.replace(/^exported_at: .*$/m, '');
  const exported = execFileSync(AL, ['export', '--quiet'], { env: store, encoding: 'utf8' });
  assert.equal(untimed(await workspace.export()), untimed(exported));
  const replay = await workspace.plan(exported, { replace: true });
  assert.deepEqual([replay.summary.unchanged, replay.changes.length], [30, 30]);

  const actionPath = at('../../examples/actions/deploy-production.json');
  const decided = al('eval', '--action', actionPath);
  const action = readFileSync(actionPath);
  const agent = await open(agentKey);
  assert.deepEqual(await workspace.decide(action), decided);
  assert.deepEqual(await agent.decide(JSON.parse(action)), decided);

  const code = (promise) => promise.then(() => 'none', (error) => (assert.ok(error instanceof LatticeError), error.code));
  const rows = [
    [() => agent.export(), 'INVALID_SERVICE_KEY'],
    [() => agent.importManifest(manifest), 'INVALID_SERVICE_KEY'],
    [() => agent.audit(), 'INVALID_SERVICE_KEY'],
    [() => agent.verify(), 'INVALID_SERVICE_KEY'],
    [() => agent.checkpoint(), 'INVALID_SERVICE_KEY'],
    [() => agent.prove(0), 'INVALID_SERVICE_KEY'],
    [() => workspace.decide({ action_type: '*' }), 'INVALID_ACTION'],
    [() => workspace.importManifest('policies: []'), 'INVALID_MANIFEST'],
    [() => workspace.audit({ limit: 0 }), 'USAGE'],
    [() => workspace.audit({ cursor: -1 }), 'USAGE'],
    [() => open('al_svc_dev_'), 'INVALID_SERVICE_KEY'],
    [() => open(`al_svc_dev_${'0'.repeat(64)}`), 'INVALID_SERVICE_KEY'],
    [() => Workspace.open({ url: 'sqlite:/none/al.db', serviceKey: agentKey }), 'STORE_UNAVAILABLE'],
    [() => Workspace.open({ url: 'none', serviceKey: agentKey }), 'USAGE'],
  ];
  for (const [attempt, expected] of rows) {
    assert.equal(await code(attempt()), expected, String(attempt));
  }
});

function withoutEvent({ event, checkpoint, ...plan }) {
  assert.deepEqual([event, checkpoint], [null, null]);
  return plan;
}

test('what is not given comes from the environment', () => {
  const script = "require('@agentlattice/cli').Workspace.open().then((w) => w.verify()).then((v) => console.log(v.workspace))";
  assert.deepEqual(run('node', ['-e', script]), { status: 0, signal: null, stdout: 'dev\n', stderr: '' });
});

test('the example gates a deploy', () => {
  copyFileSync(at('../../examples/node/gate-deploy.mjs'), join(project, 'gate-deploy.mjs'));
  const policy = (name, type, approval) => `  - name: ${name}
    action_type: deploy.${type}
    approval_required: ${approval}
    approval_timeout_hours: 4
    allowed_repos: null
    allowed_branches: [main]
    conditions: null
`;
  const manifest = `manifest_version: '1.0'\npolicies:\n${policy('free', 'staging', false)}${policy('asks', 'production', true)}`;
  writeFileSync(join(project, 'gate.yaml'), manifest);
  const rows = [
    ['staging', 'main', 0, 'deployed\n', ''],
    ['production', 'main', 2, '', 'asks: waits for an approval, 4 hours at most\n'],
    ['staging', 'next', 3, '', 'free: denied\n  branch allowed_branches: does not hold\n'],
    ['canary', 'main', 3, '', 'no policy: policy_not_found\n'],
    ['*', 'main', 1, '', /^INVALID_ACTION: .*\(1:16\)\n$/],
  ];
  for (const [type, branch, status, stdout, stderr] of rows) {
    writeFileSync(join(project, 'action.json'), `{"action_type":"deploy.${type}","metadata":{"branch":"${branch}"}}`);
    const done = run('node', ['gate-deploy.mjs', 'gate.yaml', 'action.json', '--', 'echo', 'deployed']);
    assert.deepEqual([done.status, done.stdout], [status, stdout], done.stderr);
    stderr instanceof RegExp ? assert.match(done.stderr, stderr) : assert.equal(done.stderr, stderr);
  }
  assert.equal(run('node', ['gate-deploy.mjs', 'gate.yaml', 'action.json']).status, 64);
});
