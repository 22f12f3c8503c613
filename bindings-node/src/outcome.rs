//! How work ends on its way to JavaScript: with a value, or with an error document that `lib/error.js` unwraps.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lattice_core::view::ErrorDocument;
use lattice_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Either, Env, Status, Task, ToNapiValue, TypeName};
use serde::Serialize;

type Work<T> = Box<dyn FnOnce() -> Result<T, Error> + Send>;

/// Runs work here. A panic becomes an error: it must not unwind into Node.
pub(crate) fn now<T>(work: impl FnOnce() -> Result<T, Error>) -> napi::Result<T> {
    // What a panic leaves half done is dropped with the work, or is behind a lock or a transaction.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panicked(&*panic)))
        .map_err(|error| {
            let document = json(&ErrorDocument::from(&error)).unwrap_or_default();
            napi::Error::new(Status::GenericFailure, document)
        })
}

/// A value, or the promise of one.
pub type Answer<T> = Either<T, AsyncTask<Job<T>>>;

/// Runs work here, or else off the event loop.
pub(crate) fn answer<T>(
    sync: bool,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> napi::Result<Answer<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    if sync {
        return now(work).map(Either::A);
    }
    Ok(Either::B(AsyncTask::new(Job(Some(Box::new(work))))))
}

/// A document as JSON text, which JavaScript reads faster than it takes values one by one.
pub(crate) fn json(document: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(document)
        .map_err(|error| Error::new(Code::Internal, format!("no document: {error}")))
}

/// Work that waits for a thread.
pub struct Job<T>(Option<Work<T>>);

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Job<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        // INVARIANT: Node computes a task once.
        let work = self.0.take();
        now(|| {
            work.map_or_else(
                || Err(Error::new(Code::Internal, "ran twice")),
                |work| work(),
            )
        })
    }

    fn resolve(&mut self, _: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}

pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!(
        "the engine panicked: {}",
        text.unwrap_or("it does not say why")
    );
    Error::new(Code::Internal, message).with_help("this is a fault of the engine; please report it")
}
