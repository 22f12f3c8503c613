//! Sets of policies and an action.

use std::collections::HashMap;

use super::COMPILED;
use crate::input::{self, CONTEXTS, Policy, type_of};
use crate::measure::{Figure, fast};
use crate::report::{Aim, Report, Row, Unit};
use crate::{floor, memory, ours, peers};

pub(super) fn measure(report: &mut Report) {
    report.group("Decisions, the verdict of an action that was read");
    let [small, medium, large] = [100, 10_000, 100_000].map(|count| input::with_rules(count, None));
    one_of(report, &small, "one of 100 policies applies", false);
    one_of(report, &medium, "one of 10,000 policies applies", true);
    one_of(report, &large, "one of 100,000 policies applies", false);
    all(report);
    compiled(report);
}

fn one_of(report: &mut Report, policies: &[Policy], what: &str, with_peers: bool) {
    let kind = type_of(policies.len() / 2);
    let peers = if with_peers {
        peers::decide(policies, &kind, 1)
    } else {
        Vec::new()
    };
    let row = decision(policies, &kind, 1, what);
    report.add(row.peers(peers).aim(Aim::AtMost(75.0)));
}

fn all(report: &mut Report) {
    let kind = type_of(0);
    let policies = input::with_rules(100, Some(&kind));
    let row = decision(&policies, &kind, 100, "all of 100 policies apply");
    let row = Row {
        unit: Unit::Microseconds,
        ..row
    };
    report.add(
        row.peers(peers::decide(&policies, &kind, 100))
            .aim(Aim::AtMost(2.0)),
    );
}

/// A decision beside a table of compiled rules by action type.
fn decision(policies: &[Policy], kind: &str, applying: usize, what: &str) -> Row {
    let set = ours::compile(ours::specs(policies));
    let json = CONTEXTS[0].action(kind);
    let action = ours::action(&json);
    assert!(ours::admits(&set, &action));
    assert_eq!(ours::judged(&set, &action), applying);

    let mut table: HashMap<&str, Vec<floor::Compiled>> = HashMap::new();
    for policy in policies {
        let rules = policy.rules.as_ref().and_then(floor::Compiled::new);
        table
            .entry(&policy.action_type)
            .or_default()
            .push(rules.expect("no real regex"));
    }
    let slots = floor::Fields::read(&json).slots();
    let passing = || {
        table[kind]
            .iter()
            .filter(|rules| rules.test(&slots))
            .count()
    };
    assert_eq!(passing(), applying);
    Row::new(
        what,
        Unit::Nanoseconds,
        fast(|| ours::verdict(&set, &action)),
    )
    .floor(fast(passing))
}

fn compiled(report: &mut Report) {
    let bytes = memory::in_child("compile");
    let row = Row::new(
        "heap of a compiled policy, of 10,000",
        Unit::Kibibytes,
        Figure::exact(bytes.kept).per(COMPILED),
    );
    report.add(row.peers(peers::memory()).aim(Aim::AtMost(0.75)));
}
