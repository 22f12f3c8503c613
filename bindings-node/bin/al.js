#!/usr/bin/env node
'use strict';

const { runCli } = require('../native.js');

process.exitCode = runCli(process.argv.slice(2));
