//! A plan as markdown that fits a pull-request comment.

use std::fmt::Write as _;

use lattice_core::view::{Change, ChangeAction, FieldChange, Plan};

use super::count;
use super::diff::{Line, lines};
use super::field::Shown;
use super::markdown::{code, fenced, prose};
use super::plan::Heading;

/// What a GitHub comment may hold is 65,536 characters; counted in bytes this stays below in any encoding.
const MOST: usize = 64_000;
/// Of which notes may take this much.
const NOTES: usize = 8_000;
/// And the list of names, with the notes, this much: the rest is for fields.
const NAMES: usize = 40_000;
/// Room for what is said about what was left out.
const CLOSING: usize = 512;

/// The plan: counts first and always, then notes, names and fields as far as they fit.
pub(crate) fn markdown(plan: &Plan, heading: Heading<'_>) -> String {
    let mut out = title(plan, heading);
    counts(&mut out, plan);
    notes(&mut out, plan);
    names(&mut out, plan);
    fields(&mut out, plan);
    out
}

fn title(plan: &Plan, heading: Heading<'_>) -> String {
    let mode = plan.mode.as_str();
    let manifest = plan.manifest.file.as_deref().unwrap_or("the manifest");
    let workspace = plan
        .workspace
        .as_ref()
        .map_or("", |workspace| &workspace.name);
    match heading {
        Heading::DryRun => format!(
            "### Preview: {} into {} ({mode})\n\nDry run: no changes were written.\n\n",
            code(manifest),
            code(workspace),
        ),
        Heading::Refused => format!(
            "### Refused: {} into {} ({mode})\n\nNothing was written.\n\n",
            code(manifest),
            code(workspace),
        ),
        Heading::Imported(name) => {
            format!(
                "### Imported {} into {} ({mode})\n\n",
                code(manifest),
                code(name)
            )
        }
        Heading::RolledBack(name, event) => {
            format!("### Rolled back {} to event {event}\n\n", code(name))
        }
        Heading::Compared(before, after) => {
            format!("### {} → {}\n\n", code(before), code(after))
        }
    }
}

fn counts(out: &mut String, plan: &Plan) {
    let summary = plan.summary;
    let _ = writeln!(
        out,
        "| added | modified | deactivated | unchanged | untouched |\n|---|---|---|---|---|\n| {} | {} | {} | {} | {} |",
        summary.added, summary.modified, summary.deactivated, summary.unchanged, summary.untouched,
    );
}

fn notes(out: &mut String, plan: &Plan) {
    if plan.notes.is_empty() {
        return;
    }
    out.push_str("\n**To look at twice**\n\n");
    let lines = plan.notes.iter().map(|note| format!("- {}\n", prose(note)));
    let left = fill(out, lines, NOTES);
    if left > 0 {
        let _ = writeln!(
            out,
            "- … and {} not shown",
            count(left, "more note", "more notes")
        );
    }
}

fn names(out: &mut String, plan: &Plan) {
    let sections = [
        (ChangeAction::Add, "+ added"),
        (ChangeAction::Modify, "~ modified"),
        (ChangeAction::Deactivate, "- deactivated"),
    ];
    if sections
        .iter()
        .all(|(action, _)| of(plan, *action).next().is_none())
    {
        return;
    }
    out.push_str("\n| change | policy |\n|---|---|\n");
    let rows = sections.iter().flat_map(|(action, word)| {
        of(plan, *action).map(move |change| {
            let reactivated = if change.reactivated {
                " (reactivated)"
            } else {
                ""
            };
            format!("| {word} | {}{reactivated} |\n", code(&change.name))
        })
    });
    let left = fill(out, rows, NAMES);
    if left > 0 {
        let _ = writeln!(
            out,
            "\n… and {} not shown.",
            count(left, "more change", "more changes")
        );
    }
}

fn fields(out: &mut String, plan: &Plan) {
    if plan.changes.iter().all(|change| change.fields.is_empty()) {
        return;
    }
    out.push_str("\n<details>\n<summary>Changed fields</summary>\n\n");
    let blocks = plan
        .changes
        .iter()
        .filter(|change| !change.fields.is_empty())
        .map(policy);
    let left = fill(out, blocks, MOST - CLOSING);
    if left > 0 {
        let _ = writeln!(
            out,
            "… and the fields of {} not shown.\n",
            count(left, "more policy", "more policies")
        );
    }
    out.push_str("</details>\n");
}

fn policy(change: &Change) -> String {
    let mut out = format!("{}\n\n", code(&change.name));
    for field in &change.fields {
        describe(&mut out, change, field);
    }
    out.push('\n');
    out
}

fn describe(out: &mut String, change: &Change, field: &FieldChange) {
    let name = code(&field.field);
    let _ = match Shown::new(change, field) {
        Shown::Value(after) => writeln!(out, "- {name}: {}", code(&after)),
        Shown::Values(before, after) => {
            writeln!(out, "- {name}: {} → {}", code(&before), code(&after))
        }
        Shown::Text(text) => write!(out, "- {name}:\n\n{}", fenced("yaml", &text, "  ")),
        Shown::Texts(before, after) => {
            let mut block = String::new();
            for line in lines(&before, &after) {
                let (sign, line) = match line {
                    Line::Kept(line) => (' ', line),
                    Line::Removed(line) => ('-', line),
                    Line::Added(line) => ('+', line),
                };
                let _ = writeln!(block, "{sign} {line}");
            }
            write!(out, "- {name}:\n\n{}", fenced("diff", &block, "  "))
        }
    };
}

fn of(plan: &Plan, action: ChangeAction) -> impl Iterator<Item = &Change> {
    plan.changes
        .iter()
        .filter(move |change| change.action == action)
}

/// Appends items as long as `out` stays within `most` bytes; returns how many did not fit.
fn fill(out: &mut String, items: impl Iterator<Item = String>, most: usize) -> usize {
    let mut left = 0;
    for item in items {
        if left > 0 || out.len() + item.len() > most {
            left += 1;
        } else {
            out.push_str(&item);
        }
    }
    left
}
