'use strict';

const { parse } = require('./json.js');

const FIELDS = ['policy', 'file', 'line', 'column', 'help', 'plan'];

/** A failure of the engine: the error document as an exception. */
class LatticeError extends Error {
  /** @param {object} document what stands under `error` in an error document */
  constructor(document) {
    super(document.message);
    this.name = 'LatticeError';
    this.code = document.code;
    for (const field of FIELDS) {
      this[field] = document[field] ?? null;
    }
    this.related = document.related ?? [];
  }

  /** The error document. */
  toJSON() {
    const { code, message, policy, file, line, column, help, plan, related } = this;
    return { error: { code, message, policy, file, line, column, help, plan, related } };
  }
}

/** What a native function threw, as what a program catches: an error document arrives as the message. */
function unwrap(thrown) {
  let document;
  try {
    document = parse(thrown.message);
  } catch {
    // `StringExpected`, `ArrayExpected`, …: an argument that the native function could not take.
    const mistyped = /Expected$|^InvalidArg$/.test(thrown.code);
    return mistyped ? new TypeError(thrown.message, { cause: thrown }) : thrown;
  }
  return new LatticeError(document.error);
}

/** Calls into the engine. */
function call(work) {
  try {
    return work();
  } catch (thrown) {
    throw unwrap(thrown);
  }
}

/** Waits for the engine, which works on another thread. */
async function wait(work) {
  try {
    return await work();
  } catch (thrown) {
    throw unwrap(thrown);
  }
}

module.exports = { LatticeError, call, unwrap, wait };
