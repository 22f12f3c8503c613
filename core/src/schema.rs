//! JSON Schemas of what goes in and what comes out, generated from the types and tables that do the work.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::condition::{Operator, ValueType};
use crate::error::{Code, Error};
use crate::{breaker, bundle, limits, manifest, policy, view};

type Make = fn() -> Value;

/// Every schema: its name, what it describes, and how it is made.
const SCHEMAS: &[(&str, Make)] = &[
    ("manifest", manifest_schema),
    ("overlay", overlay_schema),
    ("conditions", conditions_schema),
    ("action", action_schema),
    ("error", of::<view::ErrorDocument>),
    ("validate", of::<view::Validation>),
    ("manifest-document", of::<view::Manifest>),
    ("fmt", of::<view::Formatted>),
    ("plan", of::<view::Plan>),
    ("saved-plan", of::<view::SavedPlan>),
    ("eval", of::<view::Decision>),
    ("evaluation", of::<view::Evaluation>),
    ("audit-event", of::<view::Event>),
    ("audit-list", of::<view::EventPage>),
    ("history", of::<view::History>),
    ("audit-verify", of::<view::Verification>),
    ("audit-checkpoint", of::<view::Checkpoint>),
    ("audit-prove", of::<view::Proof>),
    ("audit-check", of::<view::CheckedProof>),
    ("audit-consistency", of::<view::Consistency>),
    ("audit-cosign", of::<view::Cosigned>),
    ("audit-rotate-key", of::<view::RotatedKey>),
    ("audit-restart", of::<view::RestartedLog>),
    ("audit-keygen", of::<view::AuditKey>),
    ("workspace-create", of::<view::CreatedWorkspace>),
    ("workspace-list", of::<view::Workspaces>),
    ("workspace", of::<view::Workspace>),
    ("key-create", of::<view::CreatedKey>),
    ("key-list", of::<view::Keys>),
    ("key", of::<view::Key>),
    ("breakers", of::<view::Breakers>),
    ("schema-list", of::<view::SchemaNames>),
];

/// The names of all schemas: what is read first, then the documents that come out.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(name, _)| *name)
}

/// A schema as JSON text that ends in a newline; `None` if there is none of that name.
///
/// ```
/// let schema = lattice_core::schema::get("manifest").unwrap();
/// assert!(schema.contains("approval_timeout_hours"));
/// ```
pub fn get(name: &str) -> Option<String> {
    let mut text = serde_json::to_string_pretty(&find(Some(name)).ok()?).ok()?;
    text.push('\n');
    Some(text)
}

/// A schema as JSON, that of manifests where none is named.
///
/// # Errors
///
/// `USAGE` for a name that [`names`] does not have.
pub fn find(name: Option<&str>) -> Result<Value, Error> {
    let name = name.unwrap_or("manifest");
    let known = SCHEMAS.iter().find(|(known, _)| *known == name);
    known.map(|(_, make)| make()).ok_or_else(|| unknown(name))
}

/// The error for a name that no schema has.
pub fn unknown(name: &str) -> Error {
    let names: Vec<&str> = names().collect();
    Error::new(Code::Usage, format!("there is no schema `{name}`"))
        .with_help(format!("name one of {}", names.join(", ")))
}

/// The schema of a view type, as it is written: every key is there.
fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The fields of a policy, and which of them are required.
fn policy_fields() -> (Map<String, Value>, [&'static str; 6]) {
    let [
        name,
        action_type,
        approval_required,
        timeout,
        repos,
        branches,
        conditions,
    ] = policy::FIELDS;
    let allow_list = |what: &str| {
        json!({
            "description": format!("{what} that the policy admits: globs, or null for any. [] admits nothing."),
            "type": ["array", "null"],
            "maxItems": limits::LIST_ITEMS,
            "items": {"type": "string", "minLength": 1},
        })
    };
    let fields = json!({
        name: {
            "description": "The identity of the policy across environments; unique in the manifest.",
            "type": "string",
            "minLength": 1,
            "maxLength": limits::NAME_CHARS,
        },
        action_type: {
            "description": "An action type, `TYPE.*` for everything below it, or `*`.",
            "type": "string",
            "maxLength": limits::ACTION_TYPE_BYTES,
            "pattern": r"^(\*|[!-)+-\-/-~]+(\.[!-)+-\-/-~]+)*(\.\*)?)$",
        },
        approval_required: {"description": "Whether a human must approve.", "type": "boolean"},
        timeout: {
            "description": "Hours until an approval expires, which is a denial.",
            "type": "integer",
            "minimum": 1,
            "maximum": limits::APPROVAL_TIMEOUT_HOURS,
            "default": limits::DEFAULT_APPROVAL_TIMEOUT_HOURS,
        },
        repos: allow_list("Repositories"),
        branches: allow_list("Branches"),
        conditions: {
            "description": "A YAML conditions document as text (write `|`), or null for none.",
            "type": ["string", "null"],
            "minLength": 1,
            "contentMediaType": "application/yaml",
        },
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    let required = [
        name,
        action_type,
        approval_required,
        repos,
        branches,
        conditions,
    ];
    (fields, required)
}

fn manifest_schema() -> Value {
    let [version, exported_at, org_name, policies, breakers] = manifest::FIELDS;
    let [note, entries] = breaker::INFO_FIELDS;
    let [anomaly_type, score_threshold, response_level] = breaker::FIELDS;
    let label = json!({"type": "string", "minLength": 1, "maxLength": limits::NAME_CHARS});
    let (fields, required) = policy_fields();
    let policy = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": fields,
    });
    let breaker = json!({
        "type": "object",
        "additionalProperties": false,
        "required": [anomaly_type, score_threshold, response_level],
        "properties": {
            anomaly_type: label,
            score_threshold: {"type": "number", "minimum": 0},
            response_level: label,
        },
    });
    json!({
        "$schema": DIALECT,
        "title": "Manifest",
        "description": "Governance policies on their way from one workspace to another.",
        "type": "object",
        "additionalProperties": false,
        "required": [version, policies],
        "properties": {
            version: {"description": "Quoted.", "const": crate::version::VERSION},
            exported_at: {"type": ["string", "null"], "format": "date-time"},
            org_name: {"description": "Information, never identity.", "type": ["string", "null"]},
            policies: {"type": "array", "maxItems": limits::POLICIES, "items": policy},
            breakers: {
                "description": "For reference only: never applied.",
                "type": "object",
                "additionalProperties": false,
                "required": [entries],
                "properties": {
                    note: {"type": ["string", "null"]},
                    entries: {"type": "array", "items": breaker},
                },
            },
        },
    })
}

fn overlay_schema() -> Value {
    let [version, policies] = bundle::OVERLAY_FIELDS;
    let (mut fields, required) = policy_fields();
    let [name, ..] = policy::FIELDS;
    let name = fields.remove(name);
    let confirmed = json!({"const": true});
    let set = json!({
        "description": "These fields are replaced, each as a whole.",
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": fields.clone(),
    });
    fields.insert("new".to_owned(), confirmed.clone());
    let required = required.into_iter().skip(1).chain(["new"]);
    let add = json!({
        "description": "A policy that the manifest does not have.",
        "type": "object",
        "additionalProperties": false,
        "required": required.collect::<Vec<_>>(),
        "properties": fields,
    });
    let remove = json!({
        "description": "The policy goes.",
        "type": "object",
        "additionalProperties": false,
        "required": ["remove"],
        "properties": {"remove": confirmed},
    });
    json!({
        "$schema": DIALECT,
        "title": "Overlay",
        "description": "What is different in one environment, by the names of policies.",
        "type": "object",
        "additionalProperties": false,
        "required": [version, policies],
        "properties": {
            version: {"description": "Quoted.", "const": crate::version::VERSION},
            policies: {
                "type": "object",
                "propertyNames": name,
                "additionalProperties": {"anyOf": [set, add, remove]},
            },
        },
    })
}

fn conditions_schema() -> Value {
    let mut comparisons: Vec<(ValueType, Vec<&str>)> = Vec::new();
    for operator in Operator::ALL {
        let words = std::iter::once(operator.name()).chain(operator.aliases().iter().copied());
        let value_type = operator.value_type();
        match comparisons
            .iter_mut()
            .find(|(known, _)| *known == value_type)
        {
            Some((_, operators)) => operators.extend(words),
            None => comparisons.push((value_type, words.collect())),
        }
    }
    let mut rules: Vec<Value> = comparisons.into_iter().map(comparison_schema).collect();
    rules.push(json!({"$ref": "#/$defs/group"}));
    json!({
        "$schema": DIALECT,
        "title": "Conditions",
        "description": "When a policy grants: rules over the fields of an action.",
        "$ref": "#/$defs/group",
        "$defs": {
            "group": {
                "type": "object",
                "additionalProperties": false,
                "required": ["logic", "rules"],
                "properties": {
                    "logic": {"enum": ["all", "any", "none"]},
                    "rules": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": limits::RULES,
                        "items": {"oneOf": rules},
                    },
                },
            },
            "field": {
                "description": "A path: segments joined by `.`; a segment in double quotes may hold dots.",
                "type": "string",
                "minLength": 1,
            },
            "scalar": {"type": ["string", "number", "boolean"]},
        },
    })
}

/// A comparison whose operator takes a value of one type.
fn comparison_schema((value_type, operators): (ValueType, Vec<&str>)) -> Value {
    let list = |items: Value| json!({"type": "array", "minItems": 1, "maxItems": limits::LIST_ITEMS, "items": items});
    let text = json!({"type": "string"});
    let value = match value_type {
        ValueType::None => None,
        ValueType::Scalar => Some(json!({"$ref": "#/$defs/scalar"})),
        ValueType::ScalarList => Some(list(json!({"$ref": "#/$defs/scalar"}))),
        ValueType::Number => Some(json!({"type": "number"})),
        ValueType::String | ValueType::Version => Some(text),
        ValueType::StringList => Some(list(text)),
        ValueType::Regex => Some(json!({"type": "string", "format": "regex"})),
        ValueType::Glob => Some(json!({"type": "string", "minLength": 1})),
        ValueType::Time => Some(json!({"type": "string", "format": "date-time"})),
        ValueType::CidrOrList => Some(json!({"anyOf": [text, list(text.clone())]})),
    };
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["field", "operator"],
        "properties": {
            "field": {"$ref": "#/$defs/field"},
            "operator": {"enum": operators},
        },
    });
    if let (Some(value), Some(schema)) = (value, schema.as_object_mut()) {
        schema.insert("required".to_owned(), json!(["field", "operator", "value"]));
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("value".to_owned(), value);
        }
    }
    schema
}

fn action_schema() -> Value {
    json!({
        "$schema": DIALECT,
        "title": "Action",
        "description": "What an agent wants to do.",
        "type": "object",
        "additionalProperties": false,
        "required": ["action_type"],
        "properties": {
            "action_type": {
                "description": "Segments joined by `.`; never a pattern.",
                "type": "string",
                "maxLength": limits::ACTION_TYPE_BYTES,
                "pattern": r"^[!-)+-\-/-~]+(\.[!-)+-\-/-~]+)*$",
            },
            "metadata": {"description": "What condition paths read; `repo` and `branch` are here.", "type": "object"},
            "data_accessed": {"type": "array"},
            "timestamp": {"description": "Ignored."},
            "event_id": {"description": "Ignored."},
        },
    })
}
