'use strict';

const { LatticeError } = require('./error.js');

/**
 * An input as the engine takes it: `{ text, name }` or `{ path }`.
 *
 * Text is a string or bytes; `{ text, name }` names it in errors; `{ path }` is a file, read on the engine's side.
 */
function source(input, code) {
  if (typeof input === 'string') {
    return { text: wellFormed(input, code) };
  }
  if (input instanceof Uint8Array) {
    return { text: input };
  }
  if (typeof input === 'object' && input !== null) {
    const { text, name, path } = input;
    if (typeof path === 'string' && text === undefined && name === undefined) {
      return { path };
    }
    if (path === undefined && (name === undefined || typeof name === 'string')) {
      if (typeof text === 'string') {
        return { text: wellFormed(text, code), name };
      }
      if (text instanceof Uint8Array) {
        return { text, name };
      }
    }
  }
  throw new TypeError('expected a string, bytes, { text, name } or { path }');
}

/** Half of a surrogate pair has no UTF-8; put in its place would be a character that nobody wrote. */
function wellFormed(text, code) {
  if (!text.isWellFormed()) {
    const message = 'the text is not Unicode: a surrogate stands without its pair';
    throw new LatticeError({ code, message, help: 'give the text as its bytes' });
  }
  return text;
}

module.exports = { source, wellFormed };
