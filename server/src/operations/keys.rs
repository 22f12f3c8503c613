//! Keys and circuit breakers, of the workspace of a service key or, to an admin, of any.

use lattice_core::view::KeyKind;
use lattice_core::{Breaker, Error, Number};
use lattice_workspace::{create_key, list_breakers, list_keys, revoke_key, set_breaker};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::call::{Call, usage};
use crate::openapi;
use crate::operation::{Content, Method, Operation, Run, Scope};

pub(crate) const OPERATIONS: &[Operation] = &[
    read(
        "key_list",
        "/v1/keys",
        Scope::Service,
        "key-list",
        "The keys of the workspace, without the keys themselves",
        list,
    ),
    write(
        "key_create",
        "/v1/keys",
        Scope::Service,
        Some(NEW_KEY),
        "key-create",
        "Make a key; the answer holds it, this once",
        create,
    ),
    write(
        "key_revoke",
        "/v1/keys/{id}/revoke",
        Scope::Service,
        None,
        "key",
        "Revoke a key: it opens nothing from now on",
        revoke,
    ),
    read(
        "breaker_list",
        "/v1/breakers",
        Scope::Service,
        "breakers",
        "The circuit breakers of the workspace",
        breakers,
    ),
    write(
        "breaker_set",
        "/v1/breakers",
        Scope::Service,
        Some(NEW_BREAKER),
        "breakers",
        "Set a circuit breaker",
        set,
    ),
    read(
        "workspace_key_list",
        "/v1/workspaces/{workspace}/keys",
        Scope::Admin,
        "key-list",
        "The keys of a workspace",
        list,
    ),
    write(
        "workspace_key_create",
        "/v1/workspaces/{workspace}/keys",
        Scope::Admin,
        Some(NEW_KEY),
        "key-create",
        "Make a key of a workspace",
        create,
    ),
    write(
        "workspace_key_revoke",
        "/v1/workspaces/{workspace}/keys/{id}/revoke",
        Scope::Admin,
        None,
        "key",
        "Revoke a key of a workspace",
        revoke,
    ),
    read(
        "workspace_breaker_list",
        "/v1/workspaces/{workspace}/breakers",
        Scope::Admin,
        "breakers",
        "The circuit breakers of a workspace",
        breakers,
    ),
    write(
        "workspace_breaker_set",
        "/v1/workspaces/{workspace}/breakers",
        Scope::Admin,
        Some(NEW_BREAKER),
        "breakers",
        "Set a circuit breaker of a workspace",
        set,
    ),
];

const NEW_KEY: Content = Content::request(openapi::of::<NewKey>);
const NEW_BREAKER: Content = Content::request(openapi::of::<NewBreaker>);

const fn read(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    answer: &'static str,
    summary: &'static str,
    run: Run,
) -> Operation {
    Operation {
        id,
        method: Method::Get,
        path,
        summary,
        scope,
        query: &[],
        body: None,
        answer: Content::document(answer),
        again: false,
        run,
    }
}

const fn write(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    body: Option<Content>,
    answer: &'static str,
    summary: &'static str,
    run: Run,
) -> Operation {
    Operation {
        method: Method::Post,
        body,
        ..read(id, path, scope, answer, summary, run)
    }
}

/// A key to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What it opens.
    kind: NewKind,
    /// Its name, for people.
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum NewKind {
    /// Reads and changes policies, reads the audit log.
    Service,
    /// Asks for decisions, and nothing else.
    Agent,
}

/// A circuit breaker to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBreaker {
    /// What it watches for.
    #[schemars(length(min = 1, max = 200))]
    anomaly_type: String,
    /// The score at which it trips, a number of 0 or more.
    #[schemars(with = "f64", range(min = 0))]
    score_threshold: Box<RawValue>,
    /// What happens then.
    #[schemars(length(min = 1, max = 200))]
    response_level: String,
}

fn list(call: &Call<'_>) -> Result<Answer, Error> {
    Answer::document(&list_keys(call.store, &call.caller()?)?)
}

fn create(call: &Call<'_>) -> Result<Answer, Error> {
    let new: NewKey = call.document()?;
    let kind = match new.kind {
        NewKind::Service => KeyKind::Service,
        NewKind::Agent => KeyKind::Agent,
    };
    let (caller, name) = (call.caller()?, new.name.as_deref());
    Answer::document(&create_key(call.store, &caller, kind, name, &call.ambient)?)
}

fn revoke(call: &Call<'_>) -> Result<Answer, Error> {
    let id = call.path.get("id").map_or("", String::as_str);
    Answer::document(&revoke_key(call.store, &call.caller()?, id, &call.ambient)?)
}

fn breakers(call: &Call<'_>) -> Result<Answer, Error> {
    Answer::document(&list_breakers(call.store, &call.caller()?)?)
}

fn set(call: &Call<'_>) -> Result<Answer, Error> {
    let new: NewBreaker = call.document()?;
    let threshold = Number::parse(new.score_threshold.get()).map_err(|error| {
        usage(
            &format!("the `score_threshold` {}", error.as_str()),
            "write a number of 0 or more",
        )
    })?;
    let breaker = Breaker::new(&new.anomaly_type, threshold, &new.response_level)?;
    Answer::document(&set_breaker(call.store, &call.caller()?, &breaker)?)
}
