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
    if (!this.#levels.has(outcome[0])) {
      this.#fetch([outcome], [json], 0);
    }
    return decision(outcome, this.#levels.get(outcome[0]));
  }

  /** The decisions about actions: while those about the first are made, the engine goes on with the next. */
  many(texts) {
    const decisions = [];
    for (const outcomes of lists(this.#native.outcomes(texts))) {
      this.#fetch(outcomes, texts, decisions.length);
      for (const outcome of outcomes) {
        decisions.push(decision(outcome, this.#levels.get(outcome[0])));
      }
    }
    return decisions;
  }

  /** Fetches what is not known yet of the levels of outcomes, which are those of the texts from the `first` on. */
  #fetch(outcomes, texts, first) {
    const unknown = new Map();
    outcomes.forEach(([number], at) => {
      if (!this.#levels.has(number)) {
        unknown.set(number, texts[first + at]);
      }
    });
    if (unknown.size === 0) {
      return;
    }
    const numbers = unknown.keys();
    for (const levels of lists(this.#native.levels([...unknown.values()]))) {
      for (const fetched of levels) {
        this.#levels.set(numbers.next().value, level(fetched));
      }
    }
  }
}

/** The lists that a batch brings, one after the other. */
function* lists(batch) {
  for (let text = batch.nextList(); text !== null; text = batch.nextList()) {
    yield parse(text);
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
