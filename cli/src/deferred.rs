//! Commands whose arguments are put together only when they are asked for: `al` has many, and runs one.

use clap::builder::Resettable;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// The arguments of a command. What lists of commands say of it is for the variant that holds it to say.
#[derive(Debug)]
pub(crate) struct Deferred<T>(pub(crate) T);

impl<T: Args> Args for Deferred<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| complete(command, T::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| complete(command, T::augment_args_for_update))
    }
}

/// A command as it would be if it had been put together at once: described by its variant and not by arguments that
/// several commands share, and with the arguments that all commands share behind its own.
fn complete(command: Command, augment: fn(Command) -> Command) -> Command {
    let about = command.get_about().cloned();
    let long_about = command.get_long_about().cloned();
    let shared = command.get_arguments().map(Arg::get_id).cloned();
    let shared: Vec<Id> = shared.collect();
    let command = augment(command)
        .about(Resettable::from(about))
        .long_about(Resettable::from(long_about));
    // An argument that is changed becomes the last.
    shared.iter().fold(command, |command, id| {
        command.mut_arg(id, std::convert::identity)
    })
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}
