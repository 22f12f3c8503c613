'use strict';

const { parse } = require('./json.js');

/** Where the rules begin in an outcome: before them stands what is said about the action as a whole. */
const RULES = 5;

/**
 * Decisions of one set of policies. Most of a trace is the same for every action that the same policies decide about: it
 * crosses from the engine once, and an outcome brings what depends on the action. Nothing of an action is kept.
 */
class Decisions {
  #native;
  #levels = new Map();

  constructor(native) {
    this.#native = native;
  }

  /** The decision about an action, of its outcome. */
  one(outcome, json) {
    const level = this.#levels.get(outcome[0]);
    return level === undefined ? this.many([outcome], [json])[0] : decision(outcome, level);
  }

  /** The decisions about actions, of their outcomes. */
  many(outcomes, texts) {
    const unknown = new Map();
    for (let at = 0; at < outcomes.length; at += 1) {
      if (!this.#levels.has(outcomes[at][0])) {
        unknown.set(outcomes[at][0], texts[at]);
      }
    }
    if (unknown.size > 0) {
      const levels = [...unknown.keys()];
      const fetched = parse(this.#native.levels([...unknown.values()]));
      fetched.forEach((known, at) => this.#levels.set(levels[at], level(known)));
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
  const [, status, denial_reason, decider, approval_timeout_hours] = outcome;
  const policy_name = decider === null ? null : level.policies[decider].name;
  return { status, denial_reason, policy_name, approval_timeout_hours, conditions_evaluated, policies };
}

module.exports = { Decisions };
