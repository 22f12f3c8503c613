//! Workspaces behind a server: `al serve`, reached over HTTP.
//!
//! What is read is read row by row, and planned, compared and verified here, by the same code as over a store: nobody has to
//! believe a server that an audit log verifies. What is written is asked for as one operation each, which the server plans
//! again: nobody has to believe a client either.

mod address;
mod contents;
mod operations;
mod proxy;
mod transport;

use lattice_core::{Code, Error};

use crate::key::AdminKey;
use crate::store::{Read, Store, Write};
use transport::Transport;

pub use address::Address;

/// What a client has beside the keys of workspaces.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The admin key of the server.
    pub admin_key: Option<AdminKey>,
}

/// A server, as its clients see it.
#[derive(Debug)]
pub struct Remote {
    transport: std::sync::Arc<Transport>,
    credentials: Credentials,
}

impl Remote {
    /// The server at `address`. Nothing is sent yet.
    pub(crate) fn new(address: &Address, credentials: Credentials) -> Self {
        Self {
            transport: std::sync::Arc::new(Transport::new(address)),
            credentials,
        }
    }

    /// The error for whoever wants the tables of the store themselves.
    fn no_store(&self) -> Error {
        let message = format!(
            "`{}` is a server, and not a store",
            self.transport.address()
        );
        Error::new(Code::Usage, message)
            .with_help("name the store itself: `sqlite:PATH` or `postgres://…`")
    }
}

impl Store for Remote {
    fn create(&self) -> Result<Box<dyn Write>, Error> {
        Err(self.no_store())
    }

    fn read(&self) -> Result<Box<dyn Read>, Error> {
        Err(self.no_store())
    }

    fn write(&self) -> Result<Box<dyn Write>, Error> {
        Err(self.no_store())
    }

    fn read_migrated(&self) -> Result<Box<dyn Read>, Error> {
        Err(self.no_store())
    }

    fn remote(&self) -> Option<&Remote> {
        Some(self)
    }
}
