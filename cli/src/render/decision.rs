//! A decision with its trace.

use std::fmt::Write as _;

use lattice_core::view::{Decision, PolicyResult, RuleResult, Status};

use super::markdown::code;
use super::room::clipped;
use super::{Paint, Table, count, safe, value};

/// The status, the policy that decided, and every rule that was looked at.
pub(crate) fn text(decision: &Decision<'_>, paint: Paint) -> String {
    let status = headline(decision);
    let mut out = match decision.status {
        Status::Executed => paint.green(&status),
        Status::Requested => paint.yellow(&status),
        Status::Denied | Status::PolicyNotFound => paint.red(&status),
    };
    out.push('\n');
    if let Some(policy) = &decision.policy_name {
        let _ = writeln!(out, "policy: {}", safe(policy));
    }
    for policy in &decision.policies {
        let _ = writeln!(
            out,
            "\n{} {}{}",
            mark(policy.result, paint),
            safe(&policy.name),
            approval(policy)
        );
        out.push_str(&rules(decision, policy, paint));
    }
    out
}

fn rules(decision: &Decision<'_>, policy: &PolicyResult<'_>, paint: Paint) -> String {
    let rules: Vec<&RuleResult<'_>> = of(decision, policy).collect();
    if rules.is_empty() {
        return "    no rules: true for every action\n".to_owned();
    }
    let mut table = Table::new(["field", "operator", "expected", "actual", "result"]);
    for rule in &rules {
        table.row(cells(rule));
    }
    let mut out = String::new();
    let marks =
        std::iter::once(" ".to_owned()).chain(rules.iter().map(|rule| mark(rule.result, paint)));
    for (mark, line) in marks.zip(table.text(paint).lines()) {
        let _ = writeln!(out, "  {mark} {line}");
    }
    out
}

/// The same as a heading and a table for each policy.
pub(crate) fn markdown(decision: &Decision<'_>) -> String {
    let mut out = format!("### {}\n\n", code(&headline(decision)));
    if let Some(policy) = &decision.policy_name {
        let _ = writeln!(out, "Decided by {}.\n", code(policy));
    }
    let paint = Paint::new(false);
    for policy in &decision.policies {
        let mark = mark(policy.result, paint);
        let _ = writeln!(out, "{mark} {}{}\n", code(&policy.name), approval(policy));
        let mut table =
            Table::new(["field", "operator", "expected", "actual", "result"]).prose(&["result"]);
        for rule in of(decision, policy) {
            table.row(cells(rule));
        }
        let _ = writeln!(out, "{}", table.markdown());
    }
    out
}

fn headline(decision: &Decision<'_>) -> String {
    match decision.status {
        Status::PolicyNotFound => {
            "policy_not_found: no policy names this action type, so it is blocked".to_owned()
        }
        Status::Denied => match &decision.denial_reason {
            Some(reason) => format!("denied: {reason}"),
            None => "denied".to_owned(),
        },
        Status::Requested => match decision.approval_timeout_hours {
            Some(hours) => format!(
                "requested: a human must approve within {}",
                count(usize::from(hours), "hour", "hours")
            ),
            None => "requested".to_owned(),
        },
        Status::Executed => "executed".to_owned(),
    }
}

fn of<'d>(
    decision: &'d Decision<'d>,
    policy: &'d PolicyResult<'d>,
) -> impl Iterator<Item = &'d RuleResult<'d>> {
    decision
        .conditions_evaluated
        .iter()
        .filter(|rule| rule.policy == policy.name)
}

fn cells(rule: &RuleResult<'_>) -> [String; 5] {
    let outcome = match (rule.result, &rule.reason) {
        (Some(true), _) => "true".to_owned(),
        (Some(false), _) => "false".to_owned(),
        (None, Some(reason)) => format!("unknown: {reason}"),
        (None, None) => "unknown".to_owned(),
    };
    [
        rule.field.to_string(),
        rule.operator.to_string(),
        rule.expected
            .as_ref()
            .map(value)
            .map(shortened)
            .unwrap_or_default(),
        rule.actual
            .as_ref()
            .map(value)
            .map(shortened)
            .unwrap_or_default(),
        outcome,
    ]
}

/// A table stays readable beside a text of 64 KiB; `--format json` has it whole.
fn shortened(text: impl AsRef<str>) -> String {
    clipped(text.as_ref(), 60).into_owned()
}

fn approval(policy: &PolicyResult<'_>) -> &'static str {
    if policy.approval_required {
        " (requires approval)"
    } else {
        ""
    }
}

fn mark(result: Option<bool>, paint: Paint) -> String {
    match result {
        Some(true) => paint.green("✓"),
        Some(false) => paint.red("✗"),
        None => paint.yellow("?"),
    }
}
