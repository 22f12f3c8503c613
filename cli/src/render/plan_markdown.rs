//! A plan as markdown that fits a pull-request comment.

use std::fmt::Write as _;

use lattice_core::view::{Change, ChangeAction, FieldChange, Plan};

use super::diff::{Line, lines};
use super::field::{Shown, fitting};
use super::markdown::{code, fenced, prose};
use super::plan::{Heading, to_event};
use super::report::{Page, sides};
use super::room::{clipped, fill};
use super::{count, safe};

/// What a GitHub comment may hold is 65,536 characters; counted in bytes this stays below in any encoding.
const MOST: usize = 64_000;
/// Of which notes, with what stands above them, may take this much.
const NOTES: usize = 12_000;
/// And names on each side of a drift this much.
const DRIFT: usize = 4_000;
/// And the list of names, with all above it, this much: the rest is for fields.
const NAMES: usize = 40_000;
/// And the fields of one policy this much, so that a long one does not hide the others.
const POLICY: usize = 12_000;

/// Of which the names of fields that do not fit may take this much.
const HIDDEN: usize = 2_000;
/// Room for what is said about what was left out.
const CLOSING: usize = 512;
/// Characters of a name above the counts, and of a note.
const NAME: usize = 200;
const NOTE: usize = 1_000;

/// The plan: counts first and always, then notes, drift, names and fields as far as they fit.
pub(super) fn markdown(page: Page<'_>) -> String {
    let plan = page.plan;
    let mut out = title(page);
    counts(&mut out, page);
    digests(&mut out, plan);
    notes(&mut out, plan);
    drift(&mut out, plan);
    names(&mut out, plan);
    fields(&mut out, plan);
    out
}

fn title(page: Page<'_>) -> String {
    let mode = page.plan.mode.as_str();
    let (manifest, workspace) = (short(page.manifest()), short(page.workspace()));
    let mut out = match page.heading {
        Heading::DryRun => format!(
            "### Preview: {manifest} into {workspace} ({mode})\n\nDry run: no changes were written.\n\n"
        ),
        Heading::Refused => {
            format!("### Refused: {manifest} into {workspace} ({mode})\n\nNothing was written.\n\n")
        }
        Heading::Imported(name) => {
            format!("### Imported {manifest} into {} ({mode})\n\n", short(name))
        }
        Heading::RolledBack(name, event) => {
            format!("### Rolled back {}{}\n\n", short(name), to_event(event))
        }
        Heading::Compared(before, after) => {
            format!("### {} → {}\n\n", short(before), short(after))
        }
    };
    if let Some(refusal) = page.refused_by() {
        let _ = writeln!(
            out,
            "> [!CAUTION]\n> **{}**: {}",
            refusal.kind.as_str(),
            sentence(&refusal.message)
        );
        if let Some(help) = &refusal.help {
            let _ = writeln!(out, ">\n> {}", sentence(help));
        }
        out.push('\n');
    }
    out
}

fn counts(out: &mut String, page: Page<'_>) {
    let counts = page.counts();
    let row = |cell: fn(&(&str, &str, usize)) -> String| counts.each_ref().map(cell).join(" | ");
    let words = row(|(_, word, _)| (*word).to_owned());
    let numbers = row(|(_, _, number)| number.to_string());
    let _ = writeln!(out, "| {words} |\n|---|---|---|---|---|\n| {numbers} |");
}

/// Which bytes this is about: what `sha256sum` prints.
fn digests(out: &mut String, plan: &Plan) {
    let manifest = &plan.manifest;
    let _ = writeln!(out, "\nManifest SHA-256 {}", short(&manifest.sha256));
    if let Some(rendered) = &manifest.rendered_sha256 {
        let _ = writeln!(out, "with overlays {}", short(rendered));
    }
}

fn notes(out: &mut String, plan: &Plan) {
    if plan.notes.is_empty() {
        return;
    }
    out.push_str("\n**To look at twice**\n\n");
    let note = |note: &String| format!("- {}\n", sentence(note));
    let left = fill(out, plan.notes.iter(), NOTES, note);
    if left > 0 {
        let _ = writeln!(
            out,
            "- … and {} not shown",
            count(left, "more note", "more notes")
        );
    }
}

fn drift(out: &mut String, plan: &Plan) {
    let Some(drift) = &plan.drift else { return };
    let _ = writeln!(out, "\n**Drift since audit event {}**\n", drift.since);
    let before = out.len();
    for (side, names) in sides(drift) {
        let _ = write!(out, "- {side} ({}):", names.len());
        let most = out.len() + DRIFT;
        let left = fill(out, names.iter(), most, |name| format!(" {},", code(name)));
        if left > 0 {
            let _ = write!(out, " … and {left} more");
        } else {
            out.truncate(out.len().saturating_sub(",".len()));
        }
        out.push('\n');
    }
    if out.len() == before {
        out.push_str("Neither side changed.\n");
    }
}

fn names(out: &mut String, plan: &Plan) {
    let sections = [
        (ChangeAction::Add, "+ added"),
        (ChangeAction::Modify, "~ modified"),
        (ChangeAction::Deactivate, "- deactivated"),
    ];
    let rows: Vec<(&str, &Change)> = sections
        .iter()
        .flat_map(|(action, word)| {
            let changes = plan.changes.iter();
            changes
                .filter(|change| change.action == *action)
                .map(|change| (*word, change))
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| change | policy |\n|---|---|\n");
    let left = fill(out, rows.into_iter(), NAMES, |(word, change)| {
        let reactivated = if change.reactivated {
            " (reactivated)"
        } else {
            ""
        };
        format!("| {word} | {}{reactivated} |\n", code(&change.name))
    });
    if left > 0 {
        let _ = writeln!(
            out,
            "\n… and {} not shown.",
            count(left, "more change", "more changes")
        );
    }
}

fn fields(out: &mut String, plan: &Plan) {
    let mut changes = plan
        .changes
        .iter()
        .filter(|change| !change.fields.is_empty())
        .peekable();
    if changes.peek().is_none() {
        return;
    }
    out.push_str("\n<details>\n<summary>Changed fields</summary>\n\n");
    let left = fill(out, changes, MOST - CLOSING, |change| {
        let shown = policy(change);
        if shown.len() <= POLICY {
            return shown;
        }
        let (fitting, hidden) = fitting(change, POLICY - HIDDEN, |alone| policy(alone).len());
        let mut shown = policy(&fitting);
        shown.truncate(shown.trim_end().len());
        let _ = write!(shown, "\n- too long to show ({}):", hidden.len());
        let most = shown.len() + HIDDEN / 2;
        let left = fill(&mut shown, hidden.iter(), most, |name| {
            format!(" {}", code(name))
        });
        if left > 0 {
            let _ = write!(shown, " … and {left} more");
        }
        shown.push_str("\n\n");
        shown
    });
    if left > 0 {
        let _ = writeln!(
            out,
            "… and the fields of {} not shown.\n",
            count(left, "more policy", "more policies")
        );
    }
    out.push_str("</details>\n");
}

/// A name above the counts, which must stay in sight whatever it holds.
fn short(name: &str) -> String {
    code(&clipped(&safe(name), NAME))
}

/// A note or message; what is left out of a long one is said with its number.
fn sentence(text: &str) -> String {
    let left = text.chars().count().saturating_sub(NOTE);
    let shown = prose(&clipped(text, NOTE));
    if left > 0 {
        format!("{shown} ({left} more characters)")
    } else {
        shown
    }
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
