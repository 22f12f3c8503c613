//! How documents look: JSON for programs, text for terminals, markdown for pull requests, HTML for browsers.

mod decision;
mod diff;
mod error;
mod event;
mod field;
mod history;
mod html;
mod markdown;
mod paint;
mod plan;
mod plan_html;
mod plan_markdown;
mod report;
mod room;
mod safe;
mod sides;
mod table;
mod value;

use lattice_core::{Code, Error};
use serde::Serialize;

pub(crate) use decision::{markdown as decision_markdown, text as decision_text};
pub(crate) use error::{diagnostic, error};
pub(crate) use event::{details as event_details, leaf_details, list as event_list};
pub(crate) use history::history;
pub(crate) use paint::Paint;
pub(crate) use plan::{Heading, text as plan_text};
pub(crate) use report::Page;
pub use report::{Report, no_plan, refusal_report, report};
pub(crate) use safe::safe;
pub(crate) use table::Table;
pub(crate) use value::value;

/// A document for programs, with a final newline.
pub(crate) fn json(view: &impl Serialize) -> Result<String, Error> {
    let mut text = serde_json::to_string_pretty(view)
        .map_err(|_| Error::new(Code::Internal, "the document cannot be written as JSON"))?;
    text.push('\n');
    Ok(text)
}

/// As much of a digest as tells states apart that people look at side by side.
pub(crate) fn short(digest: &str) -> &str {
    digest
        .split_at_checked(12)
        .map_or(digest, |(short, _)| short)
}

/// `1 policy`, `2 policies`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Items, one to a line.
pub(crate) fn lines(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(item.as_ref());
        text.push('\n');
    }
    text
}
