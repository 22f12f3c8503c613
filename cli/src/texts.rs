//! The texts of a manifest: a file, or every manifest below a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lattice_core::{Code, Error, NamedText, limits};

use crate::file::{Input, unreadable};

/// The manifests that `path` stands for: the file itself, or those below a folder, in the order of the bytes of their paths.
///
/// # Errors
///
/// `IO_ERROR` for a folder that cannot be read; `INVALID_MANIFEST` for one that holds no manifest.
pub(crate) fn manifests(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let fault = |error: io::Error| unreadable(&folder.display().to_string(), &error);
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let below = entry.path();
            let kind = entry.file_type().map_err(fault)?;
            // Links to folders are not followed: they may lead around in a circle.
            let is_link = kind.is_symlink();
            if kind.is_dir() {
                folders.push(below);
            } else if is_manifest(&below) || (is_link && below.is_dir()) {
                let name = below.display().to_string();
                let target = fs::metadata(&below).map_err(|error| unreadable(&name, &error))?;
                if !target.is_file() {
                    let what = if target.is_dir() {
                        "a link to a folder"
                    } else {
                        "no file"
                    };
                    let message = format!("`{name}` is {what}, which is not read");
                    let error = Error::new(Code::InvalidManifest, message).in_file(&name);
                    return Err(error.with_help(
                        "put manifests themselves into the folder, or begin its name with a dot",
                    ));
                }
                found.push(below);
            }
        }
    }
    if found.is_empty() {
        let name = path.display().to_string();
        let message = format!("no manifest is in the folder `{name}`");
        let error = Error::new(Code::InvalidManifest, message).in_file(&name);
        return Err(error.with_help("manifests end in `.yaml` or `.yml`"));
    }
    found.sort_by(|a, b| bytes(a).cmp(bytes(b)));
    Ok(found)
}

/// Whether both paths lead to one file, which is there.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    let [a, b] = [a, b].map(fs::canonicalize);
    matches!((a, b), (Ok(a), Ok(b)) if a == b)
}

/// Whether `file`, which may not be there yet, would be one of the manifests of `folder`.
pub(crate) fn holds(folder: &Path, file: &Path) -> bool {
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let [folder_path, parent] = [folder, parent].map(fs::canonicalize);
    let is_below =
        matches!((folder_path, parent), (Ok(folder), Ok(parent)) if parent.starts_with(&folder));
    folder.is_dir() && is_below && is_manifest(file)
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
}

/// Reads them, as long as they are no more together than one may be.
pub(crate) fn read_all(
    path: &Path,
    mut read: impl FnMut(&Path) -> Result<Input, Error>,
) -> Result<Vec<NamedText>, Error> {
    let mut left = limits::MANIFEST_BYTES;
    let mut texts = Vec::new();
    for path in manifests(path)? {
        let input = read(&path)?;
        left = left.checked_sub(input.bytes.len()).ok_or_else(|| {
            let message = "the manifests of the folder are larger together than one may be";
            Error::new(Code::InvalidManifest, message).in_file(&input.name)
        })?;
        texts.push(input.into_text());
    }
    Ok(texts)
}
