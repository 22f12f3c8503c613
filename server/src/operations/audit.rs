//! The audit log, and what it gives to those who cannot see it.

use lattice_core::audit::{Checkpoint, VerifyingKey};
use lattice_core::{Error, view};
use lattice_workspace::{Kept, log_key, restart_log};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::{Answer, TEXT};
use crate::call::Call;
use crate::openapi;
use crate::operation::{
    Content, EXPECT_WORKSPACE, Kind, LIMIT, Method, Operation, Parameter, Scope,
};

const OLD_CHECKPOINT: Content = Content::text(
    TEXT,
    "A checkpoint that was kept; left out, that of the log as it stands",
);

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "audit_list",
        method: Method::Get,
        path: "/v1/audit/events",
        summary: "A page of audit events in order of `seq`",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            Parameter {
                name: "cursor",
                kind: Kind::Count,
                about: "The `next_cursor` of the page before",
            },
            LIMIT,
        ],
        body: None,
        answer: Content::document("audit-list"),
        again: false,
        run: list,
    },
    Operation {
        id: "audit_show",
        method: Method::Get,
        path: "/v1/audit/events/{seq}",
        summary: "One audit event",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE],
        body: None,
        answer: Content::document("audit-event"),
        again: false,
        run: show,
    },
    Operation {
        id: "audit_prove",
        method: Method::Post,
        path: "/v1/audit/events/{seq}/proof",
        summary: "The proof that an event is in the log of a checkpoint",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE],
        body: Some(OLD_CHECKPOINT.or_none()),
        answer: Content::text(TEXT, "A proof in the C2SP form `tlog-proof`"),
        again: false,
        run: prove,
    },
    Operation {
        id: "audit_checkpoint",
        method: Method::Get,
        path: "/v1/audit/checkpoint",
        summary: "The checkpoint of the log, unsigned: what to keep elsewhere",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE],
        body: None,
        answer: Content::text(TEXT, "A checkpoint in the C2SP form `tlog-checkpoint`"),
        again: false,
        run: checkpoint,
    },
    Operation {
        id: "audit_consistency",
        method: Method::Post,
        path: "/v1/audit/consistency",
        summary: "The proof that the log extends a checkpoint, as a witness takes it",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE],
        body: Some(OLD_CHECKPOINT.or_none()),
        answer: Content::text(
            TEXT,
            "The body of `add-checkpoint` in the C2SP form `tlog-witness`",
        ),
        again: false,
        run: consistency,
    },
    Operation {
        id: "audit_verify",
        method: Method::Post,
        path: "/v1/audit/verify",
        summary: "Whether the log still says what was appended to it",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE],
        body: Some(Content::request(openapi::of::<Evidence>).or_none()),
        answer: Content::document("audit-verify"),
        again: false,
        run: verify,
    },
    Operation {
        id: "audit_rotate_key",
        path: "/v1/audit/keys",
        summary: "Log the key that signs checkpoints from now on, signed for with it and with the one before",
        scope: Scope::Service,
        ..ROTATE
    },
    Operation {
        id: "workspace_audit_rotate_key",
        path: "/v1/workspaces/{workspace}/audit/keys",
        summary: "Log the first key that signs checkpoints of a workspace, or the next",
        scope: Scope::Admin,
        ..ROTATE
    },
    Operation {
        id: "workspace_audit_restart",
        method: Method::Post,
        path: "/v1/workspaces/{workspace}/audit/restart",
        summary: "Begin a new log where a restored store lost events of the old one, and cite its checkpoint",
        scope: Scope::Admin,
        query: &[],
        body: Some(Content::text(
            TEXT,
            "The checkpoint of the old log that was kept",
        )),
        answer: Content::request(openapi::of::<view::RestartedLog>),
        again: false,
        run: restart,
    },
];

const ROTATE: Operation = Operation {
    id: "",
    method: Method::Post,
    path: "",
    summary: "",
    scope: Scope::Admin,
    query: &[],
    body: Some(Content::request(openapi::of::<view::Rotation>)),
    answer: Content::request(openapi::of::<view::Committed>),
    again: false,
    run: rotate,
};

/// What verification is held against.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Evidence {
    /// Checkpoints that were kept elsewhere, each as its text.
    checkpoints: Vec<String>,
    /// Keys of the log or of witnesses that have to have signed them, each as its text.
    vkeys: Vec<String>,
    /// Whether the active policies are compared with what the log says.
    state: bool,
}

fn list(call: &Call<'_>) -> Result<Answer, Error> {
    let (cursor, limit) = (call.count("cursor")?, call.limit()?);
    Answer::document(&call.reader()?.events(cursor, limit)?)
}

fn show(call: &Call<'_>) -> Result<Answer, Error> {
    let seq = call.seq()?;
    Answer::document(&call.reader()?.event(seq)?)
}

fn prove(call: &Call<'_>) -> Result<Answer, Error> {
    let (seq, kept) = (call.seq()?, call.checkpoint()?);
    let proof = call.reader()?.prove_signed(seq, kept, None)?;
    Ok(Answer::text(TEXT, proof.to_string()))
}

fn checkpoint(call: &Call<'_>) -> Result<Answer, Error> {
    let head = call.reader()?.signed_head(None)?;
    Ok(Answer::text(TEXT, head.to_string()))
}

fn consistency(call: &Call<'_>) -> Result<Answer, Error> {
    let kept = call.checkpoint()?;
    let extension = call.reader()?.prove_extension(kept.as_ref(), None)?;
    Ok(Answer::text(TEXT, extension.to_string()))
}

fn verify(call: &Call<'_>) -> Result<Answer, Error> {
    let evidence = if call.body.is_empty() {
        Evidence::default()
    } else {
        call.document()?
    };
    let kept = evidence.checkpoints.iter().map(|text| {
        let checkpoint = Checkpoint::parse(text.as_bytes())?;
        let file = None;
        Ok(Kept { file, checkpoint })
    });
    let kept = kept.collect::<Result<Vec<_>, Error>>()?;
    let keys = evidence.vkeys.iter().map(|text| VerifyingKey::parse(text));
    let keys = keys.collect::<Result<Vec<_>, Error>>()?;
    let verified = call.reader()?.verify(&kept, &keys, evidence.state)?;
    Answer::document(&verified.verification)
}

fn rotate(call: &Call<'_>) -> Result<Answer, Error> {
    let rotation: view::Rotation = call.document()?;
    Answer::document(&log_key(
        call.store,
        &call.caller()?,
        &rotation,
        &call.ambient,
    )?)
}

fn restart(call: &Call<'_>) -> Result<Answer, Error> {
    let kept = Checkpoint::parse(&call.body)?;
    let caller = call.caller()?;
    let restarted = restart_log(call.store, &caller, &kept, None, &call.ambient)?;
    Answer::document(&view::RestartedLog {
        workspace: restarted.workspace,
        previous: restarted.previous,
        event: restarted.event,
        checkpoint: restarted.checkpoint.to_string(),
    })
}
