//! The version gate: which manifests this engine reads at all.

use crate::decode::{self, excerpt};
use crate::findings::Sink;
use crate::source::Span;
use crate::yaml::{Kind, Node, Style};

/// The version of manifests that this engine reads and writes, and that of overlays.
pub(crate) const VERSION: &str = "1.0";

/// What a manifest's first version key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gate {
    /// This engine reads it.
    Known,
    /// A version of another engine: nothing else in the document is ours to judge.
    Unsupported { version: String, span: Span },
    /// Not a version; reported.
    Invalid,
}

/// Reads the value of the version key `key`.
pub(crate) fn gate(key: &str, node: &Node<'_>, sink: &mut Sink<'_>) -> Gate {
    let Kind::Scalar(scalar) = &node.kind else {
        decode::wrong_type(
            node,
            &format!("`{key}` must be a string such as `'1.0'`"),
            &format!("write `{key}: '1.0'`"),
            sink,
        );
        return Gate::Invalid;
    };
    let text = scalar.text.as_ref();
    let plain = scalar.style == Style::Plain;
    match (is_version(text), text == VERSION) {
        (true, true) if plain => sink.error_help(
            node.span,
            format!("`{key}` must be a string, found the number `{text}`"),
            format!("quote it: `{key}: '{VERSION}'`"),
        ),
        (true, true) => return Gate::Known,
        (true, false) => {
            return Gate::Unsupported {
                version: text.to_owned(),
                span: node.span,
            };
        }
        (false, _) => sink.error_help(
            node.span,
            format!("`{key}` must be MAJOR.MINOR, found `{}`", excerpt(text)),
            format!("write `{key}: '{VERSION}'`"),
        ),
    }
    Gate::Invalid
}

/// `MAJOR.MINOR` in decimal digits without leading zeros.
fn is_version(text: &str) -> bool {
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain && (digits == "0" || !digits.starts_with('0'))
    };
    text.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}
