//! The audit log as it is read: one event, and all of them from the last to the first.

use lattice_core::audit::{Record, Tree, log_name};
use lattice_core::view::{self, RecordedState};
use lattice_core::{Code, Error, limits};

use crate::store::{Contents, PAGE_RECORDS};

/// Records of the first page: nearly always what is looked for is at the very end of the log. Each page before is larger.
const FIRST_PAGE: u64 = 16;
/// How much larger.
const GROWTH: u64 = 4;

/// The tree of the log of the workspace with the UUID `workspace`, as its head has it.
///
/// # Errors
///
/// `AUDIT_TAMPERED` where there is no head, or it is not one.
pub(crate) fn tree(read: &dyn Contents, workspace: &str) -> Result<Tree, Error> {
    let head = read.head(workspace)?;
    head.and_then(|head| head.tree())
        .ok_or_else(|| tampered("the head of the audit log was not written by al"))
}

/// The event of `record`, and its names.
///
/// # Errors
///
/// `AUDIT_TAMPERED` where they are not what was appended to `log`.
pub(crate) fn open(record: &Record, log: &str) -> Result<view::Event, Error> {
    match record.open(log) {
        Ok((leaf, names)) => Ok(view::Event { leaf, names }),
        Err(reason) => Err(edited(record.seq, &reason)),
    }
}

/// The error for an event that is not what was appended.
pub(crate) fn edited(seq: u64, reason: &str) -> Error {
    tampered(&format!("the audit event `{seq}` was edited: {reason}"))
}

pub(crate) fn tampered(message: &str) -> Error {
    Error::new(Code::AuditTampered, message)
        .with_help("`al audit verify` says what of the log still stands")
}

/// The events of a log from one that is near its end to the first. Ends behind the first error.
#[derive(Debug)]
pub(crate) struct Backwards<'r> {
    read: &'r dyn Contents,
    workspace: &'r str,
    log: String,
    /// What stands before this event is not read yet.
    start: u64,
    /// What is read and not given yet, in the order of the log.
    page: Vec<Record>,
    /// Records of the next page.
    size: u64,
}

impl<'r> Backwards<'r> {
    /// Those of the workspace with the UUID `workspace` that stand before the event `end`, which is at most the number
    /// of events.
    pub(crate) fn before(read: &'r dyn Contents, workspace: &'r str, end: u64) -> Self {
        Self {
            read,
            workspace,
            log: log_name(workspace),
            start: end,
            page: Vec::new(),
            size: FIRST_PAGE,
        }
    }

    /// The states that they left, newest first.
    pub(crate) fn states(self) -> impl Iterator<Item = Result<RecordedState, Error>> {
        self.filter_map(|event| {
            let state = event.map(|event| RecordedState::of(&event.leaf));
            state.transpose()
        })
    }

    fn step(&mut self) -> Result<Option<view::Event>, Error> {
        if self.page.is_empty() && self.start > 0 {
            self.turn()?;
        }
        let record = self.page.pop();
        record.map(|record| open(&record, &self.log)).transpose()
    }

    /// Reads the page before.
    fn turn(&mut self) -> Result<(), Error> {
        let end = self.start;
        self.start = end.saturating_sub(self.size);
        self.size = self.size.saturating_mul(GROWTH).min(PAGE_RECORDS as u64);
        let limit = usize::try_from(end - self.start).unwrap_or(usize::MAX);
        let mut next = self.start;
        while next < end {
            let left = limit.saturating_sub(self.page.len());
            let records = self.read.records(self.workspace, next, left)?;
            let last = records.last().map(|record| record.seq.saturating_add(1));
            next = last.unwrap_or(u64::MAX);
            self.page.extend(records);
        }
        // As many as there should be, up to the one that should be last: all of them.
        if self.page.len() == limit && next == end {
            Ok(())
        } else {
            Err(tampered("an event of the audit log is missing"))
        }
    }
}

impl Iterator for Backwards<'_> {
    type Item = Result<view::Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if let Some(Err(_)) = step {
            self.start = 0;
            self.page.clear();
        }
        step
    }
}

/// How many of `what` a page holds, where so many were asked for.
///
/// # Errors
///
/// `USAGE` for more than a page may hold, or none.
pub fn page(limit: Option<u64>, what: &str) -> Result<usize, Error> {
    let Some(limit) = limit else {
        return Ok(limits::PAGE_DEFAULT);
    };
    let page = usize::try_from(limit).ok();
    page.filter(|limit| (1..=limits::PAGE_MAX).contains(limit))
        .ok_or_else(|| {
            let message = format!("a page of {limit} {what} cannot be listed");
            Error::new(Code::Usage, message)
                .with_help(format!("ask for 1 to {} {what}", limits::PAGE_MAX))
        })
}
