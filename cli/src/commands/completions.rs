use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al completions bash > ~/.local/share/bash-completion/completions/al
  al completions zsh > ~/.zfunc/_al
  al completions fish > ~/.config/fish/completions/al.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape that all commands share"
    )]
    pub(crate) fn run(self, _session: &mut Session<'_, '_>) -> Outcome {
        let mut script = Vec::new();
        generate(
            self.shell,
            &mut crate::args::Args::command(),
            "al",
            &mut script,
        );
        Ok(Done::with(String::from_utf8_lossy(&script).into_owned()))
    }
}
