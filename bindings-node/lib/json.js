'use strict';

/** Only such a text can hold an integer that a `number` rounds. */
const LONG = /\d{16}/;

/** A string and, for a key, the colon behind it; or a number. */
const TOKEN = /"(?:[^"\\]+|\\.)*"(:?)|-?\d[\d.eE+-]*/g;

const INTEGER = /^-?\d+$/;

/** Reads a document. Integers beyond ±(2^53 − 1) become `BigInt`, all other numbers `number`. */
function parse(text) {
  return LONG.test(text) ? parseExactly(text) : JSON.parse(text);
}

/** `JSON.parse` rounds, so values travel as strings whose first letter says what they are. */
function parseExactly(text) {
  const marked = text.replace(TOKEN, (token, colon) => {
    if (token[0] === '"') {
      return colon ? token : `"s${token.slice(1)}`;
    }
    return INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"n${token}"` : token;
  });
  return JSON.parse(marked, (_, value) => {
    if (typeof value !== 'string') {
      return value;
    }
    return value[0] === 'n' ? BigInt(value.slice(1)) : value.slice(1);
  });
}

module.exports = { parse };
