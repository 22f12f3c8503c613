//! Imports into SQLite. What is timed begins when the manifest is read, and ends when the commit is on the disk.

use lattice_core::Mode;
use tempfile::{TempDir, tempdir};

use crate::input::{self, CONTEXTS};
use crate::measure::{slow, slow_with};
use crate::report::{Aim, Report, Row, Unit};
use crate::{floor, ours};

const COUNT: usize = 100_000;
const RUNS: usize = 3;

pub(super) fn measure(report: &mut Report) {
    report.group("Imports of 100,000 policies into SQLite");
    let policies = input::policies(COUNT);
    let manifest = ours::read(&input::canonical(&policies));
    let changed = ours::read(&input::canonical(&input::changed(&policies, 10)));
    let rows = floor::rows(&policies);

    let all = slow_with(RUNS, empty, |(folder, mut workspace)| {
        workspace.import(&manifest, Mode::Replace);
        (folder, workspace)
    });
    let bare = slow_with(RUNS, table, |(folder, mut table)| {
        table.insert(&rows);
        (folder, table)
    });
    report.add(
        Row::new("import, all new", Unit::Milliseconds, all)
            .floor(bare)
            .aim(Aim::OfFloor(2.0)),
    );

    let (_folder, mut full) = empty();
    full.import(&manifest, Mode::Replace);
    let json = CONTEXTS[0].action("deploy.production");
    let action = ours::action(&json);
    let load = slow(RUNS, || full.load(&action));
    let (_other, mut bare) = table();
    bare.insert(&rows);
    assert_eq!(bare.select(), rows);
    let select = slow(RUNS, || bare.select());
    report.add(Row::new("read and compile what is stored", Unit::Milliseconds, load).floor(select));

    // An import changes the workspace: there and back again, both ways change the same 1 %.
    let mut back = false;
    let mut some = |mode| {
        slow(2 * RUNS, || {
            back = !back;
            full.import(if back { &changed } else { &manifest }, mode);
        })
    };
    let replaced = some(Mode::Replace);
    // What only the other manifest has stays beside it.
    let added = some(Mode::Additive);
    let most = Unit::Milliseconds.of(all.best) * 0.15;
    report.add(
        Row::new("import, 1 % changed", Unit::Milliseconds, replaced)
            .floor(select)
            .aim(Aim::AtMost(most)),
    );
    report.add(Row::new("the same, additively", Unit::Milliseconds, added).floor(select));
    full.import(&manifest, Mode::Replace);
    let none = slow(RUNS, || full.import(&manifest, Mode::Replace));
    let most = Unit::Milliseconds.of(load.best) * 1.5;
    report.add(
        Row::new("import, none changed", Unit::Milliseconds, none)
            .floor(select)
            .aim(Aim::AtMost(most)),
    );
}

fn empty() -> (TempDir, ours::Workspace) {
    let folder = tempdir().expect("a folder");
    let workspace = ours::Workspace::create(&folder.path().join("al.db"));
    (folder, workspace)
}

fn table() -> (TempDir, floor::Table) {
    let folder = tempdir().expect("a folder");
    let table = floor::Table::create(&folder.path().join("bare.db"));
    (folder, table)
}
