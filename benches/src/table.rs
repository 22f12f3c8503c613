//! The report as text: a line for whoever waits, and Markdown.

use std::fmt::Write as _;

use crate::measure::Figure;
use crate::report::{Aim, Group, Report, Row, Unit};

/// A row in one line.
pub fn line(row: &Row) -> String {
    let mut text = format!("{:58} {:>10}", row.what, value(row.unit, row.ours.best));
    if let Some(aim) = row.aim {
        let _ = write!(text, "  aim {}: {}", aim_of(row.unit, aim), verdict(row));
    }
    if let Some(floor) = row.floor {
        let _ = write!(text, "; lower bound {}", value(row.unit, floor.best));
    }
    for peer in &row.peers {
        let _ = write!(
            text,
            "; {} {}",
            peer.name,
            value(row.unit, peer.figure.best)
        );
    }
    text
}

/// The tables of the report.
pub fn markdown(report: &Report) -> String {
    report
        .groups
        .iter()
        .map(group)
        .collect::<Vec<_>>()
        .join("\n")
}

fn group(group: &Group) -> String {
    let mut text = format!("### {}\n\n", group.title);
    text.push_str("| job | aim | Lattice: best (median) | lower bound | ÷ | peers | |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in &group.rows {
        let aim = row
            .aim
            .map_or_else(String::new, |aim| aim_of(row.unit, aim));
        let floor = row
            .floor
            .map_or_else(String::new, |floor| value(row.unit, floor.best));
        let times = row
            .floor
            .map_or_else(String::new, |floor| times(row.ours, floor));
        let peers = row
            .peers
            .iter()
            .map(|peer| format!("{} {}", peer.name, value(row.unit, peer.figure.best)));
        let peers = peers.collect::<Vec<_>>().join("; ");
        let _ = writeln!(
            text,
            "| {} | {aim} | **{}** ({}) | {floor} | {times} | {peers} | {} |",
            row.what,
            value(row.unit, row.ours.best),
            number(row.unit.of(row.ours.median)),
            verdict(row)
        );
    }
    text
}

/// How many aims are met, how many there are, and the worst miss.
pub fn score(report: &Report) -> String {
    let misses: Vec<f64> = report
        .groups
        .iter()
        .flat_map(|group| &group.rows)
        .filter_map(Row::miss)
        .collect();
    let met = misses.iter().filter(|miss| **miss <= 1.0).count();
    let worst = misses.iter().copied().fold(1.0, f64::max);
    let mut text = format!("{met} of {} aims are met", misses.len());
    if worst > 1.0 {
        let _ = write!(text, "; the furthest is missed by {} times", number(worst));
    }
    text
}

fn aim_of(unit: Unit, aim: Aim) -> String {
    match aim {
        Aim::AtMost(most) => format!("≤ {} {}", number(most), unit.sign()),
        Aim::AtLeast(least) => format!("≥ {} {}", number(least), unit.sign()),
        Aim::OfFloor(times) => format!("≤ {} × lower bound", number(times)),
    }
}

fn verdict(row: &Row) -> String {
    match row.miss() {
        None => String::new(),
        Some(miss) if miss <= 1.0 => "met".to_owned(),
        Some(miss) => format!("missed, {} ×", number(miss)),
    }
}

fn times(ours: Figure, floor: Figure) -> String {
    number(ours.best / floor.best)
}

fn value(unit: Unit, value: f64) -> String {
    format!("{} {}", number(unit.of(value)), unit.sign())
}

/// Three digits that count, thousands apart.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if decimals > 0 {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = text.len();
    let mut spaced = String::with_capacity(digits + digits / 3);
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (digits - index) % 3 == 0 {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    spaced
}
