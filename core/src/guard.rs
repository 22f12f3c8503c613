//! The deactivation guard: switching off much of a workspace at once is more often a wrong file than a wish.

use crate::error::{Code, Error};
use crate::limits;
use crate::view::Summary;

/// What lets a change through that deactivates policies.
///
/// A change is held where it would deactivate more than a share of the active policies, once there are at least
/// [`limits::GUARDED_POLICIES`], or would leave none active at all. It then goes through only if the exact number of
/// deactivations was allowed: a share alone is no protection against the wrong manifest of a similar size.
///
/// ```
/// use lattice_core::{Guard, view::Summary};
///
/// let summary = Summary { deactivated: 5, unchanged: 7, ..Summary::default() };
/// let error = Guard::default().check(&summary).unwrap_err();
/// assert_eq!(error.code().as_str(), "DEACTIVATION_LIMIT");
/// assert_eq!(error.message(), "this would deactivate 5 of 12 active policies: 41.7 %, more than 30 %");
///
/// Guard::new(None, Some(5))?.check(&summary)?;
/// Guard::new(Some(50), None)?.check(&summary)?;
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    percent: u64,
    allowed: Option<u64>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            percent: limits::DEACTIVATION_PERCENT,
            allowed: None,
        }
    }
}

impl Guard {
    /// A guard that lets through what deactivates at most `percent` of the active policies (left out,
    /// [`limits::DEACTIVATION_PERCENT`]), or else exactly `allowed` of them.
    ///
    /// # Errors
    ///
    /// `USAGE` where `percent` is more than 100.
    pub fn new(percent: Option<u64>, allowed: Option<u64>) -> Result<Self, Error> {
        let percent = percent.unwrap_or(limits::DEACTIVATION_PERCENT);
        if percent > 100 {
            let message = format!("a deactivation threshold of {percent} % is none");
            return Err(Error::new(Code::Usage, message).with_help("give 0 to 100"));
        }
        Ok(Self { percent, allowed })
    }

    /// The share of active policies from which on deactivations are held, in percent.
    pub fn percent(&self) -> u64 {
        self.percent
    }

    /// The exact number of deactivations that goes through all the same.
    pub fn allowed(&self) -> Option<u64> {
        self.allowed
    }

    /// The guard with the lower of two thresholds; whoever allowed an exact number allowed it.
    #[must_use]
    pub fn at_most(self, percent: Option<u64>) -> Self {
        let percent = percent.map_or(self.percent, |percent| percent.min(self.percent));
        Self { percent, ..self }
    }

    /// What a reviewer should know of a change that goes through only because this guard is not the default one.
    pub fn note(&self, summary: &Summary) -> Option<String> {
        if self.check(summary).is_err() || Self::default().check(summary).is_ok() {
            return None;
        }
        let (off, before) = (summary.deactivated, summary.active());
        let why = match self.allowed {
            Some(allowed) if whole(allowed) == off => "that exact number is allowed".to_owned(),
            _ => format!("up to {} % may be", self.percent),
        };
        Some(format!(
            "{off} of {before} active policies are deactivated: {why}"
        ))
    }

    /// Lets a change through, or not.
    ///
    /// # Errors
    ///
    /// `DEACTIVATION_LIMIT`, with the numbers and how to go on.
    pub fn check(&self, summary: &Summary) -> Result<(), Error> {
        let (off, before) = (summary.deactivated, summary.active());
        let leaves_none = off == before && summary.added == 0;
        let held = off * 100 > before * whole(self.percent) && before >= limits::GUARDED_POLICIES;
        if off == 0 || !(held || leaves_none) || self.allowed.map(whole) == Some(off) {
            return Ok(());
        }
        let mut message = match (leaves_none, off) {
            (true, 1) => "this would deactivate the only active policy and leave none".to_owned(),
            (true, _) => format!("this would deactivate all {off} active policies and leave none"),
            (false, _) => format!(
                "this would deactivate {off} of {before} active policies: {}more than {} %",
                share(off, before, self.percent),
                self.percent
            ),
        };
        if let Some(allowed) = self.allowed {
            message.extend(["; ", &allowed.to_string(), " were allowed"]);
        }
        Err(Error::new(Code::DeactivationLimit, message).with_help(format!(
            "nothing was written; if that is what you want, allow exactly so many: `--allow-deactivations {off}`"
        )))
    }
}

/// A number that nobody comes near is as good as any that is not reached.
fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A share in percent, to a tenth, unless it then reads as the one that it is more than.
fn share(part: usize, of: usize, percent: u64) -> String {
    let tenths = (part * 1000 + of / 2) / of.max(1);
    if tenths == whole(percent) * 10 {
        return String::new();
    }
    format!("{}.{} %, ", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_what_goes_through() {
        // Active policies, deactivated and added ones, the share in percent, what is allowed, and the message.
        type Row = (usize, usize, usize, u64, Option<u64>, Option<&'static str>);
        let rows: [Row; 18] = [
            (0, 0, 0, 30, None, None),
            (10, 3, 0, 30, None, None),
            (
                10,
                4,
                0,
                30,
                None,
                Some("this would deactivate 4 of 10 active policies: 40.0 %, more than 30 %"),
            ),
            (
                10,
                4,
                9,
                30,
                None,
                Some("this would deactivate 4 of 10 active policies: 40.0 %, more than 30 %"),
            ),
            (9, 8, 0, 30, None, None),
            (9, 9, 1, 30, None, None),
            (
                9,
                9,
                0,
                30,
                None,
                Some("this would deactivate all 9 active policies and leave none"),
            ),
            (
                1,
                1,
                0,
                30,
                None,
                Some("this would deactivate the only active policy and leave none"),
            ),
            (10, 4, 0, 30, Some(4), None),
            (
                10,
                4,
                0,
                30,
                Some(5),
                Some(
                    "this would deactivate 4 of 10 active policies: 40.0 %, more than 30 %; 5 were allowed",
                ),
            ),
            (10, 3, 0, 30, Some(5), None),
            (9, 9, 0, 30, Some(9), None),
            (10, 4, 0, 40, None, None),
            (
                10,
                1,
                0,
                0,
                None,
                Some("this would deactivate 1 of 10 active policies: 10.0 %, more than 0 %"),
            ),
            (10, 10, 5, 100, None, None),
            (
                10_000,
                3_001,
                0,
                30,
                None,
                Some("this would deactivate 3001 of 10000 active policies: more than 30 %"),
            ),
            (
                10,
                10,
                0,
                100,
                None,
                Some("this would deactivate all 10 active policies and leave none"),
            ),
            (
                12,
                5,
                0,
                30,
                Some(u64::MAX),
                Some(
                    "this would deactivate 5 of 12 active policies: 41.7 %, more than 30 %; 18446744073709551615 were allowed",
                ),
            ),
        ];
        for (active, deactivated, added, percent, allowed, expected) in rows {
            let summary = Summary {
                added,
                deactivated,
                unchanged: active - deactivated,
                ..Summary::default()
            };
            let checked = Guard::new(Some(percent), allowed).unwrap().check(&summary);
            let message = checked.err().map(|error| error.message().to_owned());
            assert_eq!(message.as_deref(), expected, "{summary:?}");
        }
    }

    #[test]
    fn all_that_is_active_counts() {
        let summary = Summary {
            added: 7,
            modified: 1,
            deactivated: 4,
            unchanged: 2,
            untouched: 3,
        };
        assert_eq!(summary.active(), 10);
        assert!(Guard::default().check(&summary).is_err());
    }

    #[test]
    fn a_share_has_an_end() {
        let error = Guard::new(Some(101), None).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
        assert_eq!(error.message(), "a deactivation threshold of 101 % is none");
    }
}
