//! The names that the policies of a manifest have so far.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::source::Span;

/// Names and where each was used first.
///
/// Of a name nothing is kept but its place, as long as it stands there just as it reads: there may be a million.
pub(super) struct Names<'a> {
    text: &'a str,
    hasher: RandomState,
    places: HashTable<At>,
    /// Names that are spelt otherwise than they read, such as with an escape.
    others: HashMap<String, Span, RandomState>,
    /// Whether each came behind all before it. Found while the names are at hand.
    in_order: bool,
    last: String,
}

/// A span in a manifest, which has less than 4 GiB.
#[derive(Clone, Copy)]
struct At {
    start: u32,
    end: u32,
}

impl At {
    fn new(span: Span) -> Option<Self> {
        Some(Self {
            start: span.start.try_into().ok()?,
            end: span.end.try_into().ok()?,
        })
    }

    fn span(self) -> Span {
        Span::new(self.start as usize, self.end as usize)
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            hasher: RandomState::default(),
            places: HashTable::new(),
            others: HashMap::default(),
            in_order: true,
            last: String::new(),
        }
    }

    /// Whether they came in order.
    pub(super) fn in_order(&self) -> bool {
        self.in_order
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() + self.others.len()
    }

    /// Adds the name at `place`, or returns where it was used first.
    pub(super) fn add(&mut self, name: &str, place: Span) -> Option<Span> {
        let text = self.text;
        let hash = self.hasher.hash_one(name);
        let same = |at: &At| without_quotes(text, at.span()) == name;
        let first = self.places.find(hash, same).map(|at| at.span());
        if let Some(first) = first.or_else(|| self.others.get(name).copied()) {
            return Some(first);
        }
        self.in_order &= *self.last <= *name;
        self.last.clear();
        self.last.push_str(name);
        match At::new(place).filter(same) {
            Some(at) => {
                let hash_of = |at: &At| self.hasher.hash_one(without_quotes(text, at.span()));
                self.places.insert_unique(hash, at, hash_of);
            }
            None => {
                self.others.insert(name.to_owned(), place);
            }
        }
        None
    }
}

/// The text of a scalar; quotes begin no other one.
fn without_quotes(text: &str, scalar: Span) -> &str {
    let raw = text.get(scalar.start..scalar.end).unwrap_or_default();
    let quotes = ['\'', '"'];
    let content = raw.strip_prefix(quotes);
    content
        .and_then(|content| content.strip_suffix(quotes))
        .unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_however_it_is_spelt() {
        let spellings = ["it's", "\"it's\"", "'it''s'", "\"it\\x27s\""];
        let text = spellings.concat();
        for first in spellings {
            let mut names = Names::new(&text);
            let place = |spelling: &str| {
                let start = text.find(spelling).unwrap();
                Span::new(start, start + spelling.len())
            };
            let first = place(first);
            assert_eq!(names.add("it's", first), None);
            assert_eq!(names.add("it", Span::at(0)), None);
            for again in spellings {
                assert_eq!(names.add("it's", place(again)), Some(first));
            }
        }
    }

    #[test]
    fn order_is_that_of_bytes() {
        let in_order = |spelt: &[&str]| {
            let mut names = Names::new("");
            for name in spelt {
                names.add(name, Span::at(0));
            }
            names.in_order()
        };
        assert!(in_order(&[]) && in_order(&["", "B", "a", "ab", "ß"]));
        assert!(!in_order(&["a", "B"]) && !in_order(&["a", "c", "b", "d"]));
    }

    #[test]
    fn many_names() {
        let text: String = (1000..3000).map(|n| n.to_string()).collect();
        let place = |n: usize| Span::new(4 * n, 4 * n + 4);
        let mut names = Names::new(&text);
        let name = |n: usize| (1000 + n).to_string();
        for n in 0..2000 {
            assert_eq!(names.add(&name(n), place(n)), None);
        }
        for n in 0..2000 {
            assert_eq!(names.add(&name(n), Span::at(0)), Some(place(n)));
        }
    }
}
