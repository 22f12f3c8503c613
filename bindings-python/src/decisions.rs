//! Decisions as dicts. Most of a trace is the same for every action that the same policies decide about: it is made once
//! and copied. What depends on the action is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lattice_core::view;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::output::{Answer, document};

/// Levels that are kept: those that a program asks about again and again. Each takes a few kilobytes.
const MOST: usize = 1024;

/// The decisions that one set of policies made first, by level.
#[derive(Default)]
pub(crate) struct Decisions(Mutex<HashMap<u32, Arc<First>>>);

/// What every decision of a level has. Nobody else holds it.
struct First {
    rules: Vec<Py<PyDict>>,
    policies: Vec<Py<PyDict>>,
}

impl Decisions {
    /// The document of a decision.
    pub(crate) fn document<'py>(
        &self,
        py: Python<'py>,
        level: u32,
        decision: &view::Decision<'_>,
    ) -> Answer<'py> {
        let Some(first) = self.first(py, level, decision)? else {
            return document(py, decision);
        };
        let rules = PyList::empty(py);
        for (first, rule) in first.rules.iter().zip(&decision.conditions_evaluated) {
            let dict = first.bind(py).copy()?;
            if let Some(expected) = rule.expected.as_deref().filter(|operand| operand.is_list()) {
                dict.set_item(intern!(py, "expected"), document(py, expected)?)?;
            }
            dict.set_item(intern!(py, "actual"), document(py, &rule.actual)?)?;
            dict.set_item(intern!(py, "result"), rule.result)?;
            dict.set_item(intern!(py, "reason"), rule.reason.as_deref())?;
            rules.append(dict)?;
        }
        let policies = PyList::empty(py);
        for (first, policy) in first.policies.iter().zip(&decision.policies) {
            let dict = first.bind(py).copy()?;
            dict.set_item(intern!(py, "result"), policy.result)?;
            policies.append(dict)?;
        }
        let dict = PyDict::new(py);
        dict.set_item(intern!(py, "status"), document(py, &decision.status)?)?;
        dict.set_item(
            intern!(py, "denial_reason"),
            decision.denial_reason.as_deref(),
        )?;
        dict.set_item(intern!(py, "policy_name"), decision.policy_name.as_deref())?;
        dict.set_item(
            intern!(py, "approval_timeout_hours"),
            decision.approval_timeout_hours,
        )?;
        dict.set_item(intern!(py, "conditions_evaluated"), rules)?;
        dict.set_item(intern!(py, "policies"), policies)?;
        Ok(dict.into_any())
    }

    fn first(
        &self,
        py: Python<'_>,
        level: u32,
        decision: &view::Decision<'_>,
    ) -> PyResult<Option<Arc<First>>> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = known().get(&level) {
            return Ok(Some(Arc::clone(first)));
        }
        if known().len() >= MOST {
            return Ok(None);
        }
        let first = Arc::new(First {
            rules: dicts(
                py,
                &decision.conditions_evaluated,
                &["actual", "result", "reason"],
            )?,
            policies: dicts(py, &decision.policies, &["result"])?,
        });
        known().insert(level, Arc::clone(&first));
        Ok(Some(first))
    }
}

/// The documents without what depends on the action.
fn dicts(
    py: Python<'_>,
    documents: &[impl serde::Serialize],
    changing: &[&str],
) -> PyResult<Vec<Py<PyDict>>> {
    let dict = |one| {
        let dict = document(py, one)?.cast_into::<PyDict>()?;
        for key in changing {
            dict.set_item(key, py.None())?;
        }
        Ok(dict.unbind())
    };
    documents.iter().map(dict).collect()
}
