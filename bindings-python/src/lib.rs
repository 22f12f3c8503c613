//! `lattice_policy._native`: the engine for Python.
//!
//! Every function converts, calls the engine and converts back. What a caller leaves out is left out of the call, so
//! that the engine's defaults apply; results are the documents of `--format json` as plain data.

mod decisions;
mod engine;
mod input;
mod many;
mod output;
mod workspace;

use pyo3::prelude::*;

/// What the engine allocates; what Python has is Python's own (`docs/decisions/0009`).
#[cfg(not(target_vendor = "apple"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
mod _native {
    #[cfg(feature = "test-hooks")]
    #[pymodule_export]
    use crate::_panic;
    #[pymodule_export]
    use crate::engine::{
        Conditions, Manifest, PolicySet, check, format_manifest, parse_manifest, plan, report,
        schema, show_plan, validate,
    };
    #[pymodule_export]
    use crate::run_cli;
    #[pymodule_export]
    use crate::workspace::Workspace;
}

/// Runs ``al`` with ``args``, the program's name first, and returns its exit code.
#[pyfunction]
fn run_cli(py: Python<'_>, args: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| al::run(args, &mut al::Io::system()))
}

#[cfg(feature = "test-hooks")]
#[pyfunction]
#[expect(clippy::panic, reason = "a test wants to see what becomes of a panic")]
fn _panic(py: Python<'_>) {
    py.detach(|| panic!("a panic on purpose"));
}
