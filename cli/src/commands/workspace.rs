use clap::{Args, Subcommand};
use lattice_core::view;
use lattice_workspace::{create_workspace, list_workspaces, show_workspace};

use crate::args::{CallerArgs, Format, StoreArgs};
use crate::deferred::Deferred;
use crate::render::Table;
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Workspace {
    /// Create a workspace and its first service key
    ///
    /// Only this command creates a store. The key is printed on stdout, this once; only its SHA-256 is stored.
    Create(Deferred<Create>),
    /// List the workspaces of a store
    List(Deferred<List>),
    /// Show a workspace
    Show(Deferred<Show>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al workspace create dev
  al workspace create staging --org-name 'Acme (staging)'
  export AL_SERVICE_KEY=$(al workspace create dev)")]
pub(crate) struct Create {
    /// Name, unique in its store: lower-case letters, digits and hyphens
    name: String,
    /// Organisation name, for people [default: the workspace's name]
    #[arg(long, value_name = "NAME")]
    org_name: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  al workspace list\n  al workspace list --format json")]
pub(crate) struct List {
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al workspace show                      the workspace of AL_SERVICE_KEY
  al workspace show --workspace staging  by name, without its key")]
pub(crate) struct Show {
    #[command(flatten)]
    caller: CallerArgs,
}

impl Workspace {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Workspace::Create(Deferred(command)) => command.run(session),
            Workspace::List(Deferred(command)) => command.run(session),
            Workspace::Show(Deferred(command)) => command.run(session),
        }
    }
}

impl Create {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let ambient = session.ambient()?;
        let opened = self.store.open(session)?;
        let created = create_workspace(
            &*opened.store,
            &self.name,
            self.org_name.as_deref(),
            &ambient,
        )?;
        session.note(format_args!(
            "created workspace {} ({}) in {}",
            created.name, created.id, opened.location
        ));
        if session.output.format != Format::Json {
            session.note("its service key is shown this once; to work with the workspace:");
            session.note("  export AL_SERVICE_KEY=<the key>");
        }
        let done = session.document(
            &created,
            |_| format!("{}\n", created.service_key),
            || {
                let mut table = Table::new(["field", "value"]);
                table.row(["id".to_owned(), created.id.clone()]);
                table.row(["name".to_owned(), created.name.clone()]);
                table.row(["org_name".to_owned(), created.org_name.clone()]);
                table.row(["service_key".to_owned(), created.service_key.clone()]);
                table.markdown()
            },
        )?;
        Ok(done.shown_once())
    }
}

impl List {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let opened = self.store.open(session)?;
        let list = list_workspaces(&*opened.store)?;
        session.table(&list, || table(&list.workspaces))
    }
}

impl Show {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (caller, opened) = self.caller.open(session)?;
        let workspace = show_workspace(&*opened.store, &caller)?;
        session.table(&workspace, || table(std::slice::from_ref(&workspace)))
    }
}

fn table(workspaces: &[view::Workspace]) -> Table {
    let mut table = Table::new(["name", "org_name", "policies", "revision", "id"]);
    for workspace in workspaces {
        table.row([
            workspace.name.clone(),
            workspace.org_name.clone(),
            workspace.policies.to_string(),
            workspace.revision.to_string(),
            workspace.id.clone(),
        ]);
    }
    table
}
