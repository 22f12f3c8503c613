//! Sets of globs, as policies list what they admit.

use crate::value::{Operand, Scalar};

use super::glob::Glob;

/// A set of globs: sorted by text, without repeats.
#[derive(Debug, Clone)]
pub struct AllowList {
    globs: Box<[Glob]>,
    /// Their texts, as a trace shows them.
    operand: Operand,
}

impl AllowList {
    /// The set of globs that are sorted by text, without repeats.
    pub(super) fn of(globs: Vec<Glob>) -> Self {
        let texts = globs.iter().map(|glob| Scalar::String(glob.shared_text()));
        Self {
            operand: Operand::List(texts.collect()),
            globs: globs.into(),
        }
    }

    /// The globs, in the order of their texts.
    pub fn patterns(&self) -> &[Glob] {
        &self.globs
    }

    /// Their texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.globs.iter().map(Glob::text)
    }

    /// Their texts, as what a rule compares with.
    pub(crate) fn operand(&self) -> &Operand {
        &self.operand
    }
}

impl PartialEq for AllowList {
    fn eq(&self, other: &Self) -> bool {
        self.globs == other.globs
    }
}

impl Eq for AllowList {}
