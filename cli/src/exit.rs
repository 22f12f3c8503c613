//! Exit codes: the same under every format.

use lattice_core::{Class, Error};

/// How a run ends. Where several apply, the first in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command line is wrong.
    Usage,
    /// An error.
    Error,
    /// Refused by a safety rule.
    Refused,
    /// Changes are pending; only where `--detailed-exitcode` asks for it.
    Changes,
    /// Done.
    Done,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Usage => 64,
            Exit::Error => 1,
            Exit::Refused => 3,
            Exit::Changes => 2,
            Exit::Done => 0,
        }
    }

    /// `Changes` if a detailed exit code was asked for and something would change.
    pub(crate) fn pending(detailed: bool, changes: bool) -> Self {
        if detailed && changes {
            Exit::Changes
        } else {
            Exit::Done
        }
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error.code().class() {
            Class::Usage => Exit::Usage,
            Class::Safety => Exit::Refused,
            Class::Input | Class::Auth | Class::Conflict | Class::Unavailable | Class::Internal => {
                Exit::Error
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lattice_core::Code;

    #[test]
    fn every_code_has_its_exit_code() {
        for &code in Code::ALL {
            let expected = match code.as_str() {
                "USAGE" => 64,
                "DEACTIVATION_LIMIT" | "LOOSENING_REFUSED" => 3,
                _ => 1,
            };
            let exit = Exit::from(&Error::new(code, "refused"));
            assert_eq!(exit.code(), expected, "{}", code.as_str());
        }
    }

    #[test]
    fn two_is_only_for_those_who_ask() {
        let rows = [
            (false, false, 0),
            (false, true, 0),
            (true, false, 0),
            (true, true, 2),
        ];
        for (detailed, changes, expected) in rows {
            assert_eq!(Exit::pending(detailed, changes).code(), expected);
        }
    }
}
