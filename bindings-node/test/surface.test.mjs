// What the package exports, against one list.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as esm from '@agentlattice/cli';

const commonJs = createRequire(import.meta.url)('@agentlattice/cli');

const WORKSPACE = [
  'apply',
  'audit',
  'checkpoint',
  'decide',
  'diff',
  'export',
  'history',
  'importManifest',
  'plan',
  'prove',
  'rollback',
  'savePlan',
  'verify',
];

const SURFACE = {
  Conditions: { static: ['compile'], own: ['evaluate'] },
  LatticeError: { static: [], own: ['toJSON'] },
  Manifest: { static: [], own: ['render', 'toJSON'] },
  PolicySet: { static: ['compile'], own: ['decide', 'decideMany'] },
  Workspace: { static: ['open'], own: WORKSPACE },
  check: null,
  checkSync: null,
  formatManifest: null,
  formatManifestSync: null,
  parseManifest: null,
  parseManifestSync: null,
  plan: null,
  planSync: null,
  report: null,
  reportSync: null,
  schema: null,
  showPlan: null,
  showPlanSync: null,
  validate: null,
  validateSync: null,
};

const BUILT_IN = new Set(['length', 'name', 'prototype', 'constructor']);
const members = (of) => Object.getOwnPropertyNames(of).filter((name) => !BUILT_IN.has(name)).sort();

test('CommonJS and ES modules export the list, and the same things', () => {
  assert.deepEqual(Object.keys(commonJs).sort(), Object.keys(SURFACE).sort());
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(SURFACE).sort());
  for (const name of Object.keys(SURFACE)) {
    assert.equal(esm[name], commonJs[name], name);
  }
});

test('classes have the members of the list', () => {
  for (const [name, of] of Object.entries(SURFACE).filter(([, each]) => each)) {
    assert.deepEqual({ static: members(esm[name]), own: members(esm[name].prototype) }, of, name);
  }
});

test('types and their sample name every export and member', () => {
  const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
  const [types, sample] = [read('../index.d.ts'), read('types/sample.mts')];
  const names = Object.entries(SURFACE).flatMap(([name, of]) => [name, ...(of?.static ?? []), ...(of?.own ?? [])]);
  for (const name of names) {
    assert.match(types, new RegExp(`\\b${name}\\b`), name);
    assert.match(sample, new RegExp(`\\b${name}\\b`), name);
  }
});

test('the package of every platform is laid out', () => {
  const json = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const main = json('../package.json');
  const platforms = {
    'darwin-arm64': ['darwin', 'arm64'],
    'darwin-x64': ['darwin', 'x64'],
    'linux-arm64-gnu': ['linux', 'arm64', 'glibc'],
    'linux-arm64-musl': ['linux', 'arm64', 'musl'],
    'linux-x64-gnu': ['linux', 'x64', 'glibc'],
    'linux-x64-musl': ['linux', 'x64', 'musl'],
    'win32-arm64-msvc': ['win32', 'arm64'],
    'win32-x64-msvc': ['win32', 'x64'],
  };
  assert.equal(main.napi.targets.length, Object.keys(platforms).length);
  for (const [platform, [os, cpu, libc]] of Object.entries(platforms)) {
    const { name, version, files, ...rest } = json(`../npm/${platform}/package.json`);
    assert.deepEqual(
      { name, version, files, os: rest.os, cpu: rest.cpu, libc: rest.libc },
      {
        name: `${main.name}-${platform}`,
        version: main.version,
        files: [`lattice.${platform}.node`],
        os: [os],
        cpu: [cpu],
        libc: libc && [libc],
      },
    );
  }
});
