//! Keys where they do not belong: whatever a user mixes up, no key is printed or stored.

use std::borrow::Cow;
use std::ffi::OsString;

use lattice_core::{Code, Error};

/// What keys begin with.
const PREFIXES: [&str; 3] = ["al_svc_", "al_agent_", "al_admin_"];

/// Hexadecimal digits from which on a part of a key is one too many: fewer of its 64 help nobody to guess the rest.
const TELLING: usize = 16;

/// `text` with the random part of every key in it, whole or in part, as `…`.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, key)) = next_key(rest) {
        let end = key.find(|c| !is_key(c)).unwrap_or(key.len());
        let (key, behind) = key.split_at_checked(end).unwrap_or((key, ""));
        masked.push_str(before);
        // Of an admin key any letter may be telling.
        let is_telling = match key.strip_prefix("al_admin_") {
            Some(_) => char::is_ascii_alphanumeric,
            None => char::is_ascii_hexdigit,
        };
        mask_runs(key, is_telling, &mut masked);
        rest = behind;
    }
    if masked.len() + rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// Refuses a command line with a key on it: other users of the machine and the shell's history see it there, and a
/// name or a label would be stored with it.
pub(crate) fn refuse_keys(args: &[OsString]) -> Result<(), Error> {
    let holds_key = |arg: &OsString| matches!(mask(&arg.to_string_lossy()), Cow::Owned(_));
    if args.iter().skip(1).any(holds_key) {
        let message = "a key stands on the command line, where others can see it";
        return Err(Error::new(Code::Usage, message).with_help(
            "set AL_SERVICE_KEY to it, or name its file with `--service-key-file`; AL_ADMIN_KEY takes that of a server; `al key list` shows the id of a key",
        ));
    }
    Ok(())
}

/// What stands before the next key, and the text from there on.
fn next_key(text: &str) -> Option<(&str, &str)> {
    let starts = PREFIXES.iter().filter_map(|prefix| text.find(prefix));
    text.split_at_checked(starts.min()?)
}

fn is_key(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// Appends `key` without its long runs of what is telling.
fn mask_runs(key: &str, is_telling: impl Fn(&char) -> bool, out: &mut String) {
    let mut digits = String::new();
    for character in key.chars().map(Some).chain([None]) {
        if let Some(digit) = character.filter(&is_telling) {
            digits.push(digit);
            continue;
        }
        out.push_str(if digits.len() < TELLING {
            &digits
        } else {
            "…"
        });
        digits.clear();
        out.extend(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_without_what_opens() {
        let random = "0123456789abcdef".repeat(4);
        let short = "0123456789abcde";
        let rows = [
            (format!("al_svc_dev_{random}"), "al_svc_dev_…".to_owned()),
            (
                format!("`al_agent_eu-1_{random}`: {random}"),
                format!("`al_agent_eu-1_…`: {random}"),
            ),
            (
                format!("sqlite:al_svc_a_{random}/al_svc_b_{random}.db"),
                "sqlite:al_svc_a_…/al_svc_b_….db".to_owned(),
            ),
            (format!("al_admin_{random}"), "al_admin_…".to_owned()),
            (
                "al_admin_Q29ycmVjdEhvcnNl".to_owned(),
                "al_admin_…".to_owned(),
            ),
            // What someone cut off, changed or forgot is no reason to show the rest.
            (format!("al_svc_dev_{short}f"), "al_svc_dev_…".to_owned()),
            (format!("al_svc_{random}"), "al_svc_…".to_owned()),
            (format!("al_svc_dev_{random}x"), "al_svc_dev_…x".to_owned()),
            (
                format!("al_svc_dev_{}", random.to_uppercase()),
                "al_svc_dev_…".to_owned(),
            ),
            (
                format!("ü al_svc_dev_{random} ü"),
                "ü al_svc_dev_… ü".to_owned(),
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(mask(&text), expected);
        }
        for text in ["", "al_svc_", "al_svc_ ü", "al_svc_dev_…", &random, short] {
            assert!(matches!(mask(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(
            mask(&format!("al_svc_dev_{short}")),
            format!("al_svc_dev_{short}")
        );
    }
}
