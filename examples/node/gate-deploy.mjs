// Gates a deploy on a decision: runs the command behind `--` if the policies let it run at once.
//
//   node gate-deploy.mjs policies.yaml action.json -- ./deploy.sh production
//
// Exits with the command's code, 2 where a human must approve first, 3 where the deploy is refused, 1 on an error.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { LatticeError, PolicySet } from '@agentlattice/cli';

const [policies, action, separator, command, ...args] = process.argv.slice(2);
if (separator !== '--' || command === undefined) {
  console.error('usage: node gate-deploy.mjs POLICIES ACTION -- COMMAND [ARG…]');
  process.exit(64);
}

try {
  const set = await PolicySet.compile({ path: policies });
  process.exitCode = gate(set.decide(readFileSync(action)));
} catch (error) {
  if (!(error instanceof LatticeError)) {
    throw error;
  }
  const place = [error.file, error.line, error.column].filter((part) => part !== null).join(':');
  console.error(`${error.code}: ${error.message}${place && ` (${place})`}`);
  process.exitCode = 1;
}

function gate(decision) {
  switch (decision.status) {
    case 'executed':
      return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
    case 'requested':
      console.error(`${decision.policy_name}: waits for an approval, ${decision.approval_timeout_hours} hours at most`);
      return 2;
    default:
      // Whatever is not a grant is a refusal.
      console.error(`${decision.policy_name ?? 'no policy'}: ${decision.status}`);
      for (const rule of decision.conditions_evaluated.filter(({ result }) => result !== true)) {
        console.error(`  ${rule.field} ${rule.operator}: ${rule.reason ?? 'does not hold'}`);
      }
      return 3;
  }
}
