//! Several manifests become one.

use std::collections::{HashMap, HashSet};
use std::mem;

use super::{CheckedText, NamedText, accept};
use crate::breaker::Breaker;
use crate::decode::excerpt;
use crate::error::{Code, Diagnostic, Related};
use crate::limits;
use crate::manifest::{self, Manifest};
use crate::policy::{EntryRef, PolicySet};
use crate::source::Place;

/// What must be named once in all manifests together.
#[derive(Debug, Clone, Copy)]
enum What {
    Policy,
    Breaker,
}

/// A name that a manifest uses which one before it used already.
struct Duplicate<'m> {
    what: What,
    name: &'m str,
    /// Which manifests.
    first: usize,
    second: usize,
}

/// The manifest that holds the policies of all; `None`, and the reasons at their texts, if they do not go together or one
/// of them is none.
pub(super) fn merge(
    mut manifests: Vec<Option<Manifest>>,
    named: &[NamedText],
    texts: &mut [CheckedText],
) -> Option<Manifest> {
    if manifests.len() < 2 {
        return manifests.pop().flatten();
    }
    let duplicates = duplicates(&manifests);
    if !duplicates.is_empty() {
        report(&duplicates, named, texts);
        return None;
    }
    let manifests: Vec<Manifest> = manifests.into_iter().collect::<Option<_>>()?;
    let entries = manifests.iter().flat_map(|m| m.policies().entries());
    let policies = PolicySet::new(entries.map(EntryRef::cloned).collect());
    let breakers = manifests.iter().flat_map(|m| m.breakers().to_vec());
    let breakers: Vec<Breaker> = breakers.collect();
    let merged = Manifest::merged(
        agreed(manifests.iter().map(Manifest::exported_at)),
        agreed(manifests.iter().map(Manifest::org_name)).map(str::to_owned),
        policies,
        breakers,
    );
    accept(merged, texts.last_mut())
}

/// What all say alike.
fn agreed<T: PartialEq>(mut said: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = said.next()??;
    said.all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

fn duplicates(manifests: &[Option<Manifest>]) -> Vec<Duplicate<'_>> {
    let mut duplicates = Vec::new();
    for what in [What::Policy, What::Breaker] {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (second, manifest) in manifests.iter().enumerate() {
            for name in manifest.iter().flat_map(|manifest| names(what, manifest)) {
                if let Some(&first) = seen.get(name) {
                    duplicates.push(Duplicate {
                        what,
                        name,
                        first,
                        second,
                    });
                } else {
                    seen.insert(name, second);
                }
            }
        }
    }
    duplicates
}

fn names(what: What, manifest: &Manifest) -> Box<dyn Iterator<Item = &str> + '_> {
    match what {
        What::Policy => Box::new(manifest.policies().iter().map(|policy| policy.name())),
        What::Breaker => Box::new(manifest.breakers().iter().map(|b| &*b.anomaly_type)),
    }
}

/// Puts the duplicates beside the texts in which they are the second, each with its place in both.
fn report(all: &[Duplicate<'_>], named: &[NamedText], texts: &mut [CheckedText]) {
    let (duplicates, more) = all
        .split_at_checked(limits::DIAGNOSTICS)
        .unwrap_or((all, &[]));
    // Where names stand is found by reading the texts once more: it is asked for in this case alone.
    let places: Vec<[HashMap<String, Place>; 2]> = named
        .iter()
        .enumerate()
        .map(|(at, text)| {
            [What::Policy, What::Breaker].map(|wanted| {
                let here = duplicates.iter().filter(|duplicate| {
                    let same = mem::discriminant(&duplicate.what) == mem::discriminant(&wanted);
                    same && (duplicate.first == at || duplicate.second == at)
                });
                let used: HashSet<&str> = here.map(|duplicate| duplicate.name).collect();
                match wanted {
                    _ if used.is_empty() => HashMap::new(),
                    What::Policy => manifest::places_of_policies(&text.bytes, &used),
                    What::Breaker => manifest::places_of_breakers(&text.bytes, &used),
                }
            })
        })
        .collect();
    for duplicate in duplicates {
        let place = |at: usize| {
            let [policies, breakers] = places.get(at)?;
            let places = match duplicate.what {
                What::Policy => policies,
                What::Breaker => breakers,
            };
            places.get(duplicate.name).copied()
        };
        let shown = excerpt(duplicate.name);
        let (message, help) = match duplicate.what {
            What::Policy => (
                format!("duplicate policy name `{shown}`"),
                "rename one of the two, or remove it",
            ),
            What::Breaker => (
                format!("duplicate anomaly type `{shown}`"),
                "keep one of the two",
            ),
        };
        let mut diagnostic = Diagnostic::error(Code::InvalidManifest, message);
        diagnostic.policy = match duplicate.what {
            What::Policy => Some(duplicate.name.to_owned()),
            What::Breaker => None,
        };
        diagnostic.place = place(duplicate.second);
        diagnostic.help = Some(help.to_owned());
        diagnostic.related = vec![Related {
            message: "first used here".to_owned(),
            file: named
                .get(duplicate.first)
                .and_then(|text| text.file.clone()),
            place: place(duplicate.first),
        }];
        if let Some(text) = texts.get_mut(duplicate.second) {
            text.diagnostics.push(diagnostic);
        }
    }
    for text in &mut *texts {
        // What has no place says that there is more, and stands behind all that has.
        text.diagnostics
            .sort_by_key(|d| (d.place.is_none(), d.offset()));
    }
    if let (Some(text), false) = (texts.last_mut(), more.is_empty()) {
        let message = "more errors are not shown; mend these first";
        text.diagnostics
            .push(Diagnostic::error(Code::InvalidManifest, message));
    }
}
