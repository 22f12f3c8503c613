//! What every store does, whatever it is made of. `sqlite` and `postgres` each build all of it for their backend.

mod audit;
mod decider;
mod drift;
mod imports;
mod once;
mod rollback;
mod saved;
mod threats;
mod workspaces;
