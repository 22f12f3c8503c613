//! The states that a workspace had.

use lattice_core::view::{History, RecordedState};

use super::{Table, short};

/// One line for each state.
pub(crate) fn history(history: &History) -> Table {
    let mut table = Table::new(["event", "time", "kind", "actor", "changes", "state"]);
    for state in &history.states {
        table.row([
            state.event.to_string(),
            state.time.clone(),
            state.kind.as_str().to_owned(),
            state.actor.clone(),
            changes(state),
            digest(state),
        ]);
    }
    table
}

fn changes(state: &RecordedState) -> String {
    format!(
        "+{} ~{} -{} ={}",
        state.added, state.modified, state.deactivated, state.unchanged
    )
}

fn digest(state: &RecordedState) -> String {
    let current = if state.current { " (current)" } else { "" };
    format!("{}{current}", short(&state.state))
}
