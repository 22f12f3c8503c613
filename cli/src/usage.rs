//! What clap has to say: help and version on stdout, everything else as an error of our own form.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use lattice_core::{Code, Error};

use crate::session::{Done, Outcome, Session};

/// Answers a command line that did not parse to a command.
pub(crate) fn answer(error: &clap::Error, session: &mut Session<'_, '_>) -> Outcome {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = error.render();
            Ok(Done::with(if session.paint().is_on() {
                text.ansi().to_string()
            } else {
                text.to_string()
            }))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Error::new(Code::Usage, "a command is missing")
                .with_help(commands(&error.render().to_string())))
        }
        _ => Err(Error::new(Code::Usage, message(error)).with_help(help(error))),
    }
}

/// The list of commands out of a help text.
fn commands(help: &str) -> String {
    let names: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    format!("name one of {}; --help says more", names.join(", "))
}

fn message(error: &clap::Error) -> String {
    let list = |kind| names(error, kind).join(", ");
    let arg = list(ContextKind::InvalidArg);
    let value = error
        .get(ContextKind::InvalidValue)
        .map(ToString::to_string);
    match (error.kind(), value) {
        (ErrorKind::UnknownArgument, _) => format!("unexpected argument {arg}"),
        (ErrorKind::InvalidSubcommand, _) => {
            let command = list(ContextKind::InvalidSubcommand);
            format!("there is no command {command}")
        }
        (ErrorKind::MissingRequiredArgument, _) => format!("missing {arg}"),
        (ErrorKind::ArgumentConflict, _) => {
            let prior = list(ContextKind::PriorArg);
            if prior == arg {
                format!("{arg} is given more than once")
            } else {
                format!("{arg} cannot be used with {prior}")
            }
        }
        (ErrorKind::InvalidValue, Some(value)) if value.is_empty() => {
            format!("{arg} needs a value")
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(value)) => {
            let reason = error
                .source()
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            format!("`{value}` is no value for {arg}{reason}")
        }
        (ErrorKind::TooManyValues, Some(value)) => {
            format!("`{value}` is one value too many for {arg}")
        }
        (ErrorKind::InvalidUtf8, _) => "an argument is not UTF-8".to_owned(),
        (kind, _) => kind
            .as_str()
            .unwrap_or("the command line cannot be read")
            .to_owned(),
    }
}

fn help(error: &clap::Error) -> String {
    let suggestions = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let mut help: Vec<String> = suggestions
        .into_iter()
        .map(|kind| names(error, kind).join(" or "))
        .filter(|names| !names.is_empty())
        .map(|names| format!("did you mean {names}?"))
        .collect();
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        help.push(format!("possible values: {}", values.join(", ")));
    }
    if let Some(usage) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let lines: Vec<&str> = usage
            .trim_start_matches("Usage:")
            .lines()
            .map(str::trim)
            .collect();
        help.push(format!("usage: {}", lines.join(" or ")));
    }
    if help.is_empty() {
        return "--help says what can be given".to_owned();
    }
    help.join(" ")
}

/// The names that clap holds under `kind`, each in backticks.
fn names(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let names = match error.get(kind) {
        Some(ContextValue::String(name)) => std::slice::from_ref(name),
        Some(ContextValue::Strings(names)) => names,
        _ => &[],
    };
    names.iter().map(|name| format!("`{name}`")).collect()
}
