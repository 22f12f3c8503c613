//! Decisions as dicts. Most of a trace is the same for every action that the same policies decide about: where they decide
//! again, it is made once and copied. What depends on the action is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lattice_core::view::{self, PolicyResult, RuleResult, Status};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use crate::output::{Answer, document};

/// How many different heads are kept of a level.
const HEADS: usize = 8;

/// What the decisions of one set of policies share, by level: of those that decided more than once. Of those that decide
/// once, copies would be work in vain.
#[derive(Default)]
pub(crate) struct Decisions(Mutex<HashMap<u32, Option<Arc<Level>>>>);

/// What every decision of a level has. Nobody else holds it.
struct Level {
    heads: Mutex<Vec<Head>>,
    rules: Vec<Rule>,
    policies: Vec<Py<PyDict>>,
}

/// What decisions say before their traces: of a level, few different things.
struct Head {
    status: Status,
    denial_reason: Option<String>,
    policy_name: Option<String>,
    approval_timeout_hours: Option<u16>,
    dict: Py<PyDict>,
}

struct Rule {
    dict: Py<PyDict>,
    /// What is expected, if that is a list: each decision has one of its own.
    list: Option<Py<PyList>>,
}

impl Decisions {
    /// The document of a decision.
    pub(crate) fn document<'py>(
        &self,
        py: Python<'py>,
        level: u32,
        decision: &view::Decision<'_>,
    ) -> Answer<'py> {
        let level = self.level(py, level, decision)?;
        let level = level.as_deref();
        let rules = decision.conditions_evaluated.iter().enumerate();
        let rules = rules.map(|(at, result)| {
            let dict = match level.and_then(|level| level.rules.get(at)) {
                Some(rule) => rule.copy(py)?,
                None => constant_rule(py, result)?,
            };
            dict.set_item(intern!(py, "actual"), document(py, &result.actual)?)?;
            set_result(&dict, result.result)?;
            if let Some(reason) = &result.reason {
                dict.set_item(intern!(py, "reason"), reason)?;
            }
            Ok(dict)
        });
        let policies = decision.policies.iter().enumerate();
        let policies = policies.map(|(at, result)| {
            let dict = match level.and_then(|level| level.policies.get(at)) {
                Some(policy) => policy.bind(py).copy()?,
                None => constant_policy(py, result)?,
            };
            set_result(&dict, result.result)?;
            Ok(dict)
        });
        let dict = match level {
            Some(level) => level.head(py, decision)?,
            None => head(py, decision)?,
        };
        dict.set_item(intern!(py, "conditions_evaluated"), list(py, rules)?)?;
        dict.set_item(intern!(py, "policies"), list(py, policies)?)?;
        Ok(dict.into_any())
    }

    /// What is kept of a level; nothing where it decides for the first time.
    fn level(
        &self,
        py: Python<'_>,
        level: u32,
        decision: &view::Decision<'_>,
    ) -> PyResult<Option<Arc<Level>>> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().get(&level).cloned();
        let made = match known {
            Some(Some(level)) => return Ok(Some(level)),
            Some(None) => Some(Arc::new(Level::new(py, decision)?)),
            None => None,
        };
        kept().insert(level, made.clone());
        Ok(made)
    }
}

impl Level {
    fn new(py: Python<'_>, decision: &view::Decision<'_>) -> PyResult<Self> {
        let rules = decision.conditions_evaluated.iter();
        let rules = rules.map(|result| {
            let dict = constant_rule(py, result)?;
            let expected = dict.as_any().get_item(intern!(py, "expected"))?;
            Ok(Rule {
                dict: dict.unbind(),
                list: expected.cast_into().ok().map(Bound::unbind),
            })
        });
        let policies = decision.policies.iter();
        let policies = policies.map(|result| constant_policy(py, result).map(Bound::unbind));
        Ok(Self {
            heads: Mutex::default(),
            rules: rules.collect::<PyResult<_>>()?,
            policies: policies.collect::<PyResult<_>>()?,
        })
    }
}

impl Level {
    /// [`head`], of which some are kept.
    fn head<'py>(
        &self,
        py: Python<'py>,
        decision: &view::Decision<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let kept = || self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |heads: &[Head]| {
            let same = heads.iter().find(|head| head.is_of(decision));
            same.map(|head| head.dict.clone_ref(py))
        };
        let known = find(&kept());
        if let Some(head) = known {
            return head.bind(py).copy();
        }
        let dict = head(py, decision)?;
        if kept().len() < HEADS {
            let new = Head::new(decision, dict.copy()?.unbind());
            kept().push(new);
        }
        Ok(dict)
    }
}

impl Head {
    fn new(decision: &view::Decision<'_>, dict: Py<PyDict>) -> Self {
        Self {
            status: decision.status,
            denial_reason: decision.denial_reason.as_deref().map(str::to_owned),
            policy_name: decision.policy_name.as_deref().map(str::to_owned),
            approval_timeout_hours: decision.approval_timeout_hours,
            dict,
        }
    }

    fn is_of(&self, decision: &view::Decision<'_>) -> bool {
        self.status == decision.status
            && self.approval_timeout_hours == decision.approval_timeout_hours
            && self.denial_reason.as_deref() == decision.denial_reason.as_deref()
            && self.policy_name.as_deref() == decision.policy_name.as_deref()
    }
}

impl Rule {
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = self.dict.bind(py).copy()?;
        if let Some(list) = &self.list {
            let list = list.bind(py);
            dict.set_item(intern!(py, "expected"), list.get_slice(0, list.len()))?;
        }
        Ok(dict)
    }
}

/// What a decision says before its trace.
fn head<'py>(py: Python<'py>, decision: &view::Decision<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = blank_decision(py)?;
    dict.set_item(
        intern!(py, "status"),
        PyString::intern(py, decision.status.as_str()),
    )?;
    if let Some(reason) = decision.denial_reason.as_deref() {
        dict.set_item(intern!(py, "denial_reason"), PyString::intern(py, reason))?;
    }
    dict.set_item(intern!(py, "policy_name"), decision.policy_name.as_deref())?;
    if let Some(hours) = decision.approval_timeout_hours {
        dict.set_item(intern!(py, "approval_timeout_hours"), hours)?;
    }
    Ok(dict)
}

/// What a rule of a trace says in every decision.
fn constant_rule<'py>(py: Python<'py>, rule: &RuleResult<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = blank_rule(py)?;
    dict.set_item(intern!(py, "policy"), &*rule.policy)?;
    dict.set_item(intern!(py, "field"), PyString::intern(py, &rule.field))?;
    dict.set_item(
        intern!(py, "operator"),
        PyString::intern(py, &rule.operator),
    )?;
    dict.set_item(intern!(py, "expected"), document(py, &rule.expected)?)?;
    Ok(dict)
}

/// What a policy of a trace says in every decision.
fn constant_policy<'py>(
    py: Python<'py>,
    policy: &PolicyResult<'_>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "name"), &*policy.name)?;
    dict.set_item(intern!(py, "result"), true)?;
    dict.set_item(intern!(py, "approval_required"), policy.approval_required)?;
    Ok(dict)
}

/// There is true already, which most rules and policies of a trace are.
fn set_result(dict: &Bound<'_, PyDict>, result: Option<bool>) -> PyResult<()> {
    match result {
        Some(true) => Ok(()),
        other => dict.set_item(intern!(dict.py(), "result"), other),
    }
}

fn list<'py>(
    py: Python<'py>,
    dicts: impl Iterator<Item = PyResult<Bound<'py, PyDict>>>,
) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, dicts.collect::<PyResult<Vec<_>>>()?)
}

/// A decision that says nothing: its keys are in order, and there is room for them.
fn blank_decision(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    static BLANK: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let keys = [
        "status",
        "denial_reason",
        "policy_name",
        "approval_timeout_hours",
        "conditions_evaluated",
        "policies",
    ];
    let made = BLANK.get_or_try_init(py, || blank(py, &keys))?;
    made.bind(py).copy()
}

/// The same of a rule, but that its result is true.
fn blank_rule(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    static BLANK: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let keys = [
        "policy", "field", "operator", "expected", "actual", "result", "reason",
    ];
    let made = BLANK.get_or_try_init(py, || {
        let dict = blank(py, &keys)?;
        dict.bind(py).set_item(intern!(py, "result"), true)?;
        PyResult::Ok(dict)
    })?;
    made.bind(py).copy()
}

fn blank(py: Python<'_>, keys: &[&str]) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    for key in keys {
        dict.set_item(PyString::intern(py, key), py.None())?;
    }
    Ok(dict.unbind())
}
