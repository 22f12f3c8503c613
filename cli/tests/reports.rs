//! Plans in the forms that people look at: what they say, what they hold and what never breaks out of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use al::{Report, refusal_report, report};
use common::plan::{HOSTILE, change, drifted, everything, field, hostile, huge, plan, string};
use common::{Sandbox, assert_snapshot, manifest, policy};
use lattice_core::view::{ChangeAction, Plan};
use lattice_core::{Code, Error, Value};

/// What a GitHub comment may hold.
const COMMENT: usize = 65_536;
const PAGE: usize = 4 * 1024 * 1024;

fn refused(plan: Plan) -> Error {
    Error::new(
        Code::DeactivationLimit,
        "this would deactivate 5 of 12 active policies: 41.7 %, more than 30 %",
    )
    .with_help("nothing was written; allow exactly so many: `--allow-deactivations 5`")
    .with_plan(plan)
}

#[test]
fn markdown_of_every_kind_of_change() {
    assert_snapshot!(report(&drifted(), Report::Markdown));
}

#[test]
fn html_of_every_kind_of_change() {
    let html = refusal_report(&refused(drifted()), Report::Html).unwrap();
    let style = include_str!("../src/render/plan_html/report.css");
    assert!(html.contains(style));
    assert_snapshot!(html.replace(style, "[STYLE]"));
}

#[test]
fn the_document_says_what_it_is() {
    let dry_run = everything();
    let tried = Plan {
        dry_run: false,
        ..everything()
    };
    let applied = Plan {
        applied: true,
        ..tried.clone()
    };
    let offline = Plan {
        workspace: None,
        ..everything()
    };
    let mut unnamed = offline.clone();
    unnamed.manifest.file = None;
    let rows = [
        (
            &dry_run,
            "### Preview: `policies.yaml` into `staging` (replace)\n",
            "Dry run: no changes were written",
        ),
        (
            &tried,
            "### Refused: `policies.yaml` into `staging` (replace)\n",
            "Refused: nothing was written",
        ),
        (
            &applied,
            "### Imported `policies.yaml` into `staging` (replace)\n",
            "Applied in one transaction",
        ),
        (
            &offline,
            "### `the manifest before` → `policies.yaml`\n",
            "A comparison: nothing was written",
        ),
        (
            &unnamed,
            "### `the manifest before` → `the manifest after`\n",
            "A comparison: nothing was written",
        ),
        (
            &drifted(),
            "### `staging` → `policies.yaml`\n",
            "A comparison: nothing was written",
        ),
    ];
    for (plan, title, state) in rows {
        let markdown = report(plan, Report::Markdown);
        assert!(markdown.starts_with(title), "{title}: {markdown}");
        let html = report(plan, Report::Html);
        assert!(html.contains(&format!(">{state}</p>")), "{state}");
    }
}

#[test]
fn a_refusal_stands_above_the_plan() {
    let error = refused(everything());
    let markdown = refusal_report(&error, Report::Markdown).unwrap();
    let (refusal, counts) = (
        markdown.find("> [!CAUTION]\n> **DEACTIVATION_LIMIT**"),
        markdown.find("| added |"),
    );
    assert!(refusal.is_some() && refusal < counts, "{markdown}");
    let html = refusal_report(&error, Report::Html).unwrap();
    let (refusal, counts) = (
        html.find("Refused: <code>DEACTIVATION_LIMIT</code>"),
        html.find(">Counts<"),
    );
    assert!(refusal.is_some() && refusal < counts, "{html}");
    assert!(html.contains("<code>--allow-deactivations 5</code>"));
    assert_eq!(
        refusal_report(&Error::new(Code::IoError, "gone"), Report::Html),
        None
    );
}

/// In each form, all bytes stay within the bound, the counts are whole and the rest is counted.
#[test]
fn reports_of_huge_plans_are_bounded_with_counts_intact() {
    for (policies, width) in [
        (3_000, "x"),
        (3_000, "`|<&"),
        (2_000, "\u{202e}"),
        (1_500, "語"),
    ] {
        let plan = huge(policies, width);
        let markdown = report(&plan, Report::Markdown);
        assert!(markdown.len() <= COMMENT, "{}", markdown.len());
        let counts = [policies.to_string().as_str(); 5].join(" | ");
        assert!(markdown.contains(&format!("\n| {counts} |\n")), "{width}");
        assert!(markdown.contains("more changes not shown."), "{width}");
        assert!(markdown.ends_with("</details>\n"), "{width}");

        let html = report(&plan, Report::Html);
        assert!(html.len() <= PAGE, "{}", html.len());
        for word in ["added", "modified", "deactivated", "unchanged", "untouched"] {
            let tile = html.split(&format!("<dt>{word}</dt>")).nth(1).unwrap();
            let (tile, _) = tile.split_once("</dd>").unwrap();
            assert!(
                tile.ends_with(&format!("</span>{policies}")),
                "{word}: {tile}"
            );
        }
        assert!(
            html.contains(" more changes, by name alone</h3>"),
            "{width}"
        );
        assert!(html.ends_with("</html>\n"), "{width}");
        // What is shown and what is said to be left out make the whole.
        let cards = html.matches("<article ").count();
        let (before, _) = html.split_once(" more changes, by name alone").unwrap();
        let left: usize = before.rsplit('>').next().unwrap().parse().unwrap();
        assert_eq!(cards + left, 3 * policies);
    }
}

#[test]
fn what_is_long_hides_nothing_else() {
    let long = string(&"line of conditions\n".repeat(50_000));
    let loosened = field("approval_required", Value::Bool(true), Value::Bool(false));
    let plan = plan(vec![
        change(
            "a-long",
            ChangeAction::Modify,
            vec![field("conditions", Value::Null, long), loosened.clone()],
        ),
        change("b-short", ChangeAction::Modify, vec![loosened]),
    ]);
    let markdown = report(&plan, Report::Markdown);
    for shown in [
        "`a-long`\n\n- `approval_required`: `true` → `false`\n- too long to show (1): `conditions`\n",
        "`b-short`\n\n- `approval_required`: `true` → `false`\n",
    ] {
        assert!(markdown.contains(shown), "{markdown}");
    }
    let html = report(&plan, Report::Html);
    assert!(
        html.contains("1 field is too long to show: <code>conditions</code>"),
        "{html}"
    );
    assert_eq!(html.matches("<code>approval_required</code>").count(), 2);
    assert!(html.len() < 32 * 1024);

    // As many as there may be, of which most do not fit.
    let fields = (0..1_000).map(|n| {
        field(
            &format!("conditions.rules[{n}].value"),
            Value::Null,
            string(&"x".repeat(2_000)),
        )
    });
    let many = self::plan(vec![change("many", ChangeAction::Modify, fields.collect())]);
    let markdown = report(&many, Report::Markdown);
    assert!(
        markdown.contains("- too long to show (996): "),
        "{markdown}"
    );
    assert!(markdown.len() < 16_000, "{}", markdown.len());
    let html = report(&many, Report::Html);
    assert!(html.len() < 300 * 1024, "{}", html.len());
}

#[test]
fn a_long_name_does_not_hide_the_counts() {
    let mut plan = everything();
    plan.manifest.file = Some("x\u{1b}`".repeat(100_000));
    plan.manifest.sha256 = "0".repeat(100_000);
    plan.notes = vec!["note ".repeat(100_000)];
    let markdown = report(&plan, Report::Markdown);
    assert!(markdown.len() < COMMENT / 2, "{}", markdown.len());
    assert!(markdown.contains("\n| 2 | 2 | 1 | 2 | 1 |\n"));
    assert!(
        markdown.contains("… (499000 more characters)"),
        "{markdown}"
    );
    let html = report(&plan, Report::Html);
    assert!(html.len() < 64 * 1024, "{}", html.len());
    assert!(html.contains("… (496000 more characters)"));
}

/// Outside code spans, code elements and fences, nothing of what was given is left that could be markup.
#[test]
fn markdown_holds_hostile_text_as_text() {
    let plan = hostile();
    let error = Error::new(Code::DeactivationLimit, HOSTILE.join(" ")).with_plan(plan);
    let markdown = refusal_report(&error, Report::Markdown).unwrap();
    assert!(!markdown.contains('\u{202e}'));
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let trimmed = line.trim_start();
        match fence {
            Some(open) if trimmed == open => fence = None,
            Some(_) => {}
            None if trimmed.starts_with("```") => {
                fence = Some(trimmed.trim_end_matches(|c: char| c.is_ascii_lowercase()));
            }
            None => {
                let outside = without_code(line);
                for markup in [
                    "<s", "<i", "</c", "</d", "<!", "@e", "#1", "](", "://", "www.",
                ] {
                    let own = ["<details>", "</details>", "<summary>"]
                        .iter()
                        .any(|tag| line.starts_with(tag));
                    assert!(own || !outside.contains(markup), "{markup}: {line}");
                }
            }
        }
    }
    assert_eq!(fence, None);
}

/// A line without its code spans, code elements and entities.
fn without_code(line: &str) -> String {
    let spans = regex::Regex::new("`[^`]*`|<code>[^<]*</code>|&#[0-9]+;").unwrap();
    spans.replace_all(line, "").into_owned()
}

#[test]
fn html_is_for_plans_alone_and_anything_else_is_refused_before_it_runs() {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    let before = sandbox.files();
    let others: [&[&str]; 18] = [
        &["workspace", "create", "next"],
        &["workspace", "list"],
        &["workspace", "show"],
        &["key", "create"],
        &["key", "list"],
        &["key", "revoke", "x"],
        &["export"],
        &["export", "--file", "out.yaml"],
        &["validate", "base.yaml"],
        &["fmt", "base.yaml"],
        &["render", "base.yaml"],
        &["schema", "manifest"],
        &["eval", "--action", "nowhere.json"],
        &["audit", "list"],
        &["audit", "show", "0"],
        &["audit", "verify"],
        &["breaker", "list"],
        &["completions", "bash"],
    ];
    for args in others {
        let run = sandbox.al(&[args, &["--format", "html"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{args:?}");
        assert_eq!(
            run.stderr,
            "error[USAGE]: this command has no `--format html`\n  help: `import`, `plan`, `show`, `apply`, `rollback` and `diff` have it; else take text, json or markdown\n",
            "{args:?}"
        );
    }
    assert_eq!(sandbox.files(), before);
    let plans: [&[&str]; 8] = [
        &["diff", "base.yaml", "base.yaml"],
        &["diff", "--file", "base.yaml"],
        &["import", "--file", "base.yaml", "--dry-run"],
        &["import", "--file", "base.yaml"],
        &["plan", "--file", "base.yaml", "--out", "plan.json"],
        &["show", "plan.json"],
        &["apply", "plan.json"],
        &["rollback", "1"],
    ];
    for args in plans {
        let run = sandbox.al(&[args, &["--format", "html"]].concat());
        assert_eq!(run.code, 0, "{args:?}");
        assert!(run.stdout.starts_with("<!doctype html>\n"), "{args:?}");
    }
}

/// A command and a program make the same report of the same plan.
#[test]
fn the_commands_print_the_report_of_their_document() {
    let mut sandbox = Sandbox::new();
    let key = sandbox.create("staging");
    sandbox.use_key(&key);
    let text = manifest(&[policy("a", "b.c", true)]);
    sandbox.write("next.yaml", &text);
    let url = format!("sqlite:{}", sandbox.path("al.db").display());
    let io = al::Io::system();
    let client = al::Client::open(Some(&url), Some(&key), &io).unwrap();
    let given = al::Given::Sources(
        al::Source::Text(lattice_core::NamedText {
            bytes: text.into(),
            file: Some("next.yaml".to_owned()),
        })
        .into(),
    );
    let plan = client.plan(given, al::PlanOptions::default(), &io).unwrap();
    for (form, name) in [(Report::Markdown, "markdown"), (Report::Html, "html")] {
        let run = sandbox.al(&[
            "import",
            "--file",
            "next.yaml",
            "--dry-run",
            "--format",
            name,
        ]);
        assert_eq!((run.code, run.stdout), (0, report(&plan, form)), "{name}");
    }
}

#[test]
fn a_page_says_what_came_of_an_import() {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    sandbox.write("none.yaml", &manifest(&[]));
    let replace = [
        "import",
        "--file",
        "none.yaml",
        "--replace",
        "--format",
        "html",
    ];
    let refused = sandbox.al(&replace);
    assert_eq!(refused.code, 3);
    let title = "<title>Refused: none.yaml into staging · al</title>";
    for part in [
        title,
        "Refused: <code>DEACTIVATION_LIMIT</code>",
        ">Refused: nothing was written</p>",
    ] {
        assert!(refused.stdout.contains(part), "{part}: {}", refused.stdout);
    }
    assert!(
        refused.stderr.contains("error[DEACTIVATION_LIMIT]"),
        "{}",
        refused.stderr
    );
    let applied = sandbox.al(&[&replace[..], &["--allow-deactivations", "1"]].concat());
    assert_eq!(applied.code, 0);
    let title = "<title>Imported: none.yaml into staging · al</title>";
    for part in [
        title,
        "<dt>Audit event</dt>",
        "<dt>State after</dt>",
        "<dt>Checkpoint of the audit log</dt>",
    ] {
        assert!(applied.stdout.contains(part), "{part}: {}", applied.stdout);
    }
}
