//! What holds for every manifest, however it is written.

use lattice_core::{Manifest, format};
use proptest::prelude::*;

use crate::styles::{COMMENT, comment, model, write};

fn formatted(text: &[u8]) -> String {
    let shown = String::from_utf8_lossy(text);
    format(text)
        .unwrap_or_else(|error| panic!("{:#?}\n{shown}", error.diagnostics().collect::<Vec<_>>()))
}

fn parsed(text: &[u8]) -> Manifest {
    Manifest::parse(text).unwrap()
}

fn same_meaning(a: &Manifest, b: &Manifest) -> bool {
    let mut breakers = [a.breakers().to_vec(), b.breakers().to_vec()];
    for breakers in &mut breakers {
        breakers.sort_by(|a, b| a.anomaly_type.cmp(&b.anomaly_type));
    }
    a.policies() == b.policies()
        && a.exported_at() == b.exported_at()
        && a.org_name() == b.org_name()
        && breakers[0] == breakers[1]
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..400)
}

/// The comments that a text of [`crate::styles::write`] holds, sorted.
fn comments(text: &str) -> Vec<String> {
    let starts = text.split(COMMENT.0).skip(1);
    let mut found: Vec<String> = starts
        .filter_map(|rest| rest.split_once(COMMENT.1))
        .map(|(number, _)| comment(number))
        .collect();
    found.sort_unstable();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_meaning_has_one_text(model in model(), one in choices(), other in choices()) {
        let (one, _) = write(&model, &one, false);
        let (other, _) = write(&model, &other, false);
        let canonical = formatted(&one);
        prop_assert_eq!(&formatted(&other), &canonical);
        prop_assert_eq!(&formatted(canonical.as_bytes()), &canonical);
        prop_assert!(same_meaning(&parsed(&one), &parsed(canonical.as_bytes())), "{}", canonical);
    }

    #[test]
    fn comments_survive(model in model(), choices in choices()) {
        let (text, mut written) = write(&model, &choices, true);
        let canonical = formatted(&text);
        written.sort_unstable();
        let shown = String::from_utf8_lossy(&text);
        prop_assert_eq!(comments(&canonical), written, "{}\n---\n{}", shown, canonical);
        prop_assert_eq!(&formatted(canonical.as_bytes()), &canonical, "{}", shown);
        prop_assert!(same_meaning(&parsed(&text), &parsed(canonical.as_bytes())), "{}\n---\n{}", shown, canonical);
    }

    #[test]
    fn comments_move_nothing_else(model in model(), choices in choices()) {
        let (text, _) = write(&model, &choices, true);
        let (bare, _) = write(&model, &choices, false);
        let without: String = formatted(&text)
            .split_inclusive('\n')
            .filter_map(|line| match line.split_once(COMMENT.0) {
                None => Some(line.to_owned()),
                Some((before, _)) if before.trim().is_empty() => None,
                Some((before, _)) => Some(format!("{}
", before.trim_end())),
            })
            .collect();
        prop_assert_eq!(without, formatted(&bare));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Texts that no generator would write: pieces are put in anywhere, and what is accepted is formatted.
    #[test]
    fn whatever_is_accepted_keeps_its_meaning(
        model in model(),
        choices in choices(),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), piece()), 1..4),
    ) {
        let (text, _) = write(&model, &choices, true);
        let mut text = String::from_utf8(text).unwrap();
        for (at, piece) in pieces {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            text.insert_str(places[at.index(places.len())], piece);
        }
        let Ok(manifest) = Manifest::parse(text.as_bytes()) else {
            return Ok(());
        };
        let canonical = formatted(text.as_bytes());
        prop_assert!(same_meaning(&manifest, &parsed(canonical.as_bytes())), "{}\n---\n{}", text, canonical);
        prop_assert_eq!(&formatted(canonical.as_bytes()), &canonical, "{}", text);
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        "  ",
        "\n",
        "\n\n",
        "\r",
        "\t",
        " # x\n",
        "#",
        "\n# x\n",
        "\n      # x\n",
        "\n  ",
        ",",
        "? ",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "é",
        "+",
        ".0",
        "...\n",
        "---\n",
        "\\n",
        "''",
        "\\u0020",
    ])
}
