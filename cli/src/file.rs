//! Files: reading within a limit, and replacing so that a reader sees the old content or the new, never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use lattice_core::{Code, Error, NamedText, limits};

use crate::io::Io;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Input {
    /// As it was named.
    pub(crate) name: String,
    /// All of it.
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    /// A text that has a name.
    pub(crate) fn of(text: NamedText) -> Option<Self> {
        let (name, bytes) = (text.file?, text.bytes);
        Some(Self { name, bytes })
    }

    pub(crate) fn into_text(self) -> NamedText {
        NamedText {
            file: Some(self.name),
            bytes: self.bytes,
        }
    }
}

/// The most that is read of a file, and the code of the error beyond.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    bytes: usize,
    code: Code,
}

pub(crate) const MANIFEST: Limit = Limit {
    bytes: limits::MANIFEST_BYTES,
    code: Code::InvalidManifest,
};
pub(crate) const ACTION: Limit = Limit {
    bytes: limits::ACTION_BYTES,
    code: Code::InvalidAction,
};
pub(crate) const PLAN: Limit = Limit {
    bytes: limits::PLAN_BYTES,
    code: Code::InvalidPlan,
};
pub(crate) const CHECKPOINT: Limit = Limit {
    bytes: limits::CHECKPOINT_BYTES,
    code: Code::InvalidCheckpoint,
};
pub(crate) const PROOF: Limit = Limit {
    bytes: limits::PROOF_BYTES,
    code: Code::InvalidCheckpoint,
};
pub(crate) const AUDIT_KEY: Limit = Limit {
    bytes: 4096,
    code: Code::InvalidAuditKey,
};
pub(crate) const KEY: Limit = Limit {
    bytes: 4096,
    code: Code::InvalidServiceKey,
};

impl Limit {
    /// What a manifest may be.
    pub const MANIFEST: Self = MANIFEST;
    /// What an action may be.
    pub const ACTION: Self = ACTION;
    /// What a saved plan may be.
    pub const PLAN: Self = PLAN;
    /// What a checkpoint may be.
    pub const CHECKPOINT: Self = CHECKPOINT;
    /// What a proof may be.
    pub const PROOF: Self = PROOF;
    /// What conditions may be.
    pub const CONDITIONS: Self = Limit {
        bytes: limits::CONDITIONS_BYTES,
        code: Code::PolicyCompileError,
    };
}

/// Reads a file.
///
/// # Errors
///
/// `IO_ERROR`, or that of the limit for what is larger.
pub(crate) fn read(path: &Path, limit: Limit) -> Result<Input, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
    let expected = file.metadata().map_or(0, |metadata| metadata.len());
    read_sized(&name, file, expected, limit)
}

/// Reads a stream to its end.
pub(crate) fn read_stream(name: &str, stream: impl Read, limit: Limit) -> Result<Input, Error> {
    read_sized(name, stream, 0, limit)
}

/// Reads a stream, which should have so many bytes: with room for all of them, none is moved on the way.
fn read_sized(name: &str, stream: impl Read, expected: u64, limit: Limit) -> Result<Input, Error> {
    let room = usize::try_from(expected).map_or(limit.bytes, |bytes| bytes.min(limit.bytes));
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(room)
        .map_err(|error| unreadable(name, &error.into()))?;
    let most = u64::try_from(limit.bytes).unwrap_or(u64::MAX);
    stream
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() > limit.bytes {
        return Err(Error::new(
            limit.code,
            format!("`{name}` is larger than {}", size(limit.bytes)),
        )
        .in_file(name));
    }
    Ok(Input {
        name: name.to_owned(),
        bytes,
    })
}

/// Puts `bytes` in the place of a file's content, in one step: on any failure the old content stays.
///
/// A symbolic link is followed, also to a file that is not there yet; what is no regular file (a device, a pipe) is written as it stands.
pub(crate) fn replace(path: &Path, bytes: &[u8], io: &Io<'_>) -> Result<(), Error> {
    replace_inner(path, bytes, io).map_err(|error| {
        let name = path.display().to_string();
        let message = format!("`{name}` cannot be written: {}", reason(&error));
        let error = Error::new(Code::IoError, message).in_file(&name);
        if path.is_file() {
            error.with_help("the file holds what it held before")
        } else {
            error
        }
    })
}

/// Refuses a file that [`replace`] could not put anything in the place of, as far as that can be told beforehand.
pub(crate) fn expect_replaceable(path: &Path, io: &Io<'_>) -> Result<(), Error> {
    let tried = target(path).and_then(|target| {
        let Target::Regular(target, existing) = target else {
            return Ok(());
        };
        let temporary = beside(&target, io)?;
        fill(&temporary, b"", existing.as_ref())?;
        fs::remove_file(&temporary)
    });
    tried.map_err(|error| {
        let name = path.display().to_string();
        let message = format!("`{name}` could not be written: {}", reason(&error));
        Error::new(Code::IoError, message)
            .in_file(&name)
            .with_help("nothing was written anywhere; see to the file and its folder first")
    })
}

/// What is written in the place of a path.
enum Target {
    /// A file, which is there or not.
    Regular(PathBuf, Option<fs::Metadata>),
    /// A device or a pipe.
    Stream,
}

/// Where a write to `path` goes.
fn target(path: &Path) -> io::Result<Target> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Target::Regular(follow(path), None));
        }
        Err(error) => return Err(error),
    };
    if existing.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else if !existing.is_file() {
        Ok(Target::Stream)
    } else if existing.permissions().readonly() {
        Err(io::ErrorKind::PermissionDenied.into())
    } else {
        Ok(Target::Regular(fs::canonicalize(path)?, Some(existing)))
    }
}

fn replace_inner(path: &Path, bytes: &[u8], io: &Io<'_>) -> io::Result<()> {
    let (target, existing) = match target(path)? {
        Target::Regular(target, existing) => (target, existing),
        Target::Stream => return OpenOptions::new().write(true).open(path)?.write_all(bytes),
    };
    let temporary = beside(&target, io)?;
    let written =
        fill(&temporary, bytes, existing.as_ref()).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(&target);
    Ok(())
}

/// Where a chain of symbolic links leads, to a file that is yet to be made.
fn follow(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // INVARIANT: the chain ends, as the system, which takes no loop of links, found that there is no file.
    while let Ok(target) = fs::read_link(&path) {
        path = match path.parent() {
            Some(folder) => folder.join(target),
            None => target,
        };
    }
    path
}

/// A new name in the same folder: only within a file system can a rename be one step.
fn beside(target: &Path, io: &Io<'_>) -> io::Result<PathBuf> {
    let name = target
        .file_name()
        .ok_or(io::ErrorKind::InvalidFilename)?
        .to_string_lossy();
    let mut random = [0; 8];
    (io.random)(&mut random)?;
    let stem: String = name.chars().take(64).collect();
    Ok(target.with_file_name(format!(".{stem}.{}.tmp", lattice_core::hash::hex(&random))))
}

fn fill(temporary: &Path, bytes: &[u8], like: Option<&fs::Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(temporary)?;
    if let Some(metadata) = like {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the rename itself last through a power cut, where the platform can: the content is whole either way.
fn sync_folder(target: &Path) {
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

pub(crate) fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::new(
        Code::IoError,
        format!("`{name}` cannot be read: {}", reason(error)),
    )
    .in_file(name)
}

/// The system's reason in our tone: lower case, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    if bytes >= MIB {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{} KiB", bytes / KIB)
    }
}
