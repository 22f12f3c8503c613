//! The operations: one table, from which come the routes, their guards and the OpenAPI document.

use lattice_core::Error;
use serde_json::Value;

use crate::answer::Answer;
use crate::call::Call;
use crate::operations::{audit, health, keys, policies, rows, workspaces};

/// What the server does at a path.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its name in the document, in metrics and logs.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) scope: Scope,
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Option<Content>,
    pub(crate) answer: Content,
    /// Whether it may be asked for again with the same `Idempotency-Key`.
    pub(crate) again: bool,
    pub(crate) run: Run,
}

/// Does the work. It may wait: for the store, and for its turn.
pub(crate) type Run = fn(&Call<'_>) -> Result<Answer, Error>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// The key that opens an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// None.
    Open,
    /// An agent's or a service key.
    Agent,
    /// A service key.
    Service,
    /// The admin key of the server.
    Admin,
}

/// A parameter of the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) about: &'static str,
}

/// What a parameter says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Flag,
    Count,
    Text,
}

/// A body.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) media: &'static str,
    pub(crate) schema: Schema,
    /// Of a request's body, whether it may be left out.
    pub(crate) optional: bool,
}

/// What a body looks like.
#[derive(Debug)]
pub(crate) enum Schema {
    /// The schema of that name (`al schema NAME`).
    Named(&'static str),
    /// A document that only the server reads.
    Made(fn() -> Value),
    /// A text, for what it is.
    Text(&'static str),
}

/// Every operation.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    [
        policies::OPERATIONS,
        audit::OPERATIONS,
        keys::OPERATIONS,
        workspaces::OPERATIONS,
        rows::OPERATIONS,
        health::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

impl Content {
    /// The document of that schema.
    pub(crate) const fn document(schema: &'static str) -> Self {
        Self {
            media: crate::answer::JSON,
            schema: Schema::Named(schema),
            optional: false,
        }
    }

    /// A manifest; what is hashed are its bytes as they are sent.
    pub(crate) const fn manifest() -> Self {
        Self {
            media: crate::answer::YAML,
            ..Self::document("manifest")
        }
    }

    /// A document that only the server reads.
    pub(crate) const fn request(make: fn() -> Value) -> Self {
        Self {
            media: crate::answer::JSON,
            schema: Schema::Made(make),
            optional: false,
        }
    }

    /// A text.
    pub(crate) const fn text(media: &'static str, about: &'static str) -> Self {
        Self {
            media,
            schema: Schema::Text(about),
            optional: false,
        }
    }

    /// The same where it may be left out.
    pub(crate) const fn or_none(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }
}

/// Parameters that several operations share.
pub(crate) const EXPECT_WORKSPACE: Parameter = Parameter {
    name: "expect_workspace",
    kind: Kind::Text,
    about: "The name of the workspace that the key has to open",
};
pub(crate) const FILE: Parameter = Parameter {
    name: "file",
    kind: Kind::Text,
    about: "What documents call the manifest",
};
pub(crate) const REPLACE: Parameter = Parameter {
    name: "replace",
    kind: Kind::Flag,
    about: "Deactivate policies that the manifest does not name",
};
pub(crate) const DRY_RUN: Parameter = Parameter {
    name: "dry_run",
    kind: Kind::Flag,
    about: "Show what would change, and write nothing",
};
pub(crate) const ALLOW_DEACTIVATIONS: Parameter = Parameter {
    name: "allow_deactivations",
    kind: Kind::Count,
    about: "The exact number of deactivations that goes through, however many they are",
};
pub(crate) const DEACTIVATION_THRESHOLD: Parameter = Parameter {
    name: "deactivation_threshold",
    kind: Kind::Count,
    about: "The share of active policies that may be deactivated without that, in percent",
};
pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: Kind::Count,
    about: "How many items the page holds at most: 1 to 1000",
};
