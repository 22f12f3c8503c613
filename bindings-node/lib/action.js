'use strict';

const { ACTION_NESTING } = require('../native.js');
const { LatticeError, unwrap } = require('./error.js');
const { wellFormed } = require('./source.js');

/**
 * An action as JSON for the engine. Text and bytes pass as they are. Objects are written with every number exact:
 * what `JSON.stringify` would round, drop or turn into something else is refused.
 */
function actionJson(action) {
  if (typeof action === 'string') {
    return wellFormed(action, 'INVALID_ACTION');
  }
  if (action instanceof Uint8Array) {
    // Bytes that another thread may change are read once.
    return action.buffer instanceof SharedArrayBuffer ? action.slice() : action;
  }
  return write(action, '', []);
}

/** Calls the engine for a list of actions; the error names the one that is none. */
function callWithActions(actions, work) {
  const list = Array.from(actions);
  const texts = list.map((action, at) => {
    try {
      return actionJson(action);
    } catch (error) {
      error.file = `actions[${at}]`;
      throw error;
    }
  });
  try {
    return work(texts);
  } catch (thrown) {
    const error = unwrap(thrown);
    throw withoutPlace(error, list[error.file?.slice('actions['.length, -1)]);
  }
}

/** What the engine threw about an action, as what a program catches. */
function refusal(thrown, action) {
  return withoutPlace(unwrap(thrown), action);
}

/** In an object there are no lines. */
function withoutPlace(error, action) {
  if (error instanceof LatticeError && typeof action !== 'string' && !(action instanceof Uint8Array)) {
    error.line = null;
    error.column = null;
  }
  return error;
}

function write(value, path, ancestors) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    case 'number':
      return number(value, path);
    case 'object':
      break;
    default:
      throw refused(path, `is ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`, 'give a JSON value');
  }
  if (value === null) {
    return 'null';
  }
  if (ancestors.includes(value)) {
    throw refused(path, 'holds itself', 'give a value that ends');
  }
  // The engine refuses what is nested this deep, whatever lies below.
  if (ancestors.length === ACTION_NESTING) {
    return '[]';
  }
  ancestors.push(value);
  const json = Array.isArray(value) ? list(value, path, ancestors) : object(value, path, ancestors);
  ancestors.pop();
  return json;
}

function number(value, path) {
  if (!Number.isFinite(value)) {
    throw refused(path, `is ${value}`, 'give a finite number');
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw refused(path, `is ${value}, an integer beyond ±(2^53 − 1)`, 'give it as a BigInt');
  }
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function list(value, path, ancestors) {
  let json = '[';
  for (let i = 0; i < value.length; i += 1) {
    json += (i === 0 ? '' : ',') + write(value[i], `${path}[${i}]`, ancestors);
  }
  return `${json}]`;
}

/** A property that is undefined is absent, as everywhere in JavaScript. */
function object(value, path, ancestors) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refused(path, `is a ${value.constructor?.name ?? 'class instance'}`, 'give a plain object');
  }
  let json = '';
  for (const key of Object.keys(value)) {
    const below = value[key];
    if (below !== undefined) {
      const written = write(below, path === '' ? key : `${path}.${key}`, ancestors);
      json += `${json === '' ? '{' : ','}${JSON.stringify(key)}:${written}`;
    }
  }
  return json === '' ? '{}' : `${json}}`;
}

function refused(path, what, help) {
  const message = `${path === '' ? 'the action' : `\`${path}\``} ${what}`;
  return new LatticeError({ code: 'INVALID_ACTION', message, help });
}

module.exports = { actionJson, callWithActions, refusal };
