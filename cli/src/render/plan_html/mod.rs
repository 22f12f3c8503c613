//! A plan as one HTML file for a browser: what it is about, the counts, and each change side by side.

mod policy;

use lattice_core::view::{Change, ChangeAction, Plan};

use super::html::Html;
use super::plan::{Heading, to_event};
use super::report::{Page, sides};
use super::room::clipped;
use super::{count, safe};

const STYLE: &str = include_str!("report.css");

/// Notes, with what stands above them, may take this many bytes.
const NOTES: usize = 256 * 1024;
/// The names on each side of a drift this many.
const DRIFT: usize = 64 * 1024;
/// Changes with their fields, with all above them, this many; those that find no room are named.
const CARDS: usize = 2 * 1024 * 1024;
/// Each list of names this many more: changes that are only named, untouched and unchanged policies.
const NAMES: usize = 512 * 1024;
/// Characters of a name in the header, and of a note.
const NAME: usize = 300;
const NOTE: usize = 4_000;

/// The plan as a page: counts first and always, everything else as far as it fits.
pub(super) fn html(page: Page<'_>) -> String {
    let title = format!("{} · al", title(page).concat());
    Html::document(&title, STYLE, |html| {
        html.element("header", &[], |html| header(html, page));
        html.element("main", &[], |html| {
            refusal(html, page);
            counts(html, page);
            notes(html, page.plan);
            drift(html, page.plan);
            changes(html, page.plan);
            rest(html, page.plan);
        });
    })
    .into_string()
}

/// The words of the title, of which every second one is a name.
fn title(page: Page<'_>) -> [String; 4] {
    let name = |name| clipped(&safe(name), NAME).into_owned();
    let event;
    let (before, first, between, second) = match page.heading {
        Heading::DryRun => ("Preview: ", page.manifest(), " into ", page.workspace()),
        Heading::Refused => ("Refused: ", page.manifest(), " into ", page.workspace()),
        Heading::Imported(workspace) => ("Imported: ", page.manifest(), " into ", workspace),
        Heading::RolledBack(workspace, seq) => {
            event = to_event(seq);
            ("Rolled back: ", workspace, &*event, "")
        }
        Heading::Compared(first, second) => ("Comparison: ", first, " → ", second),
    };
    [
        before.to_owned(),
        name(first),
        between.to_owned(),
        name(second),
    ]
}

fn header(html: &mut Html, page: Page<'_>) {
    let plan = page.plan;
    let [before, first, between, second] = title(page);
    html.element("h1", &[], |html| {
        html.text(&before);
        html.leaf("code", &first);
        html.text(&between);
        if !second.is_empty() {
            html.leaf("code", &second);
        }
    });
    let (class, state) = match (page.heading, page.refusal) {
        (Heading::DryRun, None) => ("state", "Dry run: no changes were written"),
        (Heading::DryRun, Some(_)) => (
            "state refused",
            "Dry run, and refused: no changes were written",
        ),
        (Heading::Refused, _) => ("state refused", "Refused: nothing was written"),
        (Heading::Imported(_) | Heading::RolledBack(..), _) => {
            ("state applied", "Applied in one transaction")
        }
        (Heading::Compared(..), _) => ("state", "A comparison: nothing was written"),
    };
    html.class("p", class, |html| html.text(state));
    html.class("dl", "facts", |html| facts(html, plan));
    html.element("details", &[], |html| {
        html.leaf("summary", "Digests in full");
        html.class("dl", "facts", |html| digests(html, plan));
    });
}

fn facts(html: &mut Html, plan: &Plan) {
    if let Some(workspace) = &plan.workspace {
        fact(html, "Workspace", |html| {
            html.leaf("code", &clipped(&workspace.name, NAME));
            html.text(" ");
            html.text(&clipped(&workspace.org_name, NAME));
        });
        fact(html, "Workspace id", |html| {
            html.leaf("code", &clipped(&workspace.id, NAME));
        });
    }
    let manifest = &plan.manifest;
    fact(html, "Mode", |html| {
        html.leaf("strong", plan.mode.as_str());
        html.text(match plan.mode {
            lattice_core::Mode::Additive => ": what the manifest does not name stays active",
            lattice_core::Mode::Replace => ": what the manifest does not name is deactivated",
        });
    });
    fact(html, "Manifest", |html| {
        if let Some(file) = &manifest.file {
            html.leaf("code", &clipped(file, NAME));
            html.text(" ");
        }
        html.text("version ");
        html.leaf("code", &clipped(&manifest.version, NAME));
        html.text(&format!(
            ", {}",
            count(manifest.policies, "policy", "policies")
        ));
    });
    fact(html, "SHA-256", |html| digest(html, &manifest.sha256));
    if let Some(rendered) = &manifest.rendered_sha256 {
        fact(html, "With overlays", |html| digest(html, rendered));
    }
    if let Some(event) = &plan.event {
        fact(html, "Audit event", |html| {
            html.leaf("strong", &event.leaf.seq.to_string());
            html.text(&format!(", {}, by ", clipped(&event.leaf.time, NAME)));
            html.leaf("code", &clipped(&event.leaf.actor, NAME));
        });
    }
}

fn digests(html: &mut Html, plan: &Plan) {
    let leaf = plan.event.as_ref().map(|event| &event.leaf);
    let digests = [
        ("Manifest, SHA-256", Some(&plan.manifest.sha256)),
        (
            "Manifest with overlays, SHA-256",
            plan.manifest.rendered_sha256.as_ref(),
        ),
        ("State before", leaf.and_then(|leaf| leaf.before.as_ref())),
        ("State after", leaf.and_then(|leaf| leaf.after.as_ref())),
    ];
    for (name, digest) in digests {
        if let Some(digest) = digest {
            fact(html, name, |html| html.leaf("code", &clipped(digest, NAME)));
        }
    }
    if let Some(checkpoint) = &plan.checkpoint {
        fact(html, "Checkpoint of the audit log", |html| {
            html.class("pre", "text", |html| {
                for line in clipped(checkpoint, NOTE).lines() {
                    html.text(line);
                    html.line_end();
                }
            });
        });
    }
}

fn fact(html: &mut Html, name: &str, value: impl FnOnce(&mut Html)) {
    html.element("div", &[], |html| {
        html.leaf("dt", name);
        html.element("dd", &[], value);
    });
}

/// The start of a digest, and all of it for whoever points at it.
fn digest(html: &mut Html, digest: &str) {
    let whole = clipped(digest, NAME);
    html.element("code", &[("title", &whole)], |html| {
        html.text(&clipped(digest, 12));
    });
}

fn refusal(html: &mut Html, page: Page<'_>) {
    let Some(refusal) = page.refused_by() else {
        return;
    };
    html.element(
        "section",
        &[("class", "refusal"), ("aria-labelledby", "refusal")],
        |html| {
            html.element("h2", &[("id", "refusal")], |html| {
                html.text("Refused: ");
                html.leaf("code", refusal.kind.as_str());
            });
            html.element("p", &[], |html| sentence(html, &refusal.message));
            if let Some(help) = &refusal.help {
                html.element("p", &[], |html| sentence(html, help));
            }
        },
    );
}

fn counts(html: &mut Html, page: Page<'_>) {
    section(html, "counts", "Counts", |html| {
        html.class("dl", "tiles", |html| {
            for (sign, word, number) in page.counts() {
                let class = if number == 0 { "none" } else { word };
                html.class("div", class, |html| {
                    html.leaf("dt", word);
                    html.element("dd", &[], |html| {
                        html.element(
                            "span",
                            &[("class", "sign"), ("aria-hidden", "true")],
                            |html| {
                                html.text(sign);
                            },
                        );
                        html.text(&number.to_string());
                    });
                });
            }
        });
    });
}

fn notes(html: &mut Html, plan: &Plan) {
    if plan.notes.is_empty() {
        return;
    }
    section(html, "notes", "To look at twice", |html| {
        html.element("ul", &[], |html| {
            let left = html.fill(plan.notes.iter(), NOTES, |note| {
                Html::new(|html| html.element("li", &[], |html| sentence(html, note)))
            });
            if left > 0 {
                html.leaf(
                    "li",
                    &format!("… and {} not shown", count(left, "more note", "more notes")),
                );
            }
        });
    });
}

fn drift(html: &mut Html, plan: &Plan) {
    let Some(drift) = &plan.drift else { return };
    section(html, "drift", "Drift", |html| {
        html.element("p", &[], |html| {
            html.text("Compared with the state that audit event ");
            html.leaf("strong", &drift.since.to_string());
            html.text(" left.");
        });
        if sides(drift).next().is_none() {
            html.leaf("p", "Neither side changed.");
        }
        html.class("div", "moved", |html| {
            for (side, changed) in sides(drift) {
                html.element("div", &[], |html| {
                    html.leaf("h3", &format!("{side} ({})", changed.len()));
                    let most = html.len() + DRIFT;
                    names(html, changed.iter().map(|name| (None, name)), most);
                });
            }
        });
    });
}

fn changes(html: &mut Html, plan: &Plan) {
    let changed = || {
        let changes = plan.changes.iter();
        changes.filter(|change| policy::verb(change.action).is_some())
    };
    let all = changed().count();
    section(html, "changes", "Changes", |html| {
        if all == 0 {
            html.leaf("p", "No policy changes.");
            return;
        }
        let left = html.fill(changed(), CARDS, |change| {
            policy::card(change, plan.applied)
        });
        if left > 0 {
            let more = count(left, "more change", "more changes");
            html.leaf("h3", &format!("{more}, by name alone"));
            let rest = changed().skip(all - left);
            let rest = rest.map(|change| (policy::verb(change.action), &change.name));
            let most = html.len() + NAMES;
            names(html, rest, most);
        }
    });
}

/// What stays as it is, folded away.
fn rest(html: &mut Html, plan: &Plan) {
    let summary = plan.summary;
    let rest = [
        (
            ChangeAction::Untouched,
            summary.untouched,
            "untouched: active, not named by the manifest",
        ),
        (
            ChangeAction::Unchanged,
            summary.unchanged,
            "unchanged: equal on both sides",
        ),
    ];
    if rest.iter().all(|(_, number, _)| *number == 0) {
        return;
    }
    section(html, "rest", "What stays as it is", |html| {
        for (action, number, words) in rest {
            if number == 0 {
                continue;
            }
            let of = |change: &&Change| change.action == action;
            html.element("details", &[], |html| {
                html.leaf("summary", &format!("{number} {words}"));
                let list = plan.changes.iter().filter(of);
                let most = html.len() + NAMES;
                names(html, list.map(|change| (None, &change.name)), most);
            });
        }
    });
}

/// Names, each with what happens to it if that is not said above them, and how many found no room.
fn names<'p>(
    html: &mut Html,
    names: impl Iterator<Item = (Option<policy::Verb>, &'p String)>,
    most: usize,
) {
    html.class("ul", "names", |html| {
        let left = html.fill(names, most, |(verb, name)| {
            Html::new(|html| {
                html.element("li", &[], |html| {
                    if let Some(verb) = verb {
                        verb.badge(html);
                        html.text(" ");
                    }
                    html.leaf("code", name);
                });
            })
        });
        if left > 0 {
            html.leaf("li", &format!("… and {left} more, not shown"));
        }
    });
}

/// A part of the page under its heading.
fn section(html: &mut Html, id: &str, heading: &str, inside: impl FnOnce(&mut Html)) {
    html.element(
        "section",
        &[("class", id), ("aria-labelledby", id)],
        |html| {
            html.element("h2", &[("id", id)], |html| html.text(heading));
            inside(html);
        },
    );
}

/// A note or message; what is left out of a long one is said with its number.
fn sentence(html: &mut Html, text: &str) {
    html.prose(&clipped(text, NOTE));
    let left = text.chars().count().saturating_sub(NOTE);
    if left > 0 {
        html.text(&format!(" ({left} more characters)"));
    }
}
