//! What is measured: policies and actions from a seed, the same in every run and for every peer.

use std::fmt::Write as _;

/// The seed of every input.
const SEED: u64 = 0x4c61_7474;

/// How many policies share an action type in a manifest.
const PER_TYPE: usize = 20;

/// `SplitMix64`: enough for inputs, and no dependency.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// What a rule asks of the branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Branch {
    /// The regex `^TEXT$`, which is an equality.
    Is(String),
    /// The regex `^TEXT`, which is a prefix.
    Under(String),
    /// A regex that is no comparison of literals.
    Like(String),
}

impl Branch {
    /// The regex.
    pub fn pattern(&self) -> String {
        match self {
            Branch::Is(text) => format!("^{text}$"),
            Branch::Under(text) => format!("^{text}"),
            Branch::Like(regex) => regex.clone(),
        }
    }
}

/// The condition that every engine evaluates: four rules, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What `branch` must look like.
    pub branch: Branch,
    /// `repo` is one of these.
    pub repos: Vec<String>,
    /// `pr_size` is less than this.
    pub size: u32,
    /// `ticket` starts with this.
    pub ticket: String,
}

impl Rules {
    /// The rules of the rows about one condition.
    pub fn example() -> Self {
        Rules {
            branch: Branch::Is("main".to_owned()),
            repos: ["acme/api", "acme/billing", "acme/web"]
                .map(str::to_owned)
                .to_vec(),
            size: 100,
            ticket: "OPS-".to_owned(),
        }
    }

    fn random(random: &mut Random) -> Self {
        let branch = match random.below(8) {
            0..=3 => Branch::Is(
                random
                    .pick(&["main", "master", "develop", "trunk"])
                    .to_owned(),
            ),
            4..=5 => Branch::Under(random.pick(&["release/", "hotfix/", "agent/"]).to_owned()),
            _ => Branch::Like(format!("^v[0-9]+\\.{}[0-9]*$", random.below(40))),
        };
        let first = random.below(90);
        Rules {
            branch,
            repos: (first..first + 3)
                .map(|n| format!("acme/service-{n:02}"))
                .collect(),
            size: 10 + u32::try_from(random.below(490)).unwrap_or(0),
            ticket: format!("{}-", random.pick(&["OPS", "SEC", "PAY", "WEB"])),
        }
    }

    /// Rules that the first of [`CONTEXTS`] meets.
    fn met(random: &mut Random) -> Self {
        let branch = match random.below(2) {
            0 => Branch::Is("main".to_owned()),
            _ => Branch::Under(random.pick(&["m", "ma", "mai"]).to_owned()),
        };
        let [before, after] = [random.below(900), random.below(900)];
        Rules {
            branch,
            repos: vec![
                format!("acme/api-{before:03}"),
                "acme/billing".to_owned(),
                format!("acme/web-{after:03}"),
            ],
            size: 13 + u32::try_from(random.below(500)).unwrap_or(0),
            ticket: random.pick(&["O", "OPS", "OPS-", "OPS-4"]).to_owned(),
        }
    }

    /// The conditions document in its canonical spelling.
    pub fn canonical(&self) -> String {
        let mut text = String::with_capacity(320);
        text.push_str("logic: all\nrules:\n  - field: branch\n    operator: regex\n    value: \"");
        text.push_str(&self.branch.pattern().replace('\\', "\\\\"));
        text.push_str("\"\n  - field: repo\n    operator: in\n    value:\n");
        for repo in &self.repos {
            let _ = writeln!(text, "      - \"{repo}\"");
        }
        let _ = write!(
            text,
            "  - field: pr_size\n    operator: lt\n    value: {}\n  - field: ticket\n    operator: starts_with\n    value: \"{}\"\n",
            self.size, self.ticket
        );
        text
    }

    /// The conditions document as people write it: on a line per rule.
    fn by_hand(&self) -> [String; 5] {
        [
            "logic: all".to_owned(),
            format!(
                "rules: [{{field: branch, operator: regex, value: '{}'}},",
                self.branch.pattern()
            ),
            format!(
                "  {{field: repo, operator: in, value: [{}]}},",
                self.repos.join(", ")
            ),
            format!("  {{field: pr_size, operator: lt, value: {}}},", self.size),
            format!(
                "  {{field: ticket, operator: starts_with, value: {}}}]",
                self.ticket
            ),
        ]
    }
}

/// A policy as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The action type it governs.
    pub action_type: String,
    /// Whether a human must approve.
    pub approval_required: bool,
    /// Hours until an approval expires.
    pub hours: u16,
    /// Globs of repositories.
    pub repos: Option<Vec<String>>,
    /// Globs of branches.
    pub branches: Option<Vec<String>>,
    /// Its conditions.
    pub rules: Option<Rules>,
}

impl Policy {
    fn random(random: &mut Random, index: usize, types: usize) -> Self {
        let team = random.pick(&[
            "billing", "checkout", "data", "identity", "mobile", "platform",
        ]);
        Policy {
            name: format!("{team}-{index:06}"),
            action_type: format!("deploy.service{:04}", random.below(types)),
            approval_required: random.below(2) == 0,
            hours: [4, 8, 24, 72][random.below(4)],
            repos: (random.below(2) == 0).then(|| vec![format!("acme/{team}-*")]),
            branches: (random.below(2) == 0).then(|| vec!["agent/**".into(), "main".into()]),
            rules: index.is_multiple_of(2).then(|| Rules::random(random)),
        }
    }
}

/// `count` policies in name order, every other one with conditions.
pub fn policies(count: usize) -> Vec<Policy> {
    let mut random = Random(SEED);
    let types = count.div_ceil(PER_TYPE);
    sorted(
        (0..count)
            .map(|index| Policy::random(&mut random, index, types))
            .collect(),
    )
}

/// `count` policies with conditions that differ and that the first of [`CONTEXTS`] meets, without a real regex; each of an
/// action type of its own, or all of `action_type`.
pub fn with_rules(count: usize, action_type: Option<&str>) -> Vec<Policy> {
    let mut random = Random(SEED);
    let mut policy = |index| Policy {
        name: format!("policy-{index:06}"),
        action_type: action_type.map_or_else(|| type_of(index), str::to_owned),
        approval_required: true,
        hours: 24,
        repos: None,
        branches: None,
        rules: Some(Rules::met(&mut random)),
    };
    (0..count).map(&mut policy).collect()
}

/// A policy with these rules and no others.
pub fn lone(rules: &Rules, action_type: &str) -> Vec<Policy> {
    let mut policies = with_rules(1, Some(action_type));
    for policy in &mut policies {
        policy.rules = Some(rules.clone());
    }
    policies
}

/// Numbers below `bound`, at random.
pub fn numbers(count: usize, bound: usize) -> Vec<usize> {
    let mut random = Random(SEED);
    (0..count).map(|_| random.below(bound)).collect()
}

/// The action type of a policy that has one of its own.
pub fn type_of(index: usize) -> String {
    format!("deploy.service{index:06}")
}

/// The policies after a change of `per_mille` of them: a quarter removed, a quarter added, half modified, of which
/// half in their conditions.
pub fn changed(policies: &[Policy], per_mille: usize) -> Vec<Policy> {
    let mut random = Random(!SEED);
    let added = policies.len() * per_mille / 4000;
    let mut after = Vec::with_capacity(policies.len() + added);
    let every = 4000 / per_mille;
    for (index, policy) in policies.iter().enumerate() {
        let mut policy = policy.clone();
        // Four places in each stretch of the list, all at different remainders.
        match index % every {
            0 => continue,
            1 | 2 => match &mut policy.rules {
                Some(rules) => rules.size += 500,
                None => policy.hours += 1,
            },
            _ => {}
        }
        after.push(policy);
    }
    let types = policies.len().div_ceil(PER_TYPE);
    after
        .extend((0..added).map(|index| Policy::random(&mut random, policies.len() + index, types)));
    sorted(after)
}

fn sorted(mut policies: Vec<Policy>) -> Vec<Policy> {
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    policies
}

/// The manifest in its canonical spelling. Knows that nothing in it needs quotes, which makes it the lower bound of
/// writing, too.
pub fn canonical(policies: &[Policy]) -> String {
    let mut text = String::with_capacity(policies.len() * 400);
    text.push_str("manifest_version: '1.0'\nexported_at: '2026-04-01T10:30:00.000Z'\norg_name: Acme\npolicies:\n");
    for policy in policies {
        let _ = write!(
            text,
            "  - name: {}\n    action_type: {}\n    approval_required: {}\n    approval_timeout_hours: {}\n",
            policy.name, policy.action_type, policy.approval_required, policy.hours
        );
        for (key, list) in [
            ("allowed_repos", &policy.repos),
            ("allowed_branches", &policy.branches),
        ] {
            match list {
                None => {
                    let _ = writeln!(text, "    {key}: null");
                }
                Some(globs) => {
                    let _ = writeln!(text, "    {key}:");
                    for glob in globs {
                        let _ = writeln!(text, "      - {glob}");
                    }
                }
            }
        }
        match &policy.rules {
            None => text.push_str("    conditions: null\n"),
            Some(rules) => {
                text.push_str("    conditions: |\n");
                for line in rules.canonical().lines() {
                    let _ = writeln!(text, "      {line}");
                }
            }
        }
    }
    text
}

/// The manifest as people write it: comments, flow lists, folded and quoted strings, other indentation and order.
pub fn by_hand(policies: &[Policy]) -> String {
    let mut text = String::with_capacity(policies.len() * 400);
    text.push_str("# Policies of Acme.\nmanifest_version: \"1.0\"\npolicies:\n");
    for (index, policy) in policies.iter().enumerate() {
        let list = |list: &Option<Vec<String>>| match list {
            None => "null".to_owned(),
            Some(globs) => {
                let quoted: Vec<_> = globs.iter().map(|glob| format!("'{glob}'")).collect();
                format!("[{}]", quoted.join(", "))
            }
        };
        if index % 5 == 0 {
            let _ = writeln!(
                text,
                "\n# Reviewed by the owners of {}.",
                policy.action_type
            );
        }
        let _ = write!(
            text,
            "- name: \"{}\"   # see the handbook\n  approval_required: {}\n  action_type: {}\n  approval_timeout_hours: {}\n  allowed_branches: {}\n  allowed_repos: {}\n",
            policy.name,
            policy.approval_required,
            policy.action_type,
            policy.hours,
            list(&policy.branches),
            list(&policy.repos)
        );
        conditions_by_hand(&mut text, policy.rules.as_ref(), index);
    }
    text
}

fn conditions_by_hand(text: &mut String, rules: Option<&Rules>, index: usize) {
    let Some(rules) = rules else {
        text.push_str("  conditions: null\n");
        return;
    };
    let lines = rules.by_hand();
    match index % 4 {
        // Folded, where an empty line is the one line break that is needed.
        0 => {
            let _ = writeln!(text, "  conditions: >-\n     {}\n", lines[0]);
            for line in &lines[1..] {
                let _ = writeln!(text, "     {}", line.trim());
            }
        }
        1 => {
            let whole = lines.join("\\n").replace('"', "\\\"");
            let whole = whole.replace("\\.", "\\\\.");
            let _ = writeln!(text, "  conditions: \"{whole}\"");
        }
        _ => {
            text.push_str("  conditions: |\n");
            for line in &lines {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
}

/// An action that meets [`Rules::example`], or misses it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Its branch.
    pub branch: &'static str,
    /// Its repository.
    pub repo: &'static str,
    /// Changed lines.
    pub pr_size: u32,
    /// Its ticket.
    pub ticket: &'static str,
    /// Whether all four rules hold.
    pub verdict: bool,
}

impl Context {
    /// The fields as a JSON object, as the peers take them.
    pub fn fields(&self) -> String {
        format!(
            r#"{{"branch": "{}", "repo": "{}", "pr_size": {}, "ticket": "{}", "author": "agent-7", "draft": false}}"#,
            self.branch, self.repo, self.pr_size, self.ticket
        )
    }

    /// The whole action as JSON.
    pub fn action(&self, action_type: &str) -> String {
        format!(
            r#"{{"action_type": "{action_type}", "metadata": {}}}"#,
            self.fields()
        )
    }
}

/// Eight actions: two that pass, then failures at each rule. The first is the one that is timed.
pub const CONTEXTS: [Context; 8] = [
    Context {
        branch: "main",
        repo: "acme/billing",
        pr_size: 12,
        ticket: "OPS-4711",
        verdict: true,
    },
    Context {
        branch: "main",
        repo: "acme/web",
        pr_size: 99,
        ticket: "OPS-",
        verdict: true,
    },
    Context {
        branch: "mainline",
        repo: "acme/api",
        pr_size: 12,
        ticket: "OPS-1",
        verdict: false,
    },
    Context {
        branch: "agent/x",
        repo: "acme/api",
        pr_size: 12,
        ticket: "OPS-1",
        verdict: false,
    },
    Context {
        branch: "main",
        repo: "acme/vault",
        pr_size: 12,
        ticket: "OPS-1",
        verdict: false,
    },
    Context {
        branch: "main",
        repo: "acme/api",
        pr_size: 100,
        ticket: "OPS-1",
        verdict: false,
    },
    Context {
        branch: "main",
        repo: "acme/api",
        pr_size: 12,
        ticket: "ops-1",
        verdict: false,
    },
    Context {
        branch: "",
        repo: "",
        pr_size: 5000,
        ticket: "",
        verdict: false,
    },
];
