//! Between reading and meaning: fields of the right types, and the one place that checks and compiles them.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{AllowList, Policy, PolicySpec};
use crate::action_type;
use crate::condition::{Cache, Conditions, Glob, Refusal};
use crate::decode::{Reported, excerpt};
use crate::error::{Code, Lint};
use crate::findings::{Locate, Sink};
use crate::limits;
use crate::source::{Source, Span};

/// A value and where it stands.
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// An allow-list that is read: `None` for any, and in it `None` for an item that was reported.
pub(super) type Patterned<'s> = Result<Option<At<Vec<Option<At<&'s str>>>>>, Reported>;

/// The text of conditions, with the way from places in it to places in the file.
pub(super) struct Document<'s> {
    pub(super) text: &'s str,
    pub(super) places: Box<dyn Locate + 's>,
}

/// The fields of a policy; one that is missing or of the wrong type was reported, and is absent.
pub(super) struct Draft<'s> {
    pub(super) name: Option<At<&'s str>>,
    pub(super) action_type: Option<At<&'s str>>,
    pub(super) approval_required: Option<bool>,
    pub(super) approval_timeout_hours: Option<At<u16>>,
    pub(super) allowed_repos: Patterned<'s>,
    pub(super) allowed_branches: Patterned<'s>,
    pub(super) conditions: Result<Option<Document<'s>>, Reported>,
}

impl<'s> Draft<'s> {
    /// The fields of plain data, which stands in no file; places in conditions are places in their text.
    pub(super) fn of(spec: &'s PolicySpec) -> Self {
        fn at<T>(value: T) -> At<T> {
            At {
                value,
                span: Span::default(),
            }
        }
        let list = |list: &'s Option<Vec<String>>| -> Patterned<'s> {
            Ok(list
                .as_ref()
                .map(|texts| at(texts.iter().map(|text| Some(at(text.as_str()))).collect())))
        };
        Self {
            name: Some(at(&spec.name)),
            action_type: Some(at(&spec.action_type)),
            approval_required: Some(spec.approval_required),
            approval_timeout_hours: Some(at(spec.approval_timeout_hours)),
            allowed_repos: list(&spec.allowed_repos),
            allowed_branches: list(&spec.allowed_branches),
            conditions: Ok(spec.conditions.as_ref().map(|text| Document {
                text,
                places: Box::new(Source::new(text)),
            })),
        }
    }

    /// With a name, which stands apart from the fields.
    pub(super) fn named(self, name: &'s str, span: Span) -> Self {
        Self {
            name: Some(At { value: name, span }),
            ..self
        }
    }

    /// Checks every field and compiles the patterns and conditions. `label` names the policy in errors of its
    /// conditions.
    pub(super) fn compile(self, label: &str, cache: &Cache, sink: &mut Sink<'_>) -> Option<Policy> {
        let name = self.name.and_then(|name| {
            let checked = check_name(name.value);
            let fault = |message| sink.error(name.span, message);
            checked.map_err(fault).ok().map(|()| name.value.into())
        });
        let action_type = self.action_type.and_then(|text| action_type(&text, sink));
        let approval_timeout_hours = self
            .approval_timeout_hours
            .and_then(|hours| timeout(&hours, sink));
        let allowed_repos = allow_list("allowed_repos", self.allowed_repos, cache, sink);
        let allowed_branches = allow_list("allowed_branches", self.allowed_branches, cache, sink);
        let conditions = conditions(self.conditions, label, cache, sink);
        Some(Policy {
            name: name?,
            action_type: action_type?,
            approval_required: self.approval_required?,
            approval_timeout_hours: approval_timeout_hours?,
            allowed_repos: allowed_repos.ok()?,
            allowed_branches: allowed_branches.ok()?,
            conditions: conditions.ok()?,
        })
    }
}

/// Checks an action type.
pub(super) fn action_type(text: &At<&str>, sink: &mut Sink<'_>) -> Option<SmolStr> {
    let checked = action_type::check_pattern(text.value).map_err(|fault| {
        let help = "write segments joined by `.`, `TYPE.*` for everything below a type, or `*`";
        sink.error_help(text.span, format!("`action_type` {fault}"), help);
    });
    checked.ok().map(|()| text.value.into())
}

/// Checks a timeout.
pub(super) fn timeout(hours: &At<u16>, sink: &mut Sink<'_>) -> Option<u16> {
    if (1..=limits::APPROVAL_TIMEOUT_HOURS).contains(&hours.value) {
        return Some(hours.value);
    }
    let message = format!("{}, found the number `{}`", timeout_rule(), hours.value);
    sink.error_help(hours.span, message, TIMEOUT_HELP);
    None
}

/// Compiles conditions.
pub(super) fn conditions(
    document: Result<Option<Document<'_>>, Reported>,
    label: &str,
    cache: &Cache,
    sink: &mut Sink<'_>,
) -> Result<Option<Conditions>, Reported> {
    let Some(document) = document? else {
        return Ok(None);
    };
    let mut sink = Sink {
        code: Code::PolicyCompileError,
        policy: Some(label.to_owned()),
        text: &*document.places,
        findings: sink.findings,
    };
    let compiled = cache.conditions(document.text, &mut sink);
    compiled.map(Some).ok_or(Reported)
}

/// Checks and compiles an allow-list.
pub(super) fn allow_list(
    name: &str,
    list: Patterned<'_>,
    cache: &Cache,
    sink: &mut Sink<'_>,
) -> Result<Option<Arc<AllowList>>, Reported> {
    let Some(list) = list? else {
        return Ok(None);
    };
    if list.value.len() > limits::LIST_ITEMS {
        let message = format!("`{name}` has more than {} patterns", limits::LIST_ITEMS);
        sink.error_help(list.span, message, "use globs that cover several");
        return Err(Reported);
    }
    if list.value.is_empty() {
        sink.warning(
            Lint::EmptyAllowList,
            list.span,
            format!("`{name}` is empty: the policy admits nothing"),
            "write `null` to admit any, or list patterns",
        );
    }
    let items = list.value.len();
    let mut globs = Vec::with_capacity(items);
    for item in list.value.into_iter().flatten() {
        let glob = Glob::compile(item.value, cache);
        let fault = |refusal: Refusal| {
            sink.error_help(item.span, refusal.message, refusal.help);
        };
        globs.extend(glob.map_err(fault));
    }
    if globs.len() != items {
        return Err(Reported);
    }
    let size: usize = globs.iter().map(Glob::size).sum();
    if size > limits::COMPILED_PATTERNS_BYTES {
        let message = format!(
            "the patterns of `{name}` take more than {} bytes when compiled",
            limits::COMPILED_PATTERNS_BYTES
        );
        sink.error_help(list.span, message, "use shorter patterns, or fewer");
        return Err(Reported);
    }
    Ok(Some(cache.allow_list(globs)))
}

/// How a timeout is written.
pub(super) const TIMEOUT_HELP: &str = "write hours as a decimal integer, such as `24`";

/// What a timeout must be.
pub(super) fn timeout_rule() -> String {
    format!(
        "`approval_timeout_hours` must be an integer from 1 to {}, unquoted",
        limits::APPROVAL_TIMEOUT_HOURS
    )
}

/// Checks the name of a policy.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let chars = name.chars().count();
    if chars == 0 {
        return Err("a name must not be empty".to_owned());
    }
    if chars > limits::NAME_CHARS {
        return Err(format!(
            "a name has at most {} characters, this one has {chars}",
            limits::NAME_CHARS
        ));
    }
    let controls = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if let Some(bad) = name.chars().find(controls) {
        return Err(format!(
            "a name must not hold the control character U+{:04X}",
            u32::from(bad)
        ));
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Err(format!(
            "a name must not begin or end with white space, found `{}`",
            excerpt(name)
        ));
    }
    Ok(())
}

/// What a policy is called in findings: its name, or what of it is fit to be shown.
pub(crate) fn label(name: &str) -> String {
    match check_name(name) {
        Ok(()) => name.to_owned(),
        Err(_) => excerpt(name),
    }
}
