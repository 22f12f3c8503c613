//! The `al` executable.

/// Threads that read, compile and decide allocate all the time (`docs/decisions/0009`).
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    al::run(std::env::args_os(), &mut al::Io::system()).into()
}
