//! Rows of figures, collected as they are measured.

use serde::Deserialize;

use crate::measure::{Figure, yardstick};

/// How the figures of a row are shown. They are kept in nanoseconds, bytes, or as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Of nanoseconds.
    Nanoseconds,
    /// Of nanoseconds.
    Microseconds,
    /// Of nanoseconds.
    Milliseconds,
    /// Of nanoseconds for one.
    PerSecond,
    /// Of nanoseconds per byte.
    GigabytesPerSecond,
    /// Of bytes.
    Kibibytes,
    /// Of bytes.
    Mebibytes,
    /// Of a ratio.
    Times,
}

impl Unit {
    /// A value as it is shown.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Unit::Nanoseconds | Unit::Times => value,
            Unit::Microseconds => value / 1e3,
            Unit::Milliseconds => value / 1e6,
            Unit::PerSecond => 1e9 / value,
            Unit::GigabytesPerSecond => 1.0 / value,
            Unit::Kibibytes => value / 1024.0,
            Unit::Mebibytes => value / (1024.0 * 1024.0),
        }
    }

    /// Its sign.
    pub fn sign(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::PerSecond => "/s",
            Unit::GigabytesPerSecond => "GB/s",
            Unit::Kibibytes => "KiB",
            Unit::Mebibytes => "MiB",
            Unit::Times => "×",
        }
    }
}

/// What a row is to reach, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No more than this many times the lower bound.
    OfFloor(f64),
}

/// What another engine takes.
#[derive(Debug, Clone, Deserialize)]
pub struct Peer {
    /// Which.
    pub name: String,
    /// What it takes.
    pub figure: Figure,
}

impl Peer {
    /// A peer and its figure.
    pub fn new(name: &str, figure: Figure) -> Self {
        Peer {
            name: name.to_owned(),
            figure,
        }
    }

    /// The share of one of `count`.
    fn per(self, count: usize) -> Self {
        Peer {
            figure: self.figure.per(count),
            ..self
        }
    }
}

/// A job, and what it takes.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// The job.
    pub what: String,
    /// How it is shown.
    pub unit: Unit,
    /// What it is to reach.
    #[serde(default)]
    pub aim: Option<Aim>,
    /// What we take.
    pub ours: Figure,
    /// What the job takes at least.
    #[serde(default)]
    pub floor: Option<Figure>,
    /// What others take.
    #[serde(default)]
    pub peers: Vec<Peer>,
}

impl Row {
    /// A row without aim, floor and peers.
    pub fn new(what: impl Into<String>, unit: Unit, ours: Figure) -> Self {
        Row {
            what: what.into(),
            unit,
            aim: None,
            ours,
            floor: None,
            peers: Vec::new(),
        }
    }

    /// With an aim.
    pub fn aim(self, aim: Aim) -> Self {
        Row {
            aim: Some(aim),
            ..self
        }
    }

    /// With a lower bound.
    pub fn floor(self, floor: Figure) -> Self {
        Row {
            floor: Some(floor),
            ..self
        }
    }

    /// With peers.
    pub fn peers(self, peers: Vec<Peer>) -> Self {
        Row { peers, ..self }
    }

    /// Every figure as the share of one of `count`.
    pub fn per(self, count: usize) -> Self {
        Row {
            ours: self.ours.per(count),
            floor: self.floor.map(|floor| floor.per(count)),
            peers: self.peers.into_iter().map(|peer| peer.per(count)).collect(),
            ..self
        }
    }

    /// By how much the best run misses the aim: at most 1 if it does not. `None` without an aim.
    pub fn miss(&self) -> Option<f64> {
        let ours = self.unit.of(self.ours.best);
        Some(match self.aim? {
            Aim::AtMost(aim) => ours / aim,
            Aim::AtLeast(aim) => aim / ours,
            Aim::OfFloor(times) => ours / (times * self.unit.of(self.floor?.best)),
        })
    }
}

/// Rows that belong together.
#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    /// What they are about.
    pub title: String,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// In order.
    pub groups: Vec<Group>,
    /// The yardstick before each group.
    pub yardsticks: Vec<Figure>,
}

impl Report {
    /// Begins a group.
    pub fn group(&mut self, title: &str) {
        self.yardsticks.push(yardstick());
        eprintln!("\n{title}");
        self.groups.push(Group {
            title: title.to_owned(),
            rows: Vec::new(),
        });
    }

    /// Adds a row, and says so to whoever waits.
    pub fn add(&mut self, row: Row) {
        eprintln!("  {}", crate::table::line(&row));
        let group = self.groups.last_mut().expect("a group was begun");
        group.rows.push(row);
    }
}
