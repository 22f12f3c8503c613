//! `al fmt`: the canonical text of a manifest, its comments kept.
//!
//! ```text
//! text ──comments::read──▶ values with their comments ──canonical order and spelling──▶ layout::print
//! ```

mod comments;
mod conditions;
mod layout;

use crate::breaker;
use crate::error::{Code, Error};
use crate::limits;
use crate::manifest::{self, Manifest, validate};
use crate::number::Number;
use crate::policy;
use crate::source::strip_bom;
use crate::time::exact_time;
use crate::value::Scalar;
use layout::{Block, Document, Part, Value};

/// The canonical text of a manifest, as `al fmt` writes it.
///
/// Two manifests without comments that mean the same, their rules in the same order, have the same canonical
/// text; it means what `text` means, and is its own canonical text. Every comment is kept with what it stood
/// at, also where that moves.
///
/// # Errors
///
/// Whatever [`Manifest::parse`] finds wrong: only a valid manifest has a canonical text. Also
/// `POLICY_COMPILE_ERROR` for conditions, and `INVALID_MANIFEST` for a manifest, that only their canonical text
/// makes longer than the limits allow.
pub fn format(text: &[u8]) -> Result<String, Error> {
    let validation = validate(text);
    let Some(manifest) = validation.manifest else {
        return Err(Error::from_diagnostics(validation.diagnostics).unwrap_or_else(unreadable));
    };
    let text = std::str::from_utf8(text).map_err(|_| unreadable())?;
    let mut document = comments::read(strip_bom(text)).ok_or_else(unreadable)?;
    canonicalize(&mut document, &manifest)?;
    let text = layout::print(document);
    if text.len() > limits::MANIFEST_BYTES {
        let limit = limits::MANIFEST_BYTES;
        let message = format!("the manifest has more than {limit} bytes once it is formatted");
        return Err(Error::new(Code::InvalidManifest, message).with_help("split it"));
    }
    Ok(text)
}

/// INVARIANT: what `validate` accepts can be read again.
fn unreadable() -> Error {
    Error::new(Code::Internal, "a valid manifest could not be read again")
}

/// Brings everything into its canonical order and spelling.
fn canonicalize(document: &mut Document<'_>, manifest: &Manifest) -> Result<(), Error> {
    let root = &mut document.root;
    root.order(&manifest::FIELDS);
    root.drop_null("exported_at");
    root.drop_null("org_name");
    if let Some(time) = manifest.exported_at() {
        root.set(
            "exported_at",
            Value::Scalar(Scalar::String(exact_time(time).into())),
        );
    }
    let policies = root.get_mut("policies").and_then(Value::list_mut);
    let policies = policies.ok_or_else(unreadable)?;
    policies.sort_by_entry("name");
    for part in &mut policies.parts {
        let block = part.value.mapping_mut().ok_or_else(unreadable)?;
        let name = block.string("name");
        let compiled = name.and_then(|name| manifest.policies().get(name));
        let compiled = compiled.ok_or_else(unreadable)?;
        if let Some(conditions) = compiled.conditions() {
            let text = conditions::canonical(conditions).ok_or_else(unreadable)?;
            check_length(&text).map_err(|error| error.in_policy(compiled.name()))?;
            block
                .set("conditions", Value::Text(text))
                .ok_or_else(unreadable)?;
        }
        policy(block).ok_or_else(unreadable)?;
    }
    if let Some(info) = root.get_mut("circuit_breakers_info") {
        breakers(info).ok_or_else(unreadable)?;
    }
    Ok(())
}

/// One rule a line takes more room than brackets do.
fn check_length(conditions: &str) -> Result<(), Error> {
    let limit = limits::CONDITIONS_BYTES;
    if conditions.len() <= limit {
        return Ok(());
    }
    let message = format!("the conditions are longer than {limit} bytes once they are formatted");
    Err(Error::new(Code::PolicyCompileError, message).with_help("split the policy into several"))
}

fn policy(block: &mut Block<'_>) -> Option<()> {
    if block.get_mut("approval_timeout_hours").is_none() {
        let hours = Number::from(i64::from(limits::DEFAULT_APPROVAL_TIMEOUT_HOURS));
        let value = Value::Scalar(Scalar::Number(hours));
        block
            .parts
            .push(Part::entry("approval_timeout_hours", value));
    }
    for key in ["allowed_repos", "allowed_branches"] {
        if let Some(list) = block.get_mut(key)?.list_mut() {
            list.sort_set();
        }
    }
    block.order(&policy::FIELDS);
    Some(())
}

/// Breakers are a set, named by what they watch for.
fn breakers(info: &mut Value<'_>) -> Option<()> {
    let info = info.mapping_mut()?;
    info.order(&breaker::INFO_FIELDS);
    info.drop_null("note");
    let entries = info.get_mut("entries")?.list_mut()?;
    entries.sort_by_entry("anomaly_type");
    for part in &mut entries.parts {
        part.value.mapping_mut()?.order(&breaker::FIELDS);
    }
    Some(())
}
