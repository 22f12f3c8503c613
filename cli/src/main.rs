//! The `al` executable.

use mimalloc::MiMalloc;

/// Threads that read, compile and decide allocate all the time (`docs/decisions/0009`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    al::run(std::env::args_os(), &mut al::Io::system()).into()
}
