use clap::{Args, Subcommand};
use lattice_core::view::{self, KeyKind};
use lattice_workspace::{create_key, list_keys, revoke_key};

use crate::args::CallerArgs;
use crate::deferred::Deferred;
use crate::render::Table;
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key; it is printed on stdout, this once
    ///
    /// A service key reads and changes policies and reads the audit log. An agent key asks for decisions and can do
    /// nothing else: an agent must not be able to rewrite the rules that govern it.
    Create(Deferred<Create>),
    /// List a workspace's keys, without the keys themselves
    List(Deferred<List>),
    /// Revoke a key: it opens nothing from now on
    Revoke(Deferred<Revoke>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al key create --name ci
  al key create --agent --name deploy-bot --workspace staging")]
pub(crate) struct Create {
    /// An agent key instead of a service key
    #[arg(long)]
    agent: bool,
    /// Name of the key, for people
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    caller: CallerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  al key list\n  al key list --workspace staging")]
pub(crate) struct List {
    #[command(flatten)]
    caller: CallerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al key list                  shows the ids
  al key revoke ID --workspace staging")]
pub(crate) struct Revoke {
    /// The key's id
    id: String,
    #[command(flatten)]
    caller: CallerArgs,
}

impl Key {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Key::Create(Deferred(command)) => command.run(session),
            Key::List(Deferred(command)) => command.run(session),
            Key::Revoke(Deferred(command)) => command.run(session),
        }
    }
}

impl Create {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let ambient = session.ambient()?;
        let (caller, opened) = self.caller.open(session)?;
        let kind = if self.agent {
            KeyKind::Agent
        } else {
            KeyKind::Service
        };
        let created = create_key(
            &*opened.store,
            &caller,
            kind,
            self.name.as_deref(),
            &ambient,
        )?;
        session.note(format_args!(
            "created {} key {}; it is shown this once",
            created.kind.as_str(),
            created.id
        ));
        let done = session.document(
            &created,
            |_| format!("{}\n", created.key),
            || {
                let mut table = Table::new(["id", "kind", "name", "key"]);
                table.row([
                    created.id.clone(),
                    created.kind.as_str().to_owned(),
                    created.name.clone().unwrap_or_default(),
                    created.key.clone(),
                ]);
                table.markdown()
            },
        )?;
        Ok(done.shown_once())
    }
}

impl List {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (caller, opened) = self.caller.open(session)?;
        let list = list_keys(&*opened.store, &caller)?;
        session.table(&list, || table(&list.keys))
    }
}

impl Revoke {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let ambient = session.ambient()?;
        let (caller, opened) = self.caller.open(session)?;
        let revoked = revoke_key(&*opened.store, &caller, &self.id, &ambient)?;
        session.table(&revoked, || table(std::slice::from_ref(&revoked)))
    }
}

fn table(keys: &[view::Key]) -> Table {
    let mut table = Table::new(["id", "kind", "name", "created_at", "revoked_at"]);
    for key in keys {
        table.row([
            key.id.clone(),
            key.kind.as_str().to_owned(),
            key.name.clone().unwrap_or_default(),
            key.created_at.clone(),
            key.revoked_at.clone().unwrap_or_default(),
        ]);
    }
    table
}
