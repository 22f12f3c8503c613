//! What load balancers and orchestrators ask.

use lattice_core::Error;

use crate::answer::{Answer, TEXT};
use crate::call::Call;
use crate::operation::{Content, Method, Operation, Run, Scope};

/// The one that asks nobody.
pub(crate) const ALIVE: &str = "healthz";

pub(crate) const OPERATIONS: &[Operation] = &[
    open(ALIVE, "/healthz", "Whether the server runs", |_| ok()),
    open("readyz", "/readyz", "Whether it reaches its store", ready),
];

const fn open(id: &'static str, path: &'static str, summary: &'static str, run: Run) -> Operation {
    Operation {
        id,
        method: Method::Get,
        path,
        summary,
        scope: Scope::Open,
        query: &[],
        body: None,
        answer: Content::text(TEXT, "`ok`"),
        again: false,
        run,
    }
}

fn ready(call: &Call<'_>) -> Result<Answer, Error> {
    call.store.read()?;
    ok()
}

#[expect(clippy::unnecessary_wraps, reason = "an operation may fail")]
fn ok() -> Result<Answer, Error> {
    Ok(Answer::text(TEXT, "ok\n".to_owned()))
}
