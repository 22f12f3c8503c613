//! Who asks, and where: keys and stores from flags, environment and defaults.
//!
//! The order is part of the contract: the place of the store reads, the key is present and well-formed, then the
//! store opens, and only then is the key looked up.

use std::path::{Path, PathBuf};

use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};
use lattice_workspace::{AdminKey, Caller, Credentials, Key, Location, Reader, Store};

use crate::args::{CallerArgs, KeyArgs, StoreArgs};
use crate::file::KEY;
use crate::io::Io;
use crate::session::Session;

/// A store, and where it is.
pub(crate) struct Opened {
    pub(crate) store: Box<dyn Store>,
    pub(crate) location: Location,
}

impl Opened {
    /// The store at the place that was named, else at the default one.
    pub(crate) fn at(named: Option<Location>, io: &Io<'_>) -> Result<Self, Error> {
        let location = match named {
            Some(location) => location,
            None => Location::default_in(&data_directory(io)?),
        };
        Ok(Self {
            store: location.open_with(credentials(&location, io)?),
            location,
        })
    }
}

/// What a server wants to know beside the keys of workspaces. Nothing else has an admin.
fn credentials(location: &Location, io: &Io<'_>) -> Result<Credentials, Error> {
    let admin_key = match location {
        Location::Http(_) => io.variable("AL_ADMIN_KEY"),
        Location::Sqlite(_) | Location::Postgres(_) => None,
    };
    let admin_key = admin_key.map(|key| AdminKey::parse(&key.to_string_lossy()));
    Ok(Credentials {
        admin_key: admin_key.transpose()?,
    })
}

impl StoreArgs {
    pub(crate) fn open(&self, session: &Session<'_, '_>) -> Result<Opened, Error> {
        Opened::at(self.named(session)?, session.io)
    }

    /// Where workspaces live, if the flag says it, or else the environment.
    fn named(&self, session: &Session<'_, '_>) -> Result<Option<Location>, Error> {
        named(self.url.as_deref(), session.io)
    }
}

impl KeyArgs {
    /// The key, well-formed but not yet looked up, and the store that it is said to open.
    pub(crate) fn open(&self, session: &mut Session<'_, '_>) -> Result<(Key, Opened), Error> {
        self.open_or(
            "no service key was given",
            "set AL_SERVICE_KEY to the key, or name its file with `--service-key-file`",
            session,
        )
    }

    /// The workspace of the key, to read; `need` is the least that the key must open.
    pub(crate) fn reader(
        &self,
        need: KeyKind,
        session: &mut Session<'_, '_>,
    ) -> Result<(Reader, Location), Error> {
        let (key, opened) = self.open(session)?;
        let reader = Reader::open(&*opened.store, &key, need, None)?;
        Ok((reader, opened.location))
    }

    fn open_or(
        &self,
        missing: &str,
        help: &str,
        session: &mut Session<'_, '_>,
    ) -> Result<(Key, Opened), Error> {
        let named = self.store.named(session)?;
        let key = self
            .key(session)?
            .ok_or_else(|| Error::new(Code::InvalidServiceKey, missing).with_help(help))?;
        Ok((key, Opened::at(named, session.io)?))
    }

    fn key(&self, session: &mut Session<'_, '_>) -> Result<Option<Key>, Error> {
        if let Some(path) = &self.service_key_file {
            let input = session.read(path, KEY)?;
            let text = std::str::from_utf8(&input.bytes)
                .map_err(|_| not_text(&format!("the key in `{}`", input.name)))?;
            return Key::parse(without_newline(text)).map(Some);
        }
        key_in_environment(session.io)
    }
}

impl CallerArgs {
    /// The workspace by its name, or by its key.
    pub(crate) fn open(&self, session: &mut Session<'_, '_>) -> Result<(Caller, Opened), Error> {
        if let Some(workspace) = &self.workspace {
            let caller = Caller::Local {
                workspace: workspace.clone(),
            };
            return Ok((caller, self.key.store.open(session)?));
        }
        let (key, opened) = self.key.open_or(
            "neither a workspace nor a service key was given",
            "name a workspace of this store with `--workspace NAME`, or set AL_SERVICE_KEY to its service key",
            session,
        )?;
        Ok((Caller::Key(key), opened))
    }
}

/// Where workspaces live, if `url` says it, or else the environment. Asked before a key is read: a URL that is none is
/// a usage error whether there is a key or not.
pub(crate) fn named(url: Option<&str>, io: &Io<'_>) -> Result<Option<Location>, Error> {
    if let Some(url) = url {
        return Location::parse(url).map(Some);
    }
    let Some(url) = io.variable("AL_URL") else {
        return Ok(None);
    };
    match url.to_str() {
        Some(url) => Location::parse(url).map(Some),
        None => Err(Error::new(Code::Usage, "AL_URL is not UTF-8")
            .with_help("set it to `sqlite:PATH`, `postgres://…` or `https://…`")),
    }
}

pub(crate) fn key_in_environment(io: &Io<'_>) -> Result<Option<Key>, Error> {
    match io.variable("AL_SERVICE_KEY") {
        Some(key) => {
            let key = key.to_str().ok_or_else(|| not_text("AL_SERVICE_KEY"))?;
            Key::parse(key).map(Some)
        }
        None => Ok(None),
    }
}

fn not_text(what: &str) -> Error {
    Error::new(Code::InvalidServiceKey, format!("{what} is not UTF-8"))
        .with_help("a service key reads `al_svc_WORKSPACE_…`")
}

/// Editors and `echo` end a file with a newline that is no part of the key.
fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Where the platform keeps the data of a user's programs.
fn data_directory(io: &Io<'_>) -> Result<PathBuf, Error> {
    let absolute = |name: &str| {
        io.variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let in_home = |below: &str| absolute("HOME").map(|home| home.join(Path::new(below)));
    let (found, variable) = if cfg!(windows) {
        (absolute("LOCALAPPDATA"), "LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        (in_home("Library/Application Support"), "HOME")
    } else {
        let xdg = absolute("XDG_DATA_HOME");
        (xdg.or_else(|| in_home(".local/share")), "HOME")
    };
    found.ok_or_else(|| {
        Error::new(
            Code::StoreUnavailable,
            format!("{variable} is not set, so there is no default place for workspaces"),
        )
        .with_help("say where they live with `--url sqlite:PATH` or AL_URL")
    })
}
