//! The two steps of compiling conditions, apart, for the performance suite.

use crate::error::Error;

use super::pattern::Patterns;
use super::{Conditions, in_one_piece, parse};

/// A conditions document, read and not yet looked into.
#[derive(Debug)]
pub struct Parsed<'t> {
    text: &'t str,
    document: parse::Document<'t>,
}

/// The first step.
///
/// # Errors
///
/// As for [`Conditions::parse`], where the form of the document is wrong.
pub fn read(text: &str) -> Result<Parsed<'_>, Error> {
    let document = in_one_piece(text, |sink| {
        parse::read(text, sink).filter(|_| sink.findings.errors() == 0)
    })?;
    Ok(Parsed { text, document })
}

/// The second step.
///
/// # Errors
///
/// As for [`Conditions::parse`], where the form of the document is right.
pub fn compile(parsed: &Parsed<'_>) -> Result<Conditions, Error> {
    let Parsed { text, document } = parsed;
    in_one_piece(text, |sink| {
        Conditions::of_document(text, document, &Patterns::default(), sink)
            .filter(|_| sink.findings.errors() == 0)
    })
}
