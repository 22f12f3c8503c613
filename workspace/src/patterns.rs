//! Allow-lists in a column: as JSON.

use std::borrow::Cow;

use lattice_core::AllowList;
use serde_json::Result;

/// A list as it is stored: a JSON array of its texts, in order.
pub(crate) fn write(list: &AllowList) -> Result<String> {
    let texts: Vec<&str> = list.texts().collect();
    serde_json::to_string(&texts)
}

/// The texts of a stored list, where they are if nothing in them is escaped.
pub(crate) fn read(json: &str) -> Result<Vec<Cow<'_, str>>> {
    if let Ok(texts) = serde_json::from_str::<Vec<&str>>(json) {
        return Ok(texts.into_iter().map(Cow::Borrowed).collect());
    }
    let texts: Vec<String> = serde_json::from_str(json)?;
    Ok(texts.into_iter().map(Cow::Owned).collect())
}

#[cfg(test)]
mod tests {
    use lattice_core::{PolicySet, PolicySpec};

    use super::*;

    #[test]
    fn a_list_reads_back() {
        let lists: [&[&str]; 5] = [&[], &["a"], &["a", "b"], &["a\"b", "c"], &["a,b", "ü"]];
        for texts in lists {
            let spec = PolicySpec {
                name: "a".to_owned(),
                action_type: "*".to_owned(),
                approval_required: true,
                approval_timeout_hours: 8,
                allowed_repos: Some(texts.iter().copied().map(str::to_owned).collect()),
                allowed_branches: None,
                conditions: None,
            };
            let set = PolicySet::compile([spec]).unwrap();
            let list = set.iter().next().and_then(|policy| policy.allowed_repos());
            assert_eq!(read(&write(list.unwrap()).unwrap()).unwrap(), texts);
        }
        for json in ["", "null", "[1]", "[null]", "[\"a\"", "\"a\""] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
