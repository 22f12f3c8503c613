//! Manifests in and out, plans, and decisions.

use lattice_core::{Action, Bundle, Code, Error, Manifest, NamedText, SavedPlan};
use lattice_workspace::{Imported, Once, Planned, Reader, answered, import_once, threads};

use crate::answer::{Answer, JSON, YAML};
use crate::call::Call;
use crate::operation::{
    ALLOW_DEACTIVATIONS, Content, DEACTIVATION_THRESHOLD, DRY_RUN, EXPECT_WORKSPACE, FILE, Kind,
    LIMIT, Method, Operation, Parameter, REPLACE, Scope,
};

const MANIFEST: Content = Content::manifest();
const PLAN: Content = Content::document("plan");

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "export",
        method: Method::Get,
        path: "/v1/export",
        summary: "The manifest of the workspace",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            Parameter {
                name: "at",
                kind: Kind::Count,
                about: "The audit event whose state is exported; left out, the state as it is",
            },
        ],
        body: None,
        answer: MANIFEST,
        again: false,
        run: export,
    },
    Operation {
        id: "import",
        method: Method::Post,
        path: "/v1/import",
        summary: "Import a manifest: everything is written or nothing",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            FILE,
            REPLACE,
            DRY_RUN,
            ALLOW_DEACTIVATIONS,
            DEACTIVATION_THRESHOLD,
        ],
        body: Some(MANIFEST),
        answer: PLAN,
        again: true,
        run: import_manifest,
    },
    Operation {
        id: "diff",
        method: Method::Post,
        path: "/v1/diff",
        summary: "What a replacing import would do, and which side changed since the last one",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE, FILE],
        body: Some(MANIFEST),
        answer: PLAN,
        again: false,
        run: diff,
    },
    Operation {
        id: "save_plan",
        method: Method::Post,
        path: "/v1/plans",
        summary: "The plan of an import, to be reviewed, kept and applied",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            FILE,
            REPLACE,
            ALLOW_DEACTIVATIONS,
            DEACTIVATION_THRESHOLD,
        ],
        body: Some(MANIFEST),
        answer: Content::document("saved-plan"),
        again: false,
        run: save_plan,
    },
    Operation {
        id: "apply",
        method: Method::Post,
        path: "/v1/apply",
        summary: "Apply a saved plan: exactly what it shows, or nothing",
        scope: Scope::Service,
        query: &[EXPECT_WORKSPACE, DEACTIVATION_THRESHOLD],
        body: Some(Content::document("saved-plan")),
        answer: PLAN,
        again: true,
        run: apply,
    },
    Operation {
        id: "rollback",
        method: Method::Post,
        path: "/v1/rollback/{seq}",
        summary: "Bring the workspace back to the state after an audit event",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            DRY_RUN,
            ALLOW_DEACTIVATIONS,
            DEACTIVATION_THRESHOLD,
        ],
        body: None,
        answer: PLAN,
        again: true,
        run: rollback,
    },
    Operation {
        id: "history",
        method: Method::Get,
        path: "/v1/history",
        summary: "The states that the workspace had, newest first",
        scope: Scope::Service,
        query: &[
            EXPECT_WORKSPACE,
            Parameter {
                name: "before",
                kind: Kind::Count,
                about: "The `next_cursor` of the page before",
            },
            LIMIT,
        ],
        body: None,
        answer: Content::document("history"),
        again: false,
        run: history,
    },
    Operation {
        id: "decide",
        method: Method::Post,
        path: "/v1/decisions",
        summary: "Decide about an action; all that an agent's key opens",
        scope: Scope::Agent,
        query: &[],
        body: Some(Content::document("action")),
        answer: Content::document("eval"),
        again: false,
        run: decide,
    },
];

fn export(call: &Call<'_>) -> Result<Answer, Error> {
    let reader = call.reader()?;
    let text = match call.count("at")? {
        Some(event) => reader.recorded(event)?.to_text(),
        None => reader.export(call.now())?,
    };
    Ok(Answer::text(YAML, text))
}

fn import_manifest(call: &Call<'_>) -> Result<Answer, Error> {
    let (mode, guard) = (call.mode()?, call.guard()?);
    let manifest = manifest(call)?;
    import(call, "import", |reader| {
        let planned = reader.plan(&manifest, mode)?;
        Ok(planned.in_file(call.text("file")).with_guard(guard))
    })
}

fn diff(call: &Call<'_>) -> Result<Answer, Error> {
    let manifest = manifest(call)?;
    Answer::document(&call.reader()?.diff(&manifest, call.text("file"))?)
}

fn save_plan(call: &Call<'_>) -> Result<Answer, Error> {
    let (mode, guard) = (call.mode()?, call.guard()?);
    let manifest = manifest(call)?;
    let planned = call.reader()?.plan(&manifest, mode)?;
    let planned = planned.in_file(call.text("file")).with_guard(guard);
    let bundle = Bundle::of(NamedText {
        file: call.text("file").map(str::to_owned),
        bytes: call.body.clone(),
    });
    Ok(Answer::text(JSON, planned.save(bundle)?.into_text()))
}

fn apply(call: &Call<'_>) -> Result<Answer, Error> {
    let saved = SavedPlan::parse(&call.body)?;
    let threshold = call.count("deactivation_threshold")?;
    import(call, "apply", |reader| {
        Ok(reader.resume(&saved)?.guarded_at_most(threshold))
    })
}

fn rollback(call: &Call<'_>) -> Result<Answer, Error> {
    let (seq, guard) = (call.seq()?, call.guard()?);
    import(call, "rollback", |reader| {
        Ok(reader.plan_rollback(seq)?.with_guard(guard))
    })
}

fn history(call: &Call<'_>) -> Result<Answer, Error> {
    let (before, limit) = (call.count("before")?, call.limit()?);
    Answer::document(&call.reader()?.history(before, limit)?)
}

fn decide(call: &Call<'_>) -> Result<Answer, Error> {
    let action = Action::parse(&call.body)?;
    Answer::document(&call.decider.decide(call.store, call.key()?, &action)?)
}

/// Plans, and commits unless it is a dry run; the answer is the document of the import.
fn import(
    call: &Call<'_>,
    operation: &str,
    plan: impl Fn(&Reader) -> Result<Planned, Error>,
) -> Result<Answer, Error> {
    if call.flag("dry_run")? {
        let planned = plan(&call.reader()?)?;
        planned.check(true)?;
        return Answer::document(&planned.view(true, None));
    }
    change(call, operation, plan, |planned, imported| {
        serde_json::to_string(&planned.view(false, Some(imported)))
            .map_err(|_| Error::new(Code::Internal, "the document cannot be written as JSON"))
    })
}

/// Plans and commits. What was answered before under the same idempotency key is answered again.
pub(crate) fn change(
    call: &Call<'_>,
    operation: &str,
    plan: impl Fn(&Reader) -> Result<Planned, Error>,
    answer: impl Fn(&Planned, &Imported) -> Result<String, Error>,
) -> Result<Answer, Error> {
    let (store, key, once) = (call.store, call.key()?, call.once(operation)?);
    let before = || match &once {
        Some(once) => answered(store, key, once),
        None => Ok(None),
    };
    let answer = match before()? {
        Some(answer) => answer,
        None => commit(call, once.as_ref(), &plan, &answer).or_else(|refusal| {
            // The same request may have come a second time meanwhile, and first to its end.
            before()?.ok_or(refusal)
        })?,
    };
    Ok(Answer::text(JSON, answer))
}

fn commit(
    call: &Call<'_>,
    once: Option<&Once>,
    plan: impl Fn(&Reader) -> Result<Planned, Error>,
    answer: impl Fn(&Planned, &Imported) -> Result<String, Error>,
) -> Result<String, Error> {
    let (store, key) = (call.store, call.key()?);
    let reader = Reader::open_to_import(store, key, call.text("expect_workspace"))?;
    let planned = plan(&reader)?;
    // An older store is locked until then.
    drop(reader);
    let answer = |imported: &Imported| answer(&planned, imported);
    import_once(store, key, &planned, once, answer, &call.ambient)
}

fn manifest(call: &Call<'_>) -> Result<Manifest, Error> {
    let parsed = Manifest::parse_on(threads(), &call.body);
    parsed.map_err(|error| match call.text("file") {
        Some(file) => error.in_file(file),
        None => error,
    })
}
