//! `al fmt`: one text for one meaning, and no comment lost.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod styles;
