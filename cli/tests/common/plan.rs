//! Plans made by hand, with every kind of change and with what wants to break out of a report.

use lattice_core::Value;
use lattice_core::view::{
    Change, ChangeAction, Drift, FieldChange, ManifestRef, Mode, Plan, Summary, WorkspaceRef,
};

/// Names and texts that try to become markup, end the style or turn the reading order.
pub(crate) const HOSTILE: [&str; 9] = [
    "<script>document.title='owned'</script>",
    "</style></head><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)\" x='",
    "&lt;b&gt;&amp;",
    "evil\u{202e}gnp.exe",
    "a`b|c",
    "@everyone #1 [x](https://evil.example) www.evil.example",
    "</code></pre></details>",
    "--> <!-- ]]>",
];

pub(crate) fn string(text: &str) -> Value<'static> {
    Value::String(text.to_owned().into())
}

pub(crate) fn field(field: &str, before: Value<'static>, after: Value<'static>) -> FieldChange {
    FieldChange {
        field: field.to_owned(),
        before,
        after,
    }
}

pub(crate) fn change(name: &str, action: ChangeAction, fields: Vec<FieldChange>) -> Change {
    Change {
        name: name.to_owned(),
        action,
        reactivated: false,
        fields,
    }
}

/// A dry run of changes, in name order and with the counts that they make.
pub(crate) fn plan(mut changes: Vec<Change>) -> Plan {
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    let count = |action| {
        let of = changes.iter().filter(|change| change.action == action);
        of.count()
    };
    let summary = Summary {
        added: count(ChangeAction::Add),
        modified: count(ChangeAction::Modify),
        deactivated: count(ChangeAction::Deactivate),
        unchanged: count(ChangeAction::Unchanged),
        untouched: count(ChangeAction::Untouched),
    };
    Plan {
        workspace: Some(WorkspaceRef {
            id: "01890000-0000-7000-8000-000000000000".to_owned(),
            name: "staging".to_owned(),
            org_name: "Acme (staging)".to_owned(),
        }),
        mode: Mode::Replace,
        dry_run: true,
        applied: false,
        manifest: ManifestRef {
            file: Some("policies.yaml".to_owned()),
            sha256: "0123456789abcdef".repeat(4),
            rendered_sha256: Some("fedcba9876543210".repeat(4)),
            version: "1.0".to_owned(),
            policies: 8,
        },
        summary,
        changes,
        notes: Vec::new(),
        drift: None,
        event: None,
        checkpoint: None,
    }
}

const BEFORE: &str = "\
logic: all
rules:
  - field: branch
    operator: regex
    value: \"^(main|release/.*)$\"
  - field: pr_size
    operator: lt
    value: 400
  - field: author.team
    operator: in
    value: [platform, sre]
";

const AFTER: &str = "\
logic: all
rules:
  - field: branch
    operator: regex
    value: \"^main$\"
  - field: pr_size
    operator: lt
    value: 400
  - logic: any
    rules:
      - field: author.team
        operator: in
        value: [platform, sre]
      - {field: labels.\"app.io/tier\", operator: exists}
";

/// Every kind of change at once, with notes.
pub(crate) fn everything() -> Plan {
    let hours = |hours: u64| Value::Number(hours.into());
    let added = vec![
        field("action_type", Value::Null, string("deploy.production")),
        field("approval_required", Value::Null, Value::Bool(true)),
        field("approval_timeout_hours", Value::Null, hours(24)),
        field("allowed_repos", Value::Null, Value::Null),
        field(
            "allowed_branches",
            Value::Null,
            Value::List(vec![string("main"), string("release/**")]),
        ),
        field("conditions", Value::Null, string(BEFORE)),
    ];
    let modified = vec![
        field("approval_required", Value::Bool(true), Value::Bool(false)),
        field("approval_timeout_hours", hours(8), hours(24)),
        field(
            "allowed_repos",
            Value::Null,
            Value::List(vec![string("acme/*")]),
        ),
        field("conditions.rules[1].value", hours(100), hours(400)),
    ];
    let mut back = change("db-restore", ChangeAction::Add, added[..3].to_vec());
    back.reactivated = true;
    let texts = vec![field("conditions", string(BEFORE), string(AFTER))];
    let mut plan = plan(vec![
        change("block-unreviewed-deploys", ChangeAction::Add, added.clone()),
        back,
        change("audit-all-writes", ChangeAction::Modify, modified),
        change("deploys-by-platform", ChangeAction::Modify, texts),
        change("legacy-rule", ChangeAction::Deactivate, Vec::new()),
        change("read-only", ChangeAction::Unchanged, Vec::new()),
        change("secrets-read", ChangeAction::Unchanged, Vec::new()),
        change("break-glass", ChangeAction::Untouched, Vec::new()),
    ]);
    plan.notes = vec![
        "deploy.production: decided by `*` (approval) → `deploy.production` (no approval)"
            .to_owned(),
        "`db-restore` was deactivated and comes back".to_owned(),
    ];
    plan
}

/// The same as a comparison that tells which side moved.
pub(crate) fn drifted() -> Plan {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Plan {
        drift: Some(Drift {
            since: 12,
            workspace: names(&["audit-all-writes", "legacy-rule"]),
            manifest: names(&["block-unreviewed-deploys"]),
            both: names(&["deploys-by-platform"]),
        }),
        ..everything()
    }
}

/// Every kind of change under each hostile name, which stands in every place that takes a text.
pub(crate) fn hostile() -> Plan {
    let actions = [
        ChangeAction::Add,
        ChangeAction::Modify,
        ChangeAction::Deactivate,
        ChangeAction::Unchanged,
        ChangeAction::Untouched,
    ];
    let lines = |text: &str| string(&format!("first\n{text}\nlast {text}\n"));
    let changes = HOSTILE.iter().flat_map(|text| {
        actions.map(|action| {
            let fields = match action {
                ChangeAction::Add => vec![
                    field(text, Value::Null, string(text)),
                    field("conditions", Value::Null, lines(text)),
                ],
                ChangeAction::Modify => vec![
                    field(text, string(text), string("plain")),
                    field("conditions", lines("plain"), lines(text)),
                ],
                _ => Vec::new(),
            };
            change(&format!("{text} {}", action as u8), action, fields)
        })
    });
    let mut plan = plan(changes.collect());
    let names: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    let all = names.join(" ");
    if let Some(workspace) = &mut plan.workspace {
        workspace.name.clone_from(&all);
        workspace.org_name.clone_from(&all);
        workspace.id.clone_from(&all);
    }
    plan.manifest.file = Some(all.clone());
    plan.manifest.sha256.clone_from(&all);
    plan.manifest.rendered_sha256 = Some(all.clone());
    plan.manifest.version.clone_from(&all);
    plan.checkpoint = Some(names.join("\n"));
    plan.notes.clone_from(&names);
    plan.drift = Some(Drift {
        since: 3,
        workspace: names.clone(),
        manifest: names.clone(),
        both: names,
    });
    plan
}

/// So much that no report holds it: `policies` of each kind, with long names and long fields.
pub(crate) fn huge(policies: usize, width: &str) -> Plan {
    let actions = [
        ChangeAction::Add,
        ChangeAction::Modify,
        ChangeAction::Deactivate,
        ChangeAction::Unchanged,
        ChangeAction::Untouched,
    ];
    let changes = (0..policies).flat_map(|number| {
        actions.map(|action| {
            let name = format!("{number}-{}", width.repeat(50));
            let fields = match action {
                ChangeAction::Add | ChangeAction::Modify => vec![field(
                    "conditions",
                    Value::Null,
                    string(&format!("{width}\n").repeat(100)),
                )],
                _ => Vec::new(),
            };
            change(&format!("{name}-{}", action as u8), action, fields)
        })
    });
    let mut plan = plan(changes.collect());
    let names: Vec<String> = plan
        .changes
        .iter()
        .map(|change| change.name.clone())
        .collect();
    plan.notes = names.iter().map(|name| name.repeat(20)).collect();
    plan.drift = Some(Drift {
        since: 1,
        workspace: names.clone(),
        manifest: names.clone(),
        both: names,
    });
    plan
}
