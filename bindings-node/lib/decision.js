'use strict';

const { parse } = require('./json.js');

/** Levels that are kept: those that a program asks about again and again. */
const MOST = 1024;

/**
 * Decisions of one set of policies. Most of a trace is the same for every action that the same policies decide about: it
 * crosses from the engine once, and later decisions bring what depends on the action.
 */
class Decisions {
  #first = new Map();

  /** The decision of an outcome; `whole` gives the text of the decision in full. */
  of(outcome, whole) {
    const [level, status, denial_reason, policy_name, approval_timeout_hours, rules, policies] = outcome;
    let first = this.#first.get(level);
    if (first === undefined) {
      const decision = parse(whole());
      if (this.#first.size >= MOST) {
        return decision;
      }
      first = constant(decision);
      this.#first.set(level, first);
    }
    return {
      status,
      denial_reason,
      policy_name,
      approval_timeout_hours,
      conditions_evaluated: first.conditions_evaluated.map((rule, at) => {
        const [actual, result, reason] = rules[at];
        const expected = Array.isArray(rule.expected) ? rule.expected.slice() : rule.expected;
        return { ...rule, expected, actual, result, reason };
      }),
      policies: first.policies.map((policy, at) => ({ ...policy, result: policies[at] })),
    };
  }
}

/** What every decision of a level has: nothing of an action is kept. */
function constant({ conditions_evaluated, policies }) {
  return {
    conditions_evaluated: conditions_evaluated.map((rule) => ({ ...rule, actual: null, result: null, reason: null })),
    policies: policies.map((policy) => ({ ...policy, result: null })),
  };
}

module.exports = { Decisions };
