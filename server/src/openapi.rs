//! The OpenAPI document, made from the operations and the schemas of their documents.

use lattice_core::schema;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::answer::JSON;
use crate::operation::{self, Content, Kind, Method, Operation, Parameter, Schema, Scope};

/// The document as JSON text that ends in a newline.
pub fn document() -> String {
    let mut paths = Map::new();
    for operation in operation::all() {
        let entry = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = match operation.method {
            Method::Get => "get",
            Method::Post => "post",
        };
        if let Value::Object(entry) = entry {
            entry.insert(method.to_owned(), describe(operation));
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lattice",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Workspaces of governance policies. Every document is the one that `al --format json` prints.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "agent": bearer("An agent's key (`al_agent_…`), or a service key"),
                "service": bearer("A service key (`al_svc_…`)"),
                "admin": bearer("The admin key of the server (`al_admin_…`)"),
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn bearer(about: &str) -> Value {
    json!({"type": "http", "scheme": "bearer", "description": about})
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation),
        "security": match operation.scope {
            Scope::Open => json!([]),
            Scope::Agent => json!([{"agent": []}]),
            Scope::Service => json!([{"service": []}]),
            Scope::Admin => json!([{"admin": []}]),
        },
    });
    if let (Some(body), Value::Object(described)) = (&operation.body, &mut described) {
        described.insert(
            "requestBody".to_owned(),
            json!({"required": !body.optional, "content": content(body)}),
        );
    }
    described
}

fn parameters(operation: &Operation) -> Value {
    let path = operation.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match name {
            "seq" => json!({"type": "integer", "minimum": 0}),
            _ => json!({"type": "string", "minLength": 1}),
        };
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    });
    let query = operation.query.iter().map(parameter);
    let again = operation.again.then(|| {
        json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A text that no other request has, such as a UUID. The same request under the same key gets the same answer for a day, and is done once.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
        })
    });
    path.chain(query).chain(again).collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Flag => json!({"type": "boolean", "default": false}),
        Kind::Count => json!({"type": "integer", "minimum": 0}),
        Kind::Text => json!({"type": "string"}),
    };
    json!({"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema})
}

fn responses(operation: &Operation) -> Value {
    let error = |what: &str| {
        json!({
            "description": what,
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/error"}}},
        })
    };
    let mut responses = json!({
        "200": {"description": operation.summary, "content": content(&operation.answer)},
        "400": error("What was sent is wrong"),
        "503": error("The store cannot be reached, or the server has too much to do"),
    });
    let mut add = |status: &str, what: &str| {
        if let Value::Object(responses) = &mut responses {
            responses.insert(status.to_owned(), error(what));
        }
    };
    if operation.scope != Scope::Open {
        add("401", "The key does not open this");
        add("429", "Too many keys from there opened nothing");
    }
    if operation.body.is_some() {
        add("408", "The body took too long");
        add("413", "The body is too large");
    }
    if operation.scope == Scope::Service {
        add(
            "409",
            "The workspace or its log is not as it was taken to be",
        );
        add("422", "Refused by a safety rule");
    }
    responses
}

fn content(content: &Content) -> Value {
    let schema = match content.schema {
        Schema::Named(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
        Schema::Made(make) => without_dialect(make()),
        Schema::Text(about) => json!({"type": "string", "description": about}),
    };
    json!({content.media: {"schema": schema}})
}

/// The schemas that the operations name. Their own definitions stay inside them, with references to match.
fn schemas() -> Value {
    let name_of = |content: &Content| match content.schema {
        Schema::Named(name) => Some(name),
        Schema::Made(_) | Schema::Text(_) => None,
    };
    let names = operation::all()
        .flat_map(|operation| operation.body.iter().chain([&operation.answer]))
        .filter_map(name_of)
        .chain(["error"]);
    let schemas = names.filter_map(|name| {
        let mut schema = without_dialect(schema::find(Some(name)).ok()?);
        point_inside(&mut schema, &format!("#/components/schemas/{name}"));
        Some((name.to_owned(), schema))
    });
    Value::Object(schemas.collect())
}

/// The schema of a document that only the server reads, without definitions beside it.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn without_dialect(mut schema: Value) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.remove("$schema");
        schema.remove("$id");
    }
    schema
}

/// Makes references to the root of a schema ones to its place in the document.
fn point_inside(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        if let Some(inside) = reference.strip_prefix('#') {
                            *reference = format!("{place}{inside}");
                        }
                    }
                    other => point_inside(other, place),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                point_inside(item, place);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
