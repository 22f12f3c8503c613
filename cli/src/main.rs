//! The `al` executable.

fn main() -> std::process::ExitCode {
    al::run(std::env::args_os(), &mut al::Io::system()).into()
}
