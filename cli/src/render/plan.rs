//! A plan as text: what `al import` and `al diff` print.

use std::fmt::Write as _;

use lattice_core::view::{Change, ChangeAction, Drift, FieldChange, Plan};

use super::diff::{Line, lines};
use super::field::Shown;
use super::{Paint, safe};

/// What stands above the counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heading<'a> {
    /// A preview.
    DryRun,
    /// What was to be imported, and was refused.
    Refused,
    /// An import into the workspace of that name.
    Imported(&'a str),
    /// A rollback of the workspace of that name, to the state after that event where it is known.
    RolledBack(&'a str, Option<u64>),
    /// A comparison of two sides.
    Compared(&'a str, &'a str),
}

/// The plan: a heading, then counts and names; with `fields`, what changes in each policy.
pub(crate) fn text(plan: &Plan, heading: Heading<'_>, fields: bool, paint: Paint) -> String {
    let mut out = match heading {
        Heading::DryRun => {
            "DRY RUN — no changes will be written\nPreview — no changes applied:\n".to_owned()
        }
        Heading::Refused => "Refused — nothing was written:\n".to_owned(),
        Heading::Imported(name) => format!("Imported into {}:\n", safe(name)),
        Heading::RolledBack(name, event) => {
            format!("Rolled back {}{}:\n", safe(name), to_event(event))
        }
        Heading::Compared(before, after) => format!("{} → {}:\n", safe(before), safe(after)),
    };
    let summary = plan.summary;
    let sections = [
        (ChangeAction::Add, "+", summary.added, "added"),
        (ChangeAction::Modify, "~", summary.modified, "modified"),
        (
            ChangeAction::Deactivate,
            "-",
            summary.deactivated,
            "deactivated",
        ),
    ];
    for (action, sign, count, word) in sections {
        if count == 0 {
            continue;
        }
        let line = format!("  {sign} {count} {word}:");
        let _ = writeln!(out, "{}", paint_action(paint, action, &line));
        for change in plan.changes.iter().filter(|change| change.action == action) {
            name(&mut out, change, plan.drift.as_ref());
            if fields {
                for field in &change.fields {
                    describe(&mut out, change, field, paint);
                }
            }
        }
    }
    if summary.unchanged > 0 {
        let line = format!("  = {} unchanged", summary.unchanged);
        let _ = writeln!(out, "{}", paint.dim(&line));
    }
    out
}

/// Where a rollback went, if it is known.
pub(super) fn to_event(event: Option<u64>) -> String {
    event.map_or_else(String::new, |event| format!(" to event {event}"))
}

fn paint_action(paint: Paint, action: ChangeAction, line: &str) -> String {
    match action {
        ChangeAction::Add => paint.green(line),
        ChangeAction::Modify => paint.yellow(line),
        ChangeAction::Deactivate => paint.red(line),
        ChangeAction::Unchanged | ChangeAction::Untouched => paint.dim(line),
    }
}

fn name(out: &mut String, change: &Change, drift: Option<&Drift>) {
    let reactivated = if change.reactivated {
        " (reactivated)"
    } else {
        ""
    };
    let moved = drift.map_or_else(String::new, |drift| moved(drift, &change.name));
    let _ = writeln!(out, "      {}{reactivated}{moved}", safe(&change.name));
}

/// Which side a policy changed on.
fn moved(drift: &Drift, name: &str) -> String {
    // INVARIANT: the lists are in name order.
    let among = |names: &[String]| names.binary_search_by(|other| (**other).cmp(name)).is_ok();
    let since = drift.since;
    if among(&drift.manifest) {
        format!("  (changed in the file since event {since})")
    } else if among(&drift.workspace) {
        format!("  (changed in the workspace since event {since})")
    } else if among(&drift.both) {
        format!("  (changed in both since event {since})")
    } else {
        String::new()
    }
}

/// One field below its policy: `field: old → new`, or lines where a side has several.
fn describe(out: &mut String, change: &Change, field: &FieldChange, paint: Paint) {
    let name = safe(&field.field);
    let _ = match Shown::new(change, field) {
        Shown::Value(after) => writeln!(out, "          {name}: {after}"),
        Shown::Values(before, after) => writeln!(out, "          {name}: {before} → {after}"),
        Shown::Text(text) => {
            let _ = writeln!(out, "          {name}:");
            text.lines()
                .try_for_each(|line| writeln!(out, "            {}", safe(line)))
        }
        Shown::Texts(before, after) => {
            let _ = writeln!(out, "          {name}:");
            lines(&before, &after).into_iter().try_for_each(|line| {
                let line = match line {
                    Line::Kept(line) => format!("  {}", safe(line)),
                    Line::Removed(line) => paint.red(&format!("- {}", safe(line))),
                    Line::Added(line) => paint.green(&format!("+ {}", safe(line))),
                };
                writeln!(out, "            {line}")
            })
        }
    };
}

#[cfg(test)]
mod tests {
    use lattice_core::Value;
    use lattice_core::view::{ManifestRef, Mode, Summary};

    use super::*;

    fn change(name: &str, action: ChangeAction, fields: Vec<FieldChange>) -> Change {
        Change {
            name: name.to_owned(),
            action,
            reactivated: false,
            fields,
        }
    }

    fn field(field: &str, before: Value<'static>, after: Value<'static>) -> FieldChange {
        FieldChange {
            field: field.to_owned(),
            before,
            after,
        }
    }

    fn plan() -> Plan {
        let text = |text: &'static str| Value::String(text.into());
        let added = vec![
            field("action_type", Value::Null, text("deploy.production")),
            field("conditions", Value::Null, text("logic: all\nrules: []\n")),
        ];
        let modified = vec![
            field(
                "approval_timeout_hours",
                Value::Number(8_u64.into()),
                Value::Number(24_u64.into()),
            ),
            field(
                "allowed_repos",
                Value::Null,
                Value::List(vec![text("acme/*")]),
            ),
            field("conditions", text("a\nb\n"), text("a\nc\n")),
        ];
        let mut reactivated = change("back-again", ChangeAction::Add, Vec::new());
        reactivated.reactivated = true;
        Plan {
            workspace: None,
            mode: Mode::Replace,
            dry_run: true,
            applied: false,
            manifest: ManifestRef {
                file: None,
                rendered_sha256: None,
                sha256: String::new(),
                version: "1.0".to_owned(),
                policies: 6,
            },
            summary: Summary {
                added: 2,
                modified: 1,
                deactivated: 1,
                unchanged: 3,
                untouched: 0,
            },
            changes: vec![
                change("audit-all-writes", ChangeAction::Modify, modified),
                reactivated,
                change("block-unreviewed-deploys", ChangeAction::Add, added),
                change("legacy-rule", ChangeAction::Deactivate, Vec::new()),
            ],
            notes: Vec::new(),
            event: None,
            drift: None,
            checkpoint: None,
        }
    }

    #[test]
    fn the_preview_names_what_would_change() {
        let expected = "\
DRY RUN — no changes will be written
Preview — no changes applied:
  + 2 added:
      back-again (reactivated)
      block-unreviewed-deploys
  ~ 1 modified:
      audit-all-writes
  - 1 deactivated:
      legacy-rule
  = 3 unchanged
";
        let paint = Paint::new(false);
        assert_eq!(text(&plan(), Heading::DryRun, false, paint), expected);
    }

    #[test]
    fn drift_stands_behind_each_name() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let plan = Plan {
            drift: Some(Drift {
                since: 5,
                workspace: names(&["audit-all-writes", "back-again"]),
                manifest: names(&["block-unreviewed-deploys"]),
                both: names(&["legacy-rule"]),
            }),
            ..plan()
        };
        let expected = "\
staging → policies.yaml:
  + 2 added:
      back-again (reactivated)  (changed in the workspace since event 5)
      block-unreviewed-deploys  (changed in the file since event 5)
  ~ 1 modified:
      audit-all-writes  (changed in the workspace since event 5)
  - 1 deactivated:
      legacy-rule  (changed in both since event 5)
  = 3 unchanged
";
        let paint = Paint::new(false);
        let heading = Heading::Compared("staging", "policies.yaml");
        assert_eq!(text(&plan, heading, false, paint), expected);
    }

    #[test]
    fn fields_stand_below_their_policy() {
        let expected = "\
Imported into staging:
  + 2 added:
      back-again (reactivated)
      block-unreviewed-deploys
          action_type: \"deploy.production\"
          conditions:
            logic: all
            rules: []
  ~ 1 modified:
      audit-all-writes
          approval_timeout_hours: 8 → 24
          allowed_repos: null → [\"acme/*\"]
          conditions:
              a
            - b
            + c
  - 1 deactivated:
      legacy-rule
  = 3 unchanged
";
        let paint = Paint::new(false);
        assert_eq!(
            text(&plan(), Heading::Imported("staging"), true, paint),
            expected
        );
    }
}
