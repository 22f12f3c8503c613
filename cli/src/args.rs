//! The command line's root: what every command shares. Each command's own arguments stand with the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use lattice_core::{Code, Error, Guard};

use crate::commands::Command;
use crate::io::Io;

const EXAMPLES: &str = "\
Examples:
  al workspace create dev                     a workspace and its service key
  al validate policies.yaml                   every error of a manifest, offline
  al import --file policies.yaml --dry-run    what an import would change
  al import --file policies.yaml              the import, in one transaction
  al export --file policies.yaml              the manifest of a workspace

Environment:
  AL_SERVICE_KEY   the key that opens a workspace (or --service-key-file)
  AL_URL           where workspaces live (or --url): sqlite:PATH, postgres://… or https://…
  AL_ADMIN_KEY     the admin key of a server at https://…, for `workspace` and `--workspace`
  SSL_CERT_FILE, HTTPS_PROXY, NO_PROXY
                   whom to trust, and the way to that server
  AL_DEACTIVATION_THRESHOLD
                   the share of active policies that an import, rollback or plan may deactivate, in percent
  AL_AUDIT_KEY_FILE
                   the file of the key that signs the checkpoints of the audit log
  NO_COLOR         no colour, whatever the terminal

Exit codes:
  0 done · 1 error · 2 changes pending (--detailed-exitcode) · 3 refused by a safety rule · 64 usage";

/// Promotes the governance policies of AI agents from one workspace to the next.
#[derive(Debug, Parser)]
#[command(
    name = "al",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How a command shows what it has to say.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Output {
    /// Form of the document on stdout; html for plans alone
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub(crate) color: Color,
    /// No notes on stderr, only errors
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Markdown,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Output {
    /// What can be told of a command line that does not parse: its errors still take the form asked for.
    pub(crate) fn glimpse(args: &[OsString]) -> Self {
        Self {
            format: last_value(args, "--format").unwrap_or_default(),
            color: last_value(args, "--color").unwrap_or_default(),
            quiet: false,
        }
    }
}

fn last_value<T: ValueEnum>(args: &[OsString], flag: &str) -> Option<T> {
    let mut found = None;
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let value = match word.strip_prefix(flag) {
            Some("") => words.next().map(std::borrow::Cow::into_owned),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(value) = value.and_then(|value| T::from_str(&value, false).ok()) {
            found = Some(value);
        }
    }
    found
}

/// Where workspaces live.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StoreArgs {
    /// Where workspaces live.
    #[arg(
        long,
        value_name = "URL",
        help_heading = "Workspace",
        help = "Where workspaces live: sqlite:PATH, postgres://… or https://… [env: AL_URL] [default: a file in the user's data directory]"
    )]
    pub(crate) url: Option<String>,
}

/// The key that opens a workspace, and where it lives.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The key's file.
    #[arg(
        long,
        value_name = "PATH",
        help_heading = "Workspace",
        help = "File with the key that opens the workspace [env: AL_SERVICE_KEY holds the key itself]"
    )]
    pub(crate) service_key_file: Option<PathBuf>,
}

/// What changes a manifest before it is used.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct OverlayArgs {
    /// Overlay that changes the manifest for one environment; several apply in their order
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,
}

/// What lets a change through that deactivates policies.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct GuardArgs {
    /// Go on although N policies are deactivated: N is the exact number
    #[arg(long, value_name = "N", help_heading = "Safety")]
    allow_deactivations: Option<u64>,
    /// The share of active policies that may be deactivated without that.
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u64).range(0..=100),
        help_heading = "Safety",
        help = "Share of active policies that may be deactivated without it, once there are 10 [env: AL_DEACTIVATION_THRESHOLD] [default: 30]"
    )]
    deactivation_threshold: Option<u64>,
}

impl GuardArgs {
    /// The guard that flags, environment and default make.
    pub(crate) fn guard(self, io: &Io<'_>) -> Result<Guard, Error> {
        guard(self.deactivation_threshold, self.allow_deactivations, io)
    }
}

/// The guard of those who say a threshold, or leave it to the environment and the default.
pub(crate) fn guard(
    threshold: Option<u64>,
    allowed: Option<u64>,
    io: &Io<'_>,
) -> Result<Guard, Error> {
    let threshold = match threshold {
        Some(threshold) => Some(threshold),
        None => threshold_in_environment(io)?,
    };
    Guard::new(threshold, allowed)
}

/// The threshold that the environment says, in percent.
pub(crate) fn threshold_in_environment(io: &Io<'_>) -> Result<Option<u64>, Error> {
    let Some(value) = io.variable("AL_DEACTIVATION_THRESHOLD") else {
        return Ok(None);
    };
    let percent = value.to_str().and_then(|text| text.parse().ok());
    let percent = percent.filter(|percent| *percent <= 100);
    percent.map(Some).ok_or_else(|| {
        Error::new(
            Code::Usage,
            "AL_DEACTIVATION_THRESHOLD is no share in percent",
        )
        .with_help("set it to a whole number from 0 to 100")
    })
}

/// A workspace by its key, or by its name for whoever has the store or the admin key of its server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CallerArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// The workspace's name, in place of its key: in a store that you may open, or at a server with `AL_ADMIN_KEY` [default:
    /// the workspace of the key]
    #[arg(
        help = "The workspace's name, in place of its key: in a store that you may open, or at a server with AL_ADMIN_KEY [default: the workspace of the key]",
        long,
        value_name = "NAME",
        conflicts_with = "service_key_file",
        help_heading = "Workspace"
    )]
    pub(crate) workspace: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_that_does_not_parse_still_says_its_format() {
        let rows: [(&[&str], Format); 8] = [
            (&["al"], Format::Text),
            (&["al", "--bad", "--format", "json"], Format::Json),
            (&["al", "--format=json", "--bad"], Format::Json),
            (
                &["al", "--format", "json", "--format", "markdown"],
                Format::Markdown,
            ),
            (&["al", "--format", "toml"], Format::Text),
            (&["al", "--formats=json"], Format::Text),
            (&["al", "--", "--format", "json"], Format::Text),
            (&["al", "--format"], Format::Text),
        ];
        for (args, expected) in rows {
            let args: Vec<OsString> = args.iter().map(Into::into).collect();
            assert_eq!(Output::glimpse(&args).format, expected, "{args:?}");
        }
    }

    #[test]
    fn the_command_tree_is_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
