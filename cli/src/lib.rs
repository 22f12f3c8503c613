//! `al`: promotes the governance policies of AI agents from one workspace to the next.
//!
//! The command line is a library, so that other languages run it in process: [`run`] takes the arguments and
//! everything effectful ([`Io`]) and returns the exit code. It parses arguments, calls `lattice-core` and
//! `lattice-workspace`, and renders what they return; it holds no rule about policies.
//!
//! Programs that want documents instead of streams give a [`Source`] where the commands take a file, and use
//! [`Client`], which opens a workspace as the commands do.
//!
//! A command puts one document on stdout or nothing. Notes and errors go to stderr; with `--format json` an
//! error is the document.

mod access;
mod args;
mod client;
mod commands;
mod deferred;
mod evidence;
mod exit;
mod file;
mod given;
mod io;
mod patient;
mod render;
mod secret;
mod session;
mod texts;
mod usage;

use std::ffi::OsString;

use clap::Parser;

pub use crate::client::{Client, PlanOptions};
pub use crate::evidence::{Evidence, check};
pub use crate::file::Limit;
pub use crate::given::{Given, Named, Source, Sources, plan, show};
pub use crate::io::{Fill, Io, Lookup};
pub use crate::render::{Report, no_plan, refusal_report, report};

use crate::args::{Args, Output};
use crate::session::Session;

/// Runs `al` with `args`, the program's name first, and returns its exit code.
///
/// Codes: 64 usage, 1 error, 3 refused by a safety rule, 2 changes pending (only with `--detailed-exitcode`),
/// 0 done.
///
/// ```
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let mut io = al::Io {
///     stdout: Box::new(&mut out),
///     stderr: Box::new(&mut err),
///     ..al::Io::system()
/// };
/// assert_eq!(al::run(["al".into(), "--version".into()], &mut io), 0);
/// drop(io);
/// assert!(out.starts_with(b"al "));
/// assert!(err.is_empty());
/// ```
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Err(error) = secret::refuse_keys(&args) {
        return Session::new(io, Output::glimpse(&args)).finish(Err(error));
    }
    match Args::try_parse_from(&args) {
        Ok(parsed) => {
            let mut session = Session::new(io, parsed.output);
            let shown = parsed.command.takes(parsed.output.format);
            let outcome = shown.and_then(|()| parsed.command.run(&mut session));
            session.finish(outcome)
        }
        Err(error) => {
            let mut session = Session::new(io, Output::glimpse(&args));
            let outcome = usage::answer(&error, &mut session);
            session.finish(outcome)
        }
    }
}
