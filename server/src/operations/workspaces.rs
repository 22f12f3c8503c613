//! Workspaces: one's own, and to an admin all of them.

use lattice_core::Error;
use lattice_workspace::{create_workspace, list_workspaces, show_workspace};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::Answer;
use crate::call::Call;
use crate::openapi;
use crate::operation::{Content, Method, Operation, Scope};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "workspace_show_own",
        method: Method::Get,
        path: "/v1/workspace",
        summary: "The workspace of the key",
        scope: Scope::Service,
        query: &[],
        body: None,
        answer: Content::document("workspace"),
        again: false,
        run: show,
    },
    Operation {
        id: "workspace_list",
        method: Method::Get,
        path: "/v1/workspaces",
        summary: "All workspaces, by name",
        scope: Scope::Admin,
        query: &[],
        body: None,
        answer: Content::document("workspace-list"),
        again: false,
        run: list,
    },
    Operation {
        id: "workspace_create",
        method: Method::Post,
        path: "/v1/workspaces",
        summary: "Make a workspace; the answer holds its first service key, this once",
        scope: Scope::Admin,
        query: &[],
        body: Some(Content::request(openapi::of::<NewWorkspace>)),
        answer: Content::document("workspace-create"),
        again: false,
        run: create,
    },
    Operation {
        id: "workspace_show",
        method: Method::Get,
        path: "/v1/workspaces/{workspace}",
        summary: "A workspace",
        scope: Scope::Admin,
        query: &[],
        body: None,
        answer: Content::document("workspace"),
        again: false,
        run: show,
    },
];

/// A workspace to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    /// Lower-case letters, digits and inner hyphens; unique in the store.
    #[schemars(regex(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    name: String,
    /// Organisation name, for people; left out, the name.
    #[serde(default)]
    org_name: Option<String>,
}

fn show(call: &Call<'_>) -> Result<Answer, Error> {
    Answer::document(&show_workspace(call.store, &call.caller()?)?)
}

fn list(call: &Call<'_>) -> Result<Answer, Error> {
    Answer::document(&list_workspaces(call.store)?)
}

fn create(call: &Call<'_>) -> Result<Answer, Error> {
    let new: NewWorkspace = call.document()?;
    let org_name = new.org_name.as_deref();
    Answer::document(&create_workspace(
        call.store,
        &new.name,
        org_name,
        &call.ambient,
    )?)
}
