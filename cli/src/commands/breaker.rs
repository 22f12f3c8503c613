use clap::{Args, Subcommand};
use lattice_core::{Breaker as CircuitBreaker, Number, view};
use lattice_workspace::{list_breakers, set_breaker};

use crate::args::CallerArgs;
use crate::deferred::Deferred;
use crate::render::{Table, value};
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Breaker {
    /// Set a circuit breaker; exports name it for reference, imports never apply it
    Set(Deferred<Set>),
    /// List a workspace's circuit breakers
    List(Deferred<List>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al breaker set rapid_tool_invocation --score-threshold 70 --response-level HALT")]
pub(crate) struct Set {
    /// What it watches for
    #[arg(value_name = "ANOMALY")]
    anomaly_type: String,
    /// The score at which it trips, a number of 0 or more
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    score_threshold: Number,
    /// What happens then
    #[arg(long, value_name = "LEVEL")]
    response_level: String,
    #[command(flatten)]
    caller: CallerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  al breaker list\n  al breaker list --workspace staging")]
pub(crate) struct List {
    #[command(flatten)]
    caller: CallerArgs,
}

fn number(text: &str) -> Result<Number, String> {
    Number::parse(text).map_err(|error| format!("it {}", error.as_str()))
}

impl Breaker {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Breaker::Set(Deferred(command)) => command.run(session),
            Breaker::List(Deferred(command)) => command.run(session),
        }
    }
}

impl Set {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let breaker = CircuitBreaker::new(
            &self.anomaly_type,
            self.score_threshold,
            &self.response_level,
        )?;
        let (caller, opened) = self.caller.open(session)?;
        let breakers = set_breaker(&*opened.store, &caller, &breaker)?;
        session.table(&breakers, || table(&breakers))
    }
}

impl List {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (caller, opened) = self.caller.open(session)?;
        let breakers = list_breakers(&*opened.store, &caller)?;
        session.table(&breakers, || table(&breakers))
    }
}

fn table(breakers: &view::Breakers) -> Table {
    let mut table = Table::new(["anomaly_type", "score_threshold", "response_level"]);
    for breaker in &breakers.breakers {
        table.row([
            breaker.anomaly_type.clone(),
            value(&breaker.score_threshold),
            breaker.response_level.clone(),
        ]);
    }
    table
}
