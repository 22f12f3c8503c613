//! Overlays and merged manifests: what comes of them, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use lattice_core::hash::{hex, sha256};
use lattice_core::{Bundle, Code, Error, Manifest, NamedText, PolicySpec};
use proptest::prelude::*;

const BASE: &str = "\
manifest_version: '1.0'
org_name: Acme
policies:
  - name: deploys
    action_type: deploy.*
    approval_required: false
    allowed_repos: null
    allowed_branches: [main]
    conditions: |
      logic: all
      rules:
        - {field: pr_size, operator: lt, value: 400}
  - name: reads
    action_type: db.read
    approval_required: false
    allowed_repos: null
    allowed_branches: null
    conditions: null
circuit_breakers_info:
  entries:
    - {anomaly_type: burst, score_threshold: 70, response_level: HALT}
";

fn text(file: &str, text: &str) -> NamedText {
    NamedText {
        file: Some(file.to_owned()),
        bytes: text.into(),
    }
}

/// The base manifest with overlays, whose versions are written for them.
fn with(overlays: &[&str]) -> Bundle {
    let named = overlays.iter().enumerate().map(|(at, overlay)| {
        let overlay = format!("overlay_version: '1.0'\npolicies:\n{overlay}");
        text(&format!("{}.yaml", at + 1), &overlay)
    });
    Bundle {
        manifests: vec![text("base.yaml", BASE)],
        overlays: named.collect(),
    }
}

/// Every error: place, code and policy, message, help, and what belongs to it.
fn errors(result: Result<Manifest, Error>) -> Vec<String> {
    let error = result.unwrap_err();
    let shown = error.diagnostics().map(|d| {
        let at = d
            .place
            .map_or("-".to_owned(), |p| format!("{}:{}", p.line, p.column));
        let file = d.file.as_deref().unwrap_or("-");
        let policy = d.policy.as_deref().unwrap_or("-");
        let help = d.help.as_deref().unwrap_or("-");
        let related = d.related.iter().map(|r| {
            let at = r
                .place
                .map_or("-".to_owned(), |p| format!("{}:{}", p.line, p.column));
            format!(" / {}:{at} {}", r.file.as_deref().unwrap_or("-"), r.message)
        });
        let related: String = related.collect();
        format!(
            "{file}:{at} {} [{policy}] {} ({help}){related}",
            d.kind.as_str(),
            d.message
        )
    });
    shown.collect()
}

fn spec(manifest: &Manifest, name: &str) -> PolicySpec {
    manifest.policies().get(name).unwrap().spec()
}

#[test]
fn an_overlay_sets_single_fields_removes_and_adds() {
    let bundle = with(&["  deploys:
    approval_required: true
    approval_timeout_hours: 4
    allowed_branches: null
    conditions: null
  reads:
    remove: true
  writes:
    new: true
    action_type: db.write
    approval_required: true
    allowed_repos: []
    allowed_branches: null
    conditions: null
"]);
    let base = Manifest::parse(BASE.as_bytes()).unwrap();
    let rendered = bundle.manifest().unwrap();
    assert_eq!(
        spec(&rendered, "deploys"),
        PolicySpec {
            approval_required: true,
            approval_timeout_hours: 4,
            allowed_branches: None,
            conditions: None,
            ..spec(&base, "deploys")
        }
    );
    assert_eq!(
        spec(&rendered, "writes"),
        PolicySpec {
            name: "writes".to_owned(),
            action_type: "db.write".to_owned(),
            approval_required: true,
            approval_timeout_hours: 8,
            allowed_repos: Some(Vec::new()),
            allowed_branches: None,
            conditions: None,
        }
    );
    let names: Vec<&str> = rendered
        .policies()
        .iter()
        .map(|policy| policy.name())
        .collect();
    assert_eq!(names, ["deploys", "writes"]);
    assert_eq!(
        (rendered.org_name(), rendered.breakers()),
        (Some("Acme"), base.breakers())
    );

    assert_eq!(rendered.sha256(), sha256(BASE.as_bytes()));
    let digest = sha256(rendered.to_text().as_bytes());
    assert_eq!(rendered.rendered_sha256(), Some(digest));
    assert_eq!(base.rendered_sha256(), None);
}

#[test]
fn overlays_apply_in_their_order() {
    let bundle = with(&[
        "  a: {new: true, action_type: a, approval_required: true, allowed_repos: null, allowed_branches: null, conditions: null}\n  reads: {remove: true}\n",
        "  a: {action_type: b}\n  deploys: {allowed_repos: [one]}\n",
        "  deploys: {allowed_repos: [two]}\n",
    ]);
    let rendered = bundle.manifest().unwrap();
    assert_eq!(spec(&rendered, "a").action_type, "b");
    assert_eq!(
        spec(&rendered, "deploys").allowed_repos,
        Some(vec!["two".to_owned()])
    );
    assert_eq!(rendered.policies().len(), 2);
}

#[test]
fn what_an_overlay_may_not_say() {
    let whole = "action_type: a, approval_required: true, allowed_repos: null, allowed_branches: null, conditions: null";
    let rows: Vec<(String, Vec<&str>)> = vec![
        (
            "  deploy: {approval_required: true}\n".into(),
            vec![
                "1.yaml:3:3 INVALID_MANIFEST [deploy] no policy is named `deploy` (did you mean `deploys`?)",
            ],
        ),
        (
            "  something-else: {remove: true}\n".into(),
            vec![
                "1.yaml:3:3 INVALID_MANIFEST [something-else] no policy is named `something-else` (check the name; `new: true` declares a policy that the manifest does not have)",
            ],
        ),
        (
            format!("  reads: {{new: true, {whole}}}\n"),
            vec![
                "1.yaml:3:3 INVALID_MANIFEST [reads] a policy is named `reads` already (leave out `new` to set fields of it)",
            ],
        ),
        (
            "  reads: {new: yes}\n".into(),
            vec![
                "1.yaml:3:10 INVALID_MANIFEST [reads] missing field `action_type` (add `action_type`)",
                "1.yaml:3:10 INVALID_MANIFEST [reads] missing field `approval_required` (add `approval_required`)",
                "1.yaml:3:10 INVALID_MANIFEST [reads] missing field `allowed_repos` (add `allowed_repos`)",
                "1.yaml:3:10 INVALID_MANIFEST [reads] missing field `allowed_branches` (add `allowed_branches`)",
                "1.yaml:3:10 INVALID_MANIFEST [reads] missing field `conditions` (add `conditions`)",
                "1.yaml:3:16 INVALID_MANIFEST [reads] `new` must be `true`, found `yes` (write `new: true`, or leave it out)",
            ],
        ),
        (
            "  reads: {remove: false}\n".into(),
            vec![
                "1.yaml:3:19 INVALID_MANIFEST [reads] `remove` must be `true`, found the boolean `false` (write `remove: true`, or leave it out)",
            ],
        ),
        (
            "  reads: {remove: true, approval_required: true}\n".into(),
            vec![
                "1.yaml:3:25 INVALID_MANIFEST [reads] `approval_required` beside `remove`: a policy that goes has no fields (keep one of the two)",
            ],
        ),
        (
            "  reads: {}\n".into(),
            vec![
                "1.yaml:3:10 INVALID_MANIFEST [reads] nothing is set here (give the fields to set, or `remove: true`)",
            ],
        ),
        (
            "  reads: {name: writes}\n".into(),
            vec![
                "1.yaml:3:11 INVALID_MANIFEST [reads] an overlay cannot rename a policy: the key above is its name (remove `name`)",
            ],
        ),
        (
            "  reads: {approval_requird: true}\n".into(),
            vec![
                "1.yaml:3:11 INVALID_MANIFEST [reads] unknown key `approval_requird` in an overlay's policy (did you mean `approval_required`?)",
            ],
        ),
        (
            "  reads:\n  deploys: {approval_timeout_hours: null}\n".into(),
            vec![
                "1.yaml:3:9 INVALID_MANIFEST [-] a value is missing here (write a value, or `null` where that is allowed, or remove the comment signs below it)",
                "1.yaml:4:37 INVALID_MANIFEST [deploys] `approval_timeout_hours` must be an integer from 1 to 8760, unquoted, found `null` (write hours as a decimal integer, such as `24`)",
            ],
        ),
        (
            "  reads: true\n  reads: {remove: true}\n".into(),
            vec![
                "1.yaml:3:10 INVALID_MANIFEST [reads] an overlay's policy must be a mapping, found the boolean `true` (write keys and values in its place)",
                "1.yaml:4:3 INVALID_MANIFEST [-] duplicate key `reads` (keep one of the two) / 1.yaml:3:3 first set here",
            ],
        ),
        (
            "  reads:\n    conditions: |\n      logic: al\n      rules: []\n".into(),
            vec![
                "1.yaml:5:14 POLICY_COMPILE_ERROR [reads] unknown logic `al` (did you mean `all`?)",
                "1.yaml:6:14 POLICY_COMPILE_ERROR [reads] `rules` is empty (list at least one rule, or write `conditions: null` for no conditions)",
            ],
        ),
        (
            "  - reads\n".into(),
            vec![
                "1.yaml:3:3 INVALID_MANIFEST [-] `policies` must be a mapping from names to what changes (`{}` for nothing), found a list (write `NAME:`, and below it the fields to set)",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (overlay, expected) in rows {
        let found = errors(with(&[&overlay]).manifest());
        if found != expected {
            wrong.push(format!("{overlay}  want {expected:#?}\n  got {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_frame_of_an_overlay() {
    let rows = [
        (
            "",
            "o.yaml:1:1 INVALID_MANIFEST [-] the overlay is empty (write at least `overlay_version: '1.0'` and `policies: {}`)",
        ),
        (
            "overlay_version: '2.0'\nother: 1\n",
            "o.yaml:1:18 UNSUPPORTED_MANIFEST_VERSION [-] overlay version `2.0` is not supported: this engine reads `1.0` (write the overlay for this version, or upgrade)",
        ),
        (
            "overlay_version: 1.0\npolicies: {}\n",
            "o.yaml:1:18 INVALID_MANIFEST [-] `overlay_version` must be a string, found the number `1.0` (quote it: `overlay_version: '1.0'`)",
        ),
        (
            "policies: {}\n",
            "o.yaml:1:1 INVALID_MANIFEST [-] missing field `overlay_version` (add `overlay_version`)",
        ),
        (
            "overlay_version: '1.0'\n",
            "o.yaml:1:1 INVALID_MANIFEST [-] missing field `policies` (add `policies`)",
        ),
        (
            "overlay_version: '1.0'\npolicy: {}\npolicies: {}\n",
            "o.yaml:2:1 INVALID_MANIFEST [-] unknown key `policy` in an overlay (did you mean `policies`?)",
        ),
        (
            BASE,
            "o.yaml:1:1 INVALID_MANIFEST [-] this is a manifest, not an overlay (name it as the manifest, and overlays with `--overlay`)",
        ),
        (
            "[]",
            "o.yaml:1:1 INVALID_MANIFEST [-] an overlay must be a mapping, found a list (begin with `overlay_version: '1.0'`)",
        ),
    ];
    for (overlay, expected) in rows {
        let bundle = Bundle {
            overlays: vec![text("o.yaml", overlay)],
            ..with(&[])
        };
        assert_eq!(errors(bundle.manifest()), [expected]);
    }
    let error = Manifest::parse(b"overlay_version: '1.0'\npolicies: {}\n").unwrap_err();
    assert_eq!(error.message(), "this is an overlay, not a manifest");
    let bundle = Bundle {
        overlays: vec![NamedText {
            file: Some("o.yaml".into()),
            bytes: b"overlay_version: '1.0'\n\xff".to_vec(),
        }],
        ..with(&[])
    };
    assert_eq!(
        errors(bundle.manifest()),
        [
            "o.yaml:2:1 INVALID_MANIFEST [-] the text is not UTF-8 from here on (save the file as UTF-8)"
        ]
    );
}

#[test]
fn the_errors_of_all_texts_come_in_one_run() {
    let mut bundle = with(&[
        "  nowhere: {approval_required: 1}\n",
        "  nowhere: {approval_required: 2}\n",
    ]);
    let bad = BASE.replace("approval_required: false", "approval_required: no");
    bundle.manifests = vec![text("base.yaml", &bad)];
    let places: Vec<String> = errors(bundle.manifest())
        .iter()
        .map(|error| error.split(' ').next().unwrap().to_owned())
        .collect();
    // Where the policies are not known, no name is unknown.
    assert_eq!(
        places,
        [
            "base.yaml:6:24",
            "base.yaml:15:24",
            "1.yaml:3:32",
            "2.yaml:3:32"
        ]
    );
}

fn part(name: &str, org: &str) -> String {
    BASE.replace("deploys", &format!("{name}-deploys"))
        .replace("reads", &format!("{name}-reads"))
        .replace("burst", &format!("{name}-burst"))
        .replace("Acme", org)
}

#[test]
fn several_manifests_become_one() {
    let bundle = |orgs: [&str; 2]| Bundle {
        manifests: vec![
            text("z.yaml", &part("z", orgs[0])),
            text("a.yaml", &part("a", orgs[1])),
        ],
        overlays: Vec::new(),
    };
    let merged = bundle(["Acme", "Acme"]).manifest().unwrap();
    let names: Vec<&str> = merged
        .policies()
        .iter()
        .map(|policy| policy.name())
        .collect();
    assert_eq!(names, ["a-deploys", "a-reads", "z-deploys", "z-reads"]);
    assert_eq!(
        (merged.org_name(), merged.breakers().len()),
        (Some("Acme"), 2)
    );
    assert_eq!(merged.sha256(), sha256(merged.to_text().as_bytes()));
    assert_eq!(merged.rendered_sha256(), None);
    assert_eq!(
        bundle(["Acme", "Other"]).manifest().unwrap().org_name(),
        None
    );
}

#[test]
fn a_name_in_two_manifests_is_shown_in_both() {
    let bundle = Bundle {
        manifests: vec![
            text("a.yaml", BASE),
            text("b.yaml", &part("b", "Acme")),
            text("c.yaml", BASE),
        ],
        overlays: Vec::new(),
    };
    assert_eq!(
        errors(bundle.manifest()),
        [
            "c.yaml:4:11 INVALID_MANIFEST [deploys] duplicate policy name `deploys` (rename one of the two, or remove it) / a.yaml:4:11 first used here",
            "c.yaml:13:11 INVALID_MANIFEST [reads] duplicate policy name `reads` (rename one of the two, or remove it) / a.yaml:13:11 first used here",
            "c.yaml:21:22 INVALID_MANIFEST [-] duplicate anomaly type `burst` (keep one of the two) / a.yaml:21:22 first used here",
        ]
    );
}

#[test]
fn what_is_too_much_is_said() {
    let none = Bundle {
        manifests: Vec::new(),
        overlays: Vec::new(),
    };
    assert_eq!(
        errors(none.manifest()),
        ["-:- INVALID_MANIFEST [-] no manifest is given (give one)"]
    );

    // As many errors as are shown, and that there are more.
    let policy = |n| {
        format!(
            "  - {{name: p{n}, action_type: t, approval_required: true, allowed_repos: null, allowed_branches: null, conditions: null}}\n"
        )
    };
    let many: String = (0..1_005).map(policy).collect();
    let many = format!("manifest_version: '1.0'\npolicies:\n{many}");
    let twice = Bundle {
        manifests: vec![text("a.yaml", &many), text("b.yaml", &many)],
        overlays: Vec::new(),
    };
    let found = errors(twice.manifest());
    assert_eq!(
        (found.len(), found.last().map(String::as_str)),
        (
            1_001,
            Some("b.yaml:- INVALID_MANIFEST [-] more errors are not shown; mend these first (-)")
        )
    );

    // A name that an earlier overlay added is one to be meant.
    let bundle = with(&[
        "  alerts: {new: true, action_type: a, approval_required: true, allowed_repos: null, allowed_branches: null, conditions: null}\n",
        "  alert: {approval_required: false}\n",
    ]);
    assert_eq!(
        errors(bundle.manifest()),
        ["2.yaml:3:3 INVALID_MANIFEST [alert] no policy is named `alert` (did you mean `alerts`?)"]
    );

    // A name and a field that are both wrong.
    let bundle = with(&["  nobody: {approval_required: 1}\n"]);
    let found = errors(bundle.manifest());
    assert_eq!(found.len(), 2);
    assert!(
        found[0].starts_with("1.yaml:3:3 INVALID_MANIFEST [nobody] no policy is named `nobody`"),
        "{found:?}"
    );

    // A name in two files, whatever is wrong with a third.
    let bad = BASE.replace("approval_required: false", "approval_required: no");
    let bundle = Bundle {
        manifests: vec![
            text("a.yaml", BASE),
            text("bad.yaml", &bad),
            text("c.yaml", BASE),
        ],
        overlays: Vec::new(),
    };
    let found = errors(bundle.manifest());
    let of = |file: &str| found.iter().filter(|error| error.starts_with(file)).count();
    assert_eq!([of("a.yaml"), of("bad.yaml"), of("c.yaml")], [0, 2, 3]);

    // A version decides, whatever stands behind it.
    let future = NamedText {
        file: Some("o.yaml".into()),
        bytes: b"overlay_version: '2.0'\n\xff".to_vec(),
    };
    let error = Bundle {
        overlays: vec![future],
        ..with(&[])
    }
    .manifest()
    .unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedManifestVersion);
}

/// A policy out of few values, so that overlays meet what is there.
fn policies() -> impl Strategy<Value = Vec<(String, String, bool, Option<Vec<String>>)>> {
    let name =
        prop::sample::select(vec!["a", "b'c", "d: e", "null", "ü", "- f"]).prop_map(str::to_owned);
    let kind = prop::sample::select(vec!["x", "x.*", "'*'"]).prop_map(str::to_owned);
    let list = prop::option::of(prop::collection::vec("[a-c]{1,2}", 0..3));
    prop::collection::btree_map(name, (kind, any::<bool>(), list), 0..5).prop_map(|all| {
        all.into_iter()
            .map(|(name, (kind, approval, list))| (name, kind, approval, list))
            .collect()
    })
}

fn list(list: Option<&Vec<String>>) -> String {
    list.map_or("null".to_owned(), |list| format!("[{}]", list.join(", ")))
}

fn fields((_, kind, approval, repos): &(String, String, bool, Option<Vec<String>>)) -> String {
    format!(
        "action_type: {kind}, approval_required: {approval}, approval_timeout_hours: 8, allowed_repos: {}, allowed_branches: null, conditions: null",
        list(repos.as_ref())
    )
}

fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

fn manifest_of(policies: &[(String, String, bool, Option<Vec<String>>)]) -> String {
    let items = policies
        .iter()
        .map(|policy| format!("  - {{name: {}, {}}}\n", quoted(&policy.0), fields(policy)));
    let items: String = items.collect();
    format!(
        "manifest_version: '1.0'\npolicies:{}\n{items}",
        if policies.is_empty() { " []" } else { "" }
    )
}

fn overlay_of(entries: &[String]) -> String {
    let policies = if entries.is_empty() {
        " {}\n".to_owned()
    } else {
        format!("\n{}", entries.concat())
    };
    format!("overlay_version: '1.0'\npolicies:{policies}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// An overlay that says all that differs makes one manifest of the other; one that says nothing changes nothing.
    #[test]
    fn an_overlay_leads_from_any_manifest_to_any_other(from in policies(), to in policies()) {
        let base = manifest_of(&from);
        let gone = from.iter().filter(|policy| to.iter().all(|other| other.0 != policy.0));
        let gone = gone.map(|policy| format!("  {}: {{remove: true}}\n", quoted(&policy.0)));
        let there = to.iter().map(|policy| {
            let new = if from.iter().any(|other| other.0 == policy.0) { "" } else { "new: true, " };
            format!("  {}: {{{new}{}}}\n", quoted(&policy.0), fields(policy))
        });
        let overlay = overlay_of(&gone.chain(there).collect::<Vec<_>>());
        let bundle = |overlay: &str| Bundle {
            manifests: vec![text("m", &base)],
            overlays: vec![text("o", overlay)],
        };
        let rendered = bundle(&overlay).manifest().unwrap();
        let wanted = Manifest::parse(manifest_of(&to).as_bytes()).unwrap();
        prop_assert_eq!(rendered.policies(), wanted.policies());
        prop_assert_eq!(hex(&rendered.policies().digest()), hex(&wanted.policies().digest()));

        let text = rendered.to_text();
        let again = Manifest::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(again.policies(), rendered.policies());
        prop_assert_eq!(Some(again.sha256()), rendered.rendered_sha256());
        prop_assert_eq!(again.to_text(), text);

        let same = bundle(&overlay_of(&[])).manifest().unwrap();
        let base = Manifest::parse(base.as_bytes()).unwrap();
        prop_assert_eq!(same.policies(), base.policies());
    }

    /// Without `new` no policy comes, whatever names an overlay has.
    #[test]
    fn nothing_is_added_by_accident(base in policies(), overlay in policies()) {
        let entries: Vec<String> = overlay
            .iter()
            .map(|policy| format!("  {}: {{{}}}\n", quoted(&policy.0), fields(policy)))
            .collect();
        let bundle = Bundle {
            manifests: vec![text("m", &manifest_of(&base))],
            overlays: vec![text("o", &overlay_of(&entries))],
        };
        let unknown = overlay.iter().filter(|policy| base.iter().all(|other| other.0 != policy.0)).count();
        match bundle.manifest() {
            Ok(rendered) => {
                prop_assert_eq!(unknown, 0);
                prop_assert_eq!(rendered.policies().len(), base.len());
            }
            Err(error) => {
                prop_assert_eq!(error.diagnostics().count(), unknown);
                prop_assert_eq!(error.code(), Code::InvalidManifest);
            }
        }
    }

    /// The order of merged manifests says nothing.
    #[test]
    fn merging_knows_no_order(policies in policies(), at in 0_usize..6) {
        let (left, right) = policies.split_at(at.min(policies.len()));
        let whole = Manifest::parse(manifest_of(&policies).as_bytes()).unwrap();
        for parts in [[left, right], [right, left]] {
            let bundle = Bundle {
                manifests: parts.iter().map(|part| text("m", &manifest_of(part))).collect(),
                overlays: Vec::new(),
            };
            let merged = bundle.manifest().unwrap();
            prop_assert_eq!(merged.policies(), whole.policies());
            prop_assert_eq!(merged.to_text(), whole.to_text());
        }
    }
}
