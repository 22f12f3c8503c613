//! What `al` reads and asks for where it works on a workspace through a server: rows, from which it plans, compares and
//! verifies by itself, and the change that came of it.

use lattice_core::audit::Node;
use lattice_core::view::{self, KeyKind};
use lattice_core::{Code, Error};
use lattice_workspace::Reader;

use crate::answer::{Answer, hide};
use crate::call::{Call, usage};
use crate::openapi;
use crate::operation::{Content, Kind, Method, Operation, Parameter, Run, Scope};
use crate::operations::policies::change;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        scope: Scope::Agent,
        ..read(
            "rows",
            "/v1/rows",
            &[],
            Content::request(openapi::of::<view::Opened>),
            "The workspace of the key as it stands; to an agent which one that is, and no more",
            open,
        )
    },
    read(
        "rows_policies",
        "/v1/rows/policies",
        &[
            Parameter {
                name: "revision",
                kind: Kind::Count,
                about: "The revision that the workspace has to be at",
            },
            Parameter {
                name: "at",
                kind: Kind::Count,
                about: "In its place, the audit event whose state is asked for",
            },
        ],
        Content::request(openapi::of::<view::PolicyRows>),
        "The policies as they are stored",
        policies,
    ),
    read(
        "rows_events",
        "/v1/rows/events",
        &[
            Parameter {
                name: "from",
                kind: Kind::Count,
                about: "The number of the first event",
            },
            Parameter {
                name: "limit",
                kind: Kind::Count,
                about: "How many there are at most; no more than fit into 4 MiB, or one",
            },
        ],
        Content::request(openapi::of::<view::EventRows>),
        "Audit events as they are stored",
        events,
    ),
    read(
        "rows_node",
        "/v1/rows/nodes/{level}/{index}",
        &[],
        Content::request(openapi::of::<view::NodeRow>),
        "The stored hash of a complete subtree of the audit log",
        node,
    ),
    Operation {
        method: Method::Post,
        body: Some(Content::request(openapi::of::<view::Proposal>)),
        again: true,
        ..read(
            "change",
            "/v1/changes",
            &[],
            Content::request(openapi::of::<view::Committed>),
            "Make a change that the client planned: it is planned again and comes to the same, or is refused",
            propose,
        )
    },
];

const fn read(
    id: &'static str,
    path: &'static str,
    query: &'static [Parameter],
    answer: Content,
    summary: &'static str,
    run: Run,
) -> Operation {
    Operation {
        id,
        method: Method::Get,
        path,
        summary,
        scope: Scope::Service,
        query,
        body: None,
        answer,
        again: false,
        run,
    }
}

fn open(call: &Call<'_>) -> Result<Answer, Error> {
    let reader = Reader::open(call.store, call.key()?, KeyKind::Agent, None)?;
    Answer::document(&reader.opened()?)
}

fn policies(call: &Call<'_>) -> Result<Answer, Error> {
    let (revision, at) = (call.count("revision")?, call.count("at")?);
    let mut rows = match (revision, at) {
        (Some(revision), None) => call.reader()?.policy_rows(revision)?,
        (None, Some(event)) => call.reader()?.policy_rows_at(event)?,
        _ => {
            let message = "neither `revision` nor `at` is given, or both are";
            return Err(usage(message, "give one of them"));
        }
    };
    if let Some(error) = &mut rows.undecodable {
        error.message = hide(&error.message, call.place);
    }
    Answer::document(&rows)
}

fn events(call: &Call<'_>) -> Result<Answer, Error> {
    let (from, limit) = (call.count("from")?, call.count("limit")?);
    Answer::document(&call.reader()?.event_rows(from.unwrap_or(0), limit)?)
}

fn node(call: &Call<'_>) -> Result<Answer, Error> {
    let (level, index) = (call.number("level")?, call.number("index")?);
    let level = u8::try_from(level).ok().filter(|level| *level < 64);
    let level = level.ok_or_else(|| usage("a tree has no such `level`", "give 0 to 63"))?;
    Answer::document(&call.reader()?.node_row(Node {
        level: level.into(),
        index,
    })?)
}

fn propose(call: &Call<'_>) -> Result<Answer, Error> {
    let proposal: view::Proposal = call.document()?;
    change(
        call,
        "change",
        |reader| reader.take_up(proposal.clone()),
        |_, imported| {
            let done = view::Committed {
                event: imported.event.clone(),
                checkpoint: imported.checkpoint.to_string(),
            };
            serde_json::to_string(&done)
                .map_err(|_| Error::new(Code::Internal, "the document cannot be written as JSON"))
        },
    )
}
