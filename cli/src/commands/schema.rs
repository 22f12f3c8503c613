use clap::Args;
use lattice_core::{schema, view};

use crate::render::{self, Table};
use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al schema                                lists the names
  al schema manifest > manifest.schema.json
In an editor: # yaml-language-server: $schema=manifest.schema.json")]
pub(crate) struct Schema {
    /// The schema's name; without it the names are listed
    name: Option<String>,
}

impl Schema {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let names = view::SchemaNames {
            schemas: schema::names().map(str::to_owned).collect(),
        };
        let Some(name) = self.name else {
            return session.document(
                &names,
                |_| render::lines(&names.schemas),
                || {
                    let mut table = Table::new(["schema"]);
                    for name in &names.schemas {
                        table.row([name.clone()]);
                    }
                    table.markdown()
                },
            );
        };
        match schema::get(&name) {
            Some(text) => Ok(Done::with(text)),
            None => Err(schema::unknown(&name)),
        }
    }
}
