// What crossing into Node adds: a group of rows for the tables, of the inputs that `lattice-bench bindings` wrote.
//
//     node benches/node.mjs INPUTS ROWS

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hrtime, versions } from 'node:process';

import { PolicySet, parseManifestSync } from '../bindings-node/index.mjs';

const [inputs, rows] = process.argv.slice(2);

function figure(runs) {
  runs.sort((a, b) => a - b);
  return { best: runs[0], median: runs[Math.floor(runs.length / 2)] };
}

function slow(job, runs = 9) {
  return figure(
    Array.from({ length: runs }, () => {
      const start = hrtime.bigint();
      job();
      return Number(hrtime.bigint() - start);
    }),
  );
}

function fast(job, batch = 200, batches = 500) {
  return figure(
    Array.from({ length: batches }, () => {
      const start = hrtime.bigint();
      for (let n = 0; n < batch; n += 1) job();
      return Number(hrtime.bigint() - start) / batch;
    }),
  );
}

function compare(withBinding, rust, operation) {
  return {
    best: operation(withBinding.best, rust.best),
    median: operation(withBinding.median, rust.median),
  };
}

const read = (name) => readFileSync(join(inputs, name), 'utf8');
const ratio = (withBinding, plain) => withBinding / plain;
const added = (withBinding, plain) => withBinding - plain;

const rust = JSON.parse(read('rust.json'));
const manifest = read('manifest.yaml');
const few = JSON.parse(read('few.json'));
const actions = JSON.parse(read('actions.json'));
const policies = new PolicySet(read('decisions.yaml'));

const parse = compare(slow(() => parseManifestSync(manifest)), rust.parse, ratio);
const decide = compare(fast(() => policies.decide(actions[0])), rust.decide, added);
const several = compare(slow(() => policies.decideMany(few)), rust.decide_many_few, ratio);
const many = compare(slow(() => policies.decideMany(actions)), rust.decide_many, ratio);

const group = {
  title: `Through Node ${versions.node}`,
  rows: [
    { what: 'parse 10,000 policies, as a multiple of Rust', unit: 'times', aim: { at_most: 1.3 }, ours: parse },
    { what: '`decide` from JSON text, beyond Rust', unit: 'microseconds', aim: { at_most: 1 }, ours: decide },
    {
      what: '`decideMany` of 10,000 JSON texts of 100 types, as a multiple of Rust',
      unit: 'times',
      aim: { at_most: 1.5 },
      ours: several,
    },
    { what: 'the same of 10,000 types', unit: 'times', aim: { at_most: 1.5 }, ours: many },
  ],
};
mkdirSync(rows, { recursive: true });
writeFileSync(join(rows, 'node.json'), JSON.stringify(group, null, 2));
