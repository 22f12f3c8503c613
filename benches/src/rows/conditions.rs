//! One condition of four rules.

use crate::input::{CONTEXTS, Rules};
use crate::measure::fast;
use crate::report::{Aim, Report, Row, Unit};
use crate::{floor, ours, peers};

pub(super) fn measure(report: &mut Report) {
    report.group("A condition of four rules");
    compile(report);
    evaluate(report);
}

fn compile(report: &mut Report) {
    let rules = Rules::example();
    let text = rules.canonical();
    let whole = fast(|| ours::condition(&text));
    let scan = fast(|| floor::scan(&text));
    let row = Row::new("compile it from its text", Unit::Microseconds, whole);
    report.add(row.floor(scan).peers(peers::compile()));
    let tree = ours::condition_tree(&text);
    let row = Row::new(
        "compile it from its tree",
        Unit::Microseconds,
        fast(|| ours::condition_of(&tree)),
    );
    let compiled = fast(|| floor::Compiled::new(&rules));
    report.add(row.floor(compiled).aim(Aim::AtMost(1.5)));
}

fn evaluate(report: &mut Report) {
    let conditions = ours::condition(&Rules::example().canonical());
    let compiled = floor::Compiled::new(&Rules::example()).expect("no real regex");
    for context in &CONTEXTS {
        let json = context.action("deploy.production");
        assert_eq!(
            ours::test(&conditions, &ours::action(&json)),
            context.verdict,
            "{context:?}"
        );
        assert_eq!(
            compiled.test(&floor::Fields::read(&json).slots()),
            context.verdict,
            "{context:?}"
        );
    }
    let json = CONTEXTS[0].action("deploy.production");
    let action = ours::action(&json);
    let slots = floor::Fields::read(&json).slots();

    let policies = crate::input::lone(&Rules::example(), "deploy.production");
    let set = ours::compile(ours::specs(&policies));
    let prepared = ours::prepare(&set, &action);
    let row = Row::new(
        "evaluate it, the action prepared",
        Unit::Nanoseconds,
        fast(|| ours::prepared_verdict(&prepared)),
    );
    report.add(
        row.floor(fast(|| compiled.test(&slots)))
            .peers(peers::prepared())
            .aim(Aim::AtMost(40.0)),
    );
    let row = Row::new(
        "evaluate it, the action as JSON text",
        Unit::Nanoseconds,
        fast(|| ours::test(&conditions, &ours::action(&json))),
    );
    let floor = fast(|| compiled.test(&floor::Fields::read(&json).slots()));
    report.add(
        row.floor(floor)
            .peers(peers::from_text())
            .aim(Aim::AtMost(400.0)),
    );
    let row = Row::new(
        "evaluate it with the whole trace",
        Unit::Nanoseconds,
        fast(|| ours::trace(&conditions, &action)),
    );
    report.add(row.aim(Aim::AtMost(1000.0)));
}
