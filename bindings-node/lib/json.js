'use strict';

/** Fewer digits make no integer that a `number` rounds. */
const LONG = 16;

/** A string and, for a key, the colon behind it; or a number. */
const TOKEN = /"(?:[^"\\]+|\\.)*"(:?)|-?\d[\d.eE+-]*/g;

const INTEGER = /^-?\d+$/;

/** Reads a document. Integers beyond ±(2^53 − 1) become `BigInt`, all other numbers `number`. */
function parse(text) {
  return isLong(text) ? parseExactly(text) : JSON.parse(text);
}

/** Whether 16 digits stand in a row: one of them does so at a multiple of 16, and few other characters need a look. */
function isLong(text) {
  for (let at = 0; at < text.length; at += LONG) {
    let from = at;
    let to = at;
    while (isDigit(text.charCodeAt(to))) {
      to += 1;
    }
    while (to > at && isDigit(text.charCodeAt(from - 1))) {
      from -= 1;
    }
    if (to - from >= LONG) {
      return true;
    }
  }
  return false;
}

function isDigit(code) {
  return code >= 48 && code <= 57;
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

/** Writes a document as {@link parse} reads it. */
function stringify(document) {
  const mark = (_, value) => {
    if (typeof value === 'bigint') {
      return `n${value}`;
    }
    return typeof value === 'string' ? `s${value}` : value;
  };
  const marked = JSON.stringify(document, mark) ?? 'null';
  return marked.replace(TOKEN, (token, colon) => {
    if (token[0] !== '"' || colon) {
      return token;
    }
    return token[1] === 'n' ? token.slice(2, -1) : `"${token.slice(2)}`;
  });
}

module.exports = { parse, stringify };
