// How values cross: text, numbers, errors, panics.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import {
  Conditions, LatticeError, Manifest, PolicySet, Workspace, parseManifest, parseManifestSync, plan, planSync, schema,
  validate, validateSync, formatManifest, formatManifestSync, check, checkSync,
} from '@agentlattice/cli';
import errors from '../lib/error.js';
import { parse } from '../lib/json.js';

const native = createRequire(import.meta.url)('../native.js');
const folder = mkdtempSync(join(tmpdir(), 'lattice-'));
after(() => rmSync(folder, { recursive: true }));

const TEXT = `manifest_version: '1.0'
policies:
  - name: p
    action_type: t
    approval_required: false
    approval_timeout_hours: 8
    allowed_repos: null
    allowed_branches: [main]
    conditions: |
      logic: all
      rules:
        - {field: size, operator: gt, value: 9007199254740992}
`;
const PATH = join(folder, 'policies.yaml');
writeFileSync(PATH, TEXT);

const caught = (work) => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
const document = (code, message, rest = {}) => ({
  error: {
    code, message, policy: null, file: null, line: null, column: null, help: null, plan: null, related: [], ...rest,
  },
});

test('a manifest as text, as bytes, named, and as a file', () => {
  const rows = [
    [TEXT, null],
    [Buffer.from(TEXT), null],
    [new Uint8Array(Buffer.from(TEXT)), null],
    [{ text: TEXT, name: 'a.yaml' }, 'a.yaml'],
    [{ text: Buffer.from(TEXT), name: 'b.yaml' }, 'b.yaml'],
    [{ path: PATH }, PATH],
  ];
  for (const [input, file] of rows) {
    const { policies, ...head } = parseManifestSync(input).toJSON();
    assert.deepEqual(head, {
      file,
      sha256: createHash('sha256').update(TEXT).digest('hex'),
      rendered_sha256: null,
      manifest_version: '1.0',
      exported_at: null,
      org_name: null,
      circuit_breakers: [],
    });
    assert.deepEqual(policies.map(({ name, allowed_branches: branches }) => [name, branches]), [['p', ['main']]]);
  }
});

test('what is no text is a TypeError', () => {
  for (const input of [undefined, null, 7, [], {}, { path: 7 }, { path: PATH, text: TEXT }, { text: TEXT, name: 7 }]) {
    assert.throws(() => parseManifestSync(input), TypeError, String(input));
  }
  assert.throws(() => new Manifest(), TypeError);
  assert.throws(() => new Conditions({}), TypeError);
  assert.throws(() => new Workspace(), TypeError);
});

test('an option that is misspelt or of another type is refused, not left out', async () => {
  assert.throws(() => planSync(TEXT, TEXT, { replaced: true }), TypeError);
  await assert.rejects(plan(TEXT, TEXT, { dry_run: true }), TypeError);
  await assert.rejects(Workspace.open({ service_key: 'x' }), TypeError);
  await assert.rejects(Workspace.open({ url: 7 }), TypeError);
  assert.throws(() => planSync(TEXT, TEXT, { replace: 'yes' }), TypeError);
});

test('promises and their synchronous twins come to the same', async () => {
  const bad = TEXT.replace('false', 'maybe');
  const rows = [
    [parseManifest, parseManifestSync, [TEXT]],
    [parseManifest, parseManifestSync, [bad]],
    [parseManifest, parseManifestSync, [{ path: join(folder, 'none.yaml') }]],
    [validate, validateSync, [bad]],
    [validate, validateSync, [{ path: join(folder, 'none.yaml') }]],
    [formatManifest, formatManifestSync, [TEXT]],
    [formatManifest, formatManifestSync, [bad]],
    [check, checkSync, ['no proof']],
    [plan, planSync, [TEXT, TEXT.replace('[main]', 'null')]],
    [plan, planSync, [TEXT, bad]],
    [PolicySet.compile, (text) => new PolicySet(text), [bad]],
  ];
  for (const [later, now, input] of rows) {
    const settled = await later(...input).then(JSON.stringify, JSON.stringify);
    let done;
    try {
      done = JSON.stringify(now(...input));
    } catch (error) {
      done = JSON.stringify(error);
    }
    assert.equal(settled, done);
  }
});

test('an option that is left out is absent', () => {
  const empty = "manifest_version: '1.0'\npolicies: []\n";
  const actions = (options) => planSync(TEXT, empty, options).changes.map((change) => change.action);
  const rows = [
    [undefined, ['untouched']],
    [{}, ['untouched']],
    [{ replace: undefined }, ['untouched']],
    [{ replace: false }, ['untouched']],
    [{ replace: true }, ['deactivate']],
  ];
  for (const [options, expected] of rows) {
    assert.deepEqual(actions(options), expected);
  }
});

test('numbers are exact or refused', () => {
  const policies = new PolicySet(parseManifestSync(TEXT));
  const conditions = Conditions.compile('{logic: all, rules: [{field: size, operator: gt, value: 9007199254740992}]}');
  const action = (n) => ({ action_type: 't', metadata: { branch: 'main', size: n } });
  const rows = [
    [9007199254740993n, true, 9007199254740993n],
    [9007199254740992n, false, 9007199254740992n],
    [18446744073709551615n, true, 18446744073709551615n],
    [-9223372036854775808n, false, -9223372036854775808n],
    [7n, false, 7],
    [Number.MAX_SAFE_INTEGER, false, Number.MAX_SAFE_INTEGER],
    [0.1, false, 0.1],
    [-0, false, -0],
    [5e-324, false, 5e-324],
  ];
  for (const [n, result, actual] of rows) {
    const decision = policies.decide(action(n));
    const rule = decision.conditions_evaluated[1];
    assert.deepEqual([rule.result, rule.actual, rule.expected], [result, actual, 9007199254740992n]);
    assert.deepEqual(policies.decideMany([action(n)]), [decision]);
    const evaluation = conditions.evaluate(action(n));
    const { policy, ...same } = rule;
    assert.deepEqual(evaluation, { result, conditions_evaluated: [same] });
    assert.equal(policy, 'p');
  }
  const beyond = 'an integer beyond ±(2^53 − 1)';
  const refused = [
    [2 ** 53, `\`metadata.size\` is 9007199254740992, ${beyond}`, 'give it as a BigInt'],
    [-(2 ** 53), `\`metadata.size\` is -9007199254740992, ${beyond}`, 'give it as a BigInt'],
    [1e300, `\`metadata.size\` is 1e+300, ${beyond}`, 'give it as a BigInt'],
    [NaN, '`metadata.size` is NaN', 'give a finite number'],
    [-Infinity, '`metadata.size` is -Infinity', 'give a finite number'],
    [2n ** 64n, '`18446744073709551616` is an integer outside the 64-bit range', null],
    [-(2n ** 63n) - 1n, '`-9223372036854775809` is an integer outside the 64-bit range', null],
  ];
  for (const [n, message, help] of refused) {
    assert.deepEqual(caught(() => policies.decide(action(n))).toJSON(), document('INVALID_ACTION', message, { help }));
    const among = caught(() => policies.decideMany([action(1), action(n)]));
    const named = document('INVALID_ACTION', message, { help, file: 'actions[1]' });
    assert.deepEqual(among.toJSON(), named);
  }
});

test('an action is plain data', () => {
  const policies = new PolicySet(TEXT);
  const loop = [];
  loop.push(loop, loop);
  const deep = (depth) => (depth === 0 ? 1 : [deep(depth - 1)]);
  const rows = [
    [{ x: new Date(0) }, '`metadata.x` is a Date'],
    [{ x: new Map() }, '`metadata.x` is a Map'],
    [{ x: [undefined] }, '`metadata.x[0]` is undefined'],
    [{ x: () => 1 }, '`metadata.x` is a function'],
    [{ loop }, '`metadata.loop[0]` holds itself'],
    [{ x: deep(31) }, 'the action is nested deeper than 32 levels'],
    [{ x: deep(5000) }, 'the action is nested deeper than 32 levels'],
    [7, '`metadata` must be an object, found a number'],
  ];
  for (const [metadata, message] of rows) {
    const error = caught(() => policies.decide({ action_type: 't', metadata }));
    assert.deepEqual([error.code, error.message, error.line], ['INVALID_ACTION', message, null]);
  }
  const bare = Object.assign(Object.create(null), { action_type: 't', metadata: { x: undefined, y: deep(30) } });
  assert.equal(policies.decide(bare).status, 'denied');
  assert.equal(caught(() => policies.decide({ action_type: 't', metadata: { x: '\ud800' } })).code, 'INVALID_ACTION');
  assert.equal(caught(() => policies.decide('{"action_type": "t", "\ud800": 1}')).code, 'INVALID_ACTION');
  assert.equal(caught(() => parseManifestSync('a: \ud800')).code, 'INVALID_MANIFEST');
  assert.equal(caught(() => Conditions.compile('\ud800')).code, 'POLICY_COMPILE_ERROR');
});

test('any number of levels', () => {
  const names = Array.from({ length: 1100 }, (_, n) => `t${n}`);
  const policies = new PolicySet(
    JSON.stringify({
      manifest_version: '1.0',
      policies: names.map((name) => ({
        name,
        action_type: name,
        approval_required: false,
        allowed_repos: null,
        allowed_branches: ['main'],
        conditions: null,
      })),
    }),
  );
  const actions = names.map((name) => ({ action_type: name, metadata: { branch: 'main' } }));
  for (const decided of [policies.decideMany(actions), policies.decideMany(actions)]) {
    assert.deepEqual(decided.map((decision) => decision.policy_name), names);
    assert.ok(decided.every((decision) => decision.conditions_evaluated[0].actual === 'main'));
  }
});

test('of many actions, the first that is none is named', () => {
  const policies = new PolicySet(TEXT);
  const actions = Array(2000).fill('{"action_type": "t"}');
  const decision = policies.decide(actions[0]);
  assert.deepEqual(policies.decideMany(actions), Array(2000).fill(decision));
  for (const bad of [1999, 700, 3]) {
    actions[bad] = bad === 700 ? Buffer.from('{"action_type": 7}') : '{\n';
    const error = caught(() => policies.decideMany(actions));
    assert.deepEqual([error.code, error.file], ['INVALID_ACTION', `actions[${bad}]`]);
    assert.equal(error.line, bad === 700 ? 1 : 2);
  }
  const batch = native.PolicySet.compile({ text: TEXT }, true).outcomes(actions);
  caught(() => batch.nextList());
  assert.equal(batch.nextList(), null);
});

test('a worker may end while it decides', async () => {
  const worker = () =>
    new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const { PolicySet } = require(workerData.path);
       const policies = new PolicySet(workerData.text);
       const actions = Array(5000).fill('{"action_type": "t"}');
       parentPort.postMessage(policies.decideMany(actions).length);
       for (;;) policies.decideMany(actions);`,
      { eval: true, workerData: { path: createRequire(import.meta.url).resolve('../index.js'), text: TEXT } },
    );
  for (let n = 0; n < 5; n += 1) {
    const deciding = worker();
    const [decided] = await once(deciding, 'message');
    assert.equal(decided, 5000);
    assert.equal(await deciding.terminate(), 1);
  }
});

test('decisions share nothing', () => {
  const policy = {
    name: 'p',
    action_type: 't',
    approval_required: false,
    allowed_repos: null,
    allowed_branches: ['main'],
    conditions: 'logic: all\nrules:\n  - {field: x, operator: any_in, value: [a, b]}\n',
  };
  const policies = new PolicySet(JSON.stringify({ manifest_version: '1.0', policies: [policy] }));
  const action = { action_type: 't', metadata: { branch: 'main', x: ['a'] } };
  const first = policies.decide(action);
  const untouched = structuredClone(first);
  for (const decision of [first, policies.decide(action)]) {
    for (const rule of decision.conditions_evaluated) {
      rule.expected.push('spoilt');
      rule.policy = rule.actual = rule.result = 'spoilt';
    }
    decision.policies[0].name = 'spoilt';
    decision.policies.length = 0;
  }
  assert.deepEqual(policies.decide(action), untouched);
  assert.deepEqual(policies.decideMany([action]), [untouched]);
  const other = policies.decide({ action_type: 't' });
  assert.deepEqual(other.conditions_evaluated.map((rule) => rule.actual), [null, null]);
  assert.deepEqual(other.conditions_evaluated.map((rule) => rule.expected), [['main'], ['a', 'b']]);
  assert.deepEqual(Object.keys(other), Object.keys(untouched));

  const shared = new Uint8Array(new SharedArrayBuffer(20));
  shared.set(new TextEncoder().encode('{"action_type": "t"}'));
  assert.deepEqual(policies.decide(shared), other);
});

test('an error has everything that its document has', () => {
  const error = caught(() => new PolicySet({ text: TEXT.replace('gt', 'gtt'), name: 'p.yaml' }));
  assert.ok(error instanceof LatticeError && error instanceof Error);
  assert.deepEqual(error.toJSON(), document('POLICY_COMPILE_ERROR', error.message, {
    policy: 'p', file: 'p.yaml', line: 12, column: 35, help: error.help,
  }));
  assert.match(error.message, /`gtt`/);
  assert.match(error.help, /gt/);
  assert.equal(String(error), `LatticeError: ${error.message}`);
  const text = caught(() => new PolicySet(TEXT).decide('{"action_type": "t",\n "x": 1}'));
  assert.deepEqual([text.code, text.line, text.column], ['INVALID_ACTION', 2, 2]);
});

test('a plan names the errors of both texts', async () => {
  const [a, b] = ['a.yaml', 'b.yaml'].map((name) => ({ text: 'policies:', name }));
  for (const error of [caught(() => planSync(a, b)), await plan(a, b).catch((rejected) => rejected)]) {
    const files = [error, ...error.related].map(({ code, file }) => [code, file]);
    assert.deepEqual([...new Set(files.map(String))], ['INVALID_MANIFEST,a.yaml', 'INVALID_MANIFEST,b.yaml']);
  }
});

test('the schema of a manifest has the keys of its document', () => {
  const breakers = 'circuit_breakers_info:\n  entries:\n    - {anomaly_type: a, score_threshold: 1, response_level: r}\n';
  const document = parseManifestSync(TEXT + breakers).toJSON();
  const { properties, required, $defs } = schema('manifest-document');
  const keys = (of) => Object.keys(of).sort();
  assert.deepEqual(keys(document), keys(properties));
  assert.deepEqual(keys(document), required.toSorted());
  assert.deepEqual(keys(document.policies[0]), keys($defs.PolicySpec.properties));
  assert.deepEqual(keys(document.circuit_breakers[0]), keys($defs.Breaker.properties));
});

test('schemas', () => {
  assert.equal(schema().title, 'Manifest');
  assert.deepEqual(schema('manifest'), schema());
  assert.equal(caught(() => schema('nothing')).code, 'USAGE');
});

test('documents are read exactly', () => {
  const rows = [
    ['{"a":1,"b":[true,null,"x"]}', { a: 1, b: [true, null, 'x'] }],
    ['{"1234567890123456":"n1234567890123456","s":"s"}', { 1234567890123456: 'n1234567890123456', s: 's' }],
    ['[9007199254740991,9007199254740992,-9007199254740993]', [9007199254740991, 9007199254740992n, -9007199254740993n]],
    ['[0,"x",9007199254740992,9007199254740991]', [0, 'x', 9007199254740992n, 9007199254740991]],
    ['[9007199254740993.0,1e300,0.1234567890123456]', [9007199254740992, 1e300, 0.1234567890123456]],
    ['["\\"9007199254740993","\\\\",9007199254740993,""]', ['"9007199254740993', '\\', 9007199254740993n, '']],
    ['"9007199254740993"', '9007199254740993'],
  ];
  for (const [text, expected] of rows) {
    assert.deepEqual(parse(text), expected, text);
  }
});

test('large work leaves the event loop free', async () => {
  const policy = TEXT.slice(TEXT.indexOf('  - name'));
  const many = Array.from({ length: 2000 }, (_, i) => policy.replace('name: p', `name: p${i}`));
  const pending = parseManifest(`manifest_version: '1.0'\npolicies:\n${many.join('')}`);
  const first = await Promise.race([pending, new Promise((resolve) => setImmediate(resolve, 'the event loop'))]);
  assert.equal(first, 'the event loop');
  assert.equal((await pending).toJSON().policies.length, 2000);
});

test('a panic is an exception, and the process lives on', async () => {
  const expected = document('INTERNAL', 'the engine panicked: a panic for the tests', {
    help: 'this is a fault of the engine; please report it',
  });
  assert.deepEqual(caught(() => errors.call(() => native.testPanic(true))).toJSON(), expected);
  const rejected = await errors.wait(() => native.testPanic(false)).catch((error) => error);
  assert.deepEqual(rejected.toJSON(), expected);
  assert.equal(parseManifestSync(TEXT).toJSON().policies.length, 1);
});
