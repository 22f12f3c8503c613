//! Decisions as dicts. Most of a trace is the same for every action that the same policies decide about: it is made once
//! and copied. What depends on the action is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lattice_core::view::{self, PolicyResult, RuleResult};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use crate::output::{Answer, document};

/// What the decisions of one set of policies share, by level: of those that a program asked about.
#[derive(Default)]
pub(crate) struct Decisions(Mutex<HashMap<u32, Arc<Level>>>);

/// What every decision of a level has. Nobody else holds it.
struct Level {
    rules: Vec<Rule>,
    policies: Vec<Py<PyDict>>,
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
        let rules = level.rules.iter().zip(&decision.conditions_evaluated);
        let rules = rules.map(|(rule, result)| rule.document(py, result));
        let policies = level.policies.iter().zip(&decision.policies);
        let policies = policies.map(|(policy, result)| {
            let dict = policy.bind(py).copy()?;
            set_result(&dict, result.result)?;
            Ok(dict)
        });
        let dict = blank(py)?.copy()?;
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
        dict.set_item(intern!(py, "conditions_evaluated"), list(py, rules)?)?;
        dict.set_item(intern!(py, "policies"), list(py, policies)?)?;
        Ok(dict.into_any())
    }

    fn level(
        &self,
        py: Python<'_>,
        level: u32,
        decision: &view::Decision<'_>,
    ) -> PyResult<Arc<Level>> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(level) = known().get(&level) {
            return Ok(Arc::clone(level));
        }
        let rules = decision.conditions_evaluated.iter();
        let policies = decision.policies.iter();
        let made = Arc::new(Level {
            rules: rules
                .map(|rule| Rule::new(py, rule))
                .collect::<PyResult<_>>()?,
            policies: policies
                .map(|policy| constant(py, policy))
                .collect::<PyResult<_>>()?,
        });
        known().insert(level, Arc::clone(&made));
        Ok(made)
    }
}

impl Rule {
    fn new(py: Python<'_>, rule: &RuleResult<'_>) -> PyResult<Self> {
        let dict = PyDict::new(py);
        let expected = document(py, &rule.expected)?;
        dict.set_item(intern!(py, "policy"), &*rule.policy)?;
        dict.set_item(intern!(py, "field"), PyString::intern(py, &rule.field))?;
        dict.set_item(
            intern!(py, "operator"),
            PyString::intern(py, &rule.operator),
        )?;
        dict.set_item(intern!(py, "expected"), &expected)?;
        dict.set_item(intern!(py, "actual"), py.None())?;
        dict.set_item(intern!(py, "result"), true)?;
        dict.set_item(intern!(py, "reason"), py.None())?;
        Ok(Self {
            dict: dict.unbind(),
            list: expected.cast_into().ok().map(Bound::unbind),
        })
    }

    fn document<'py>(
        &self,
        py: Python<'py>,
        rule: &RuleResult<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let dict = self.dict.bind(py).copy()?;
        if let Some(list) = &self.list {
            let list = list.bind(py);
            dict.set_item(intern!(py, "expected"), list.get_slice(0, list.len()))?;
        }
        dict.set_item(intern!(py, "actual"), document(py, &rule.actual)?)?;
        set_result(&dict, rule.result)?;
        if let Some(reason) = &rule.reason {
            dict.set_item(intern!(py, "reason"), reason)?;
        }
        Ok(dict)
    }
}

/// What a policy of a trace says in every decision.
fn constant(py: Python<'_>, policy: &PolicyResult<'_>) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "name"), &*policy.name)?;
    dict.set_item(intern!(py, "result"), true)?;
    dict.set_item(intern!(py, "approval_required"), policy.approval_required)?;
    Ok(dict.unbind())
}

/// What is copied has true, which most rules and policies of a trace are.
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

/// A decision that says nothing, to be copied: its keys are in order, and there is room for them.
fn blank(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static BLANK: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let made = BLANK.get_or_try_init(py, || {
        let dict = PyDict::new(py);
        for key in [
            "status",
            "denial_reason",
            "policy_name",
            "approval_timeout_hours",
            "conditions_evaluated",
            "policies",
        ] {
            dict.set_item(PyString::intern(py, key), py.None())?;
        }
        PyResult::Ok(dict.unbind())
    });
    Ok(made?.bind(py))
}
