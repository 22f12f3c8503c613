'use strict';

const { parse } = require('./json.js');

/** Where the rules begin in an outcome: before them stands what is said about the action as a whole. */
const RULES = 5;

/**
 * Decisions of one set of policies. Most of a trace is the same for every action that the same policies decide about: it
 * crosses from the engine once, and an outcome brings what depends on the action. Nothing of an action is kept.
 */
class Decisions {
  #levels = new Map();

  /** The decision of an outcome; `fetch` gets what all decisions of its level have. */
  one(outcome, fetch) {
    const level = this.#levels.get(outcome[0]);
    return level === undefined ? this.many([outcome], fetch)[0] : decision(outcome, level);
  }

  /** The decisions of outcomes; `fetch` gets what all decisions of their levels have, for places in the list. */
  many(outcomes, fetch) {
    const unknown = new Map();
    for (let at = 0; at < outcomes.length; at += 1) {
      if (!this.#levels.has(outcomes[at][0])) {
        unknown.set(outcomes[at][0], at);
      }
    }
    if (unknown.size > 0) {
      const levels = [...unknown.keys()];
      parse(fetch([...unknown.values()])).forEach((known, at) => this.#levels.set(levels[at], level(known)));
    }
    return outcomes.map((outcome) => decision(outcome, this.#levels.get(outcome[0])));
  }
}

/** Objects, which are copied faster than the lists that cross. */
function level([rules, policies]) {
  return {
    rules: rules.map(([policy, field, operator, expected]) => ({ policy, field, operator, expected })),
    policies: policies.map(([name, approval_required]) => ({ name, approval_required })),
  };
}

/** The keys stand in the order of the documents. */
function decision(outcome, level) {
  let next = RULES;
  const conditions_evaluated = level.rules.map(({ policy, field, operator, expected }) => {
    const actual = outcome[next];
    const result = outcome[next + 1];
    next += 2;
    return {
      policy,
      field,
      operator,
      expected: Array.isArray(expected) ? expected.slice() : expected,
      actual,
      result,
      reason: result === null ? outcome[next++] : null,
    };
  });
  const policies = level.policies.map(({ name, approval_required }) => ({
    name,
    result: outcome[next++],
    approval_required,
  }));
  const [, status, denial_reason, policy_name, approval_timeout_hours] = outcome;
  return { status, denial_reason, policy_name, approval_timeout_hours, conditions_evaluated, policies };
}

module.exports = { Decisions };
