//! What each operation does: read what the call says, ask the workspace, answer with a view.

pub(crate) mod audit;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod policies;
pub(crate) mod rows;
pub(crate) mod workspaces;
