//! Answers: documents, texts and refusals.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use lattice_core::view::ErrorDocument;
use lattice_core::{Class, Code, Error};
use serde::Serialize;

/// When to ask a store again that could not be used.
const RETRY_AFTER_SECONDS: u64 = 5;

/// What an operation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    media: &'static str,
    text: String,
}

/// The media type of documents.
pub(crate) const JSON: &str = "application/json";
/// That of manifests.
pub(crate) const YAML: &str = "application/yaml";
/// That of checkpoints and proofs.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

impl Answer {
    /// A view as it is printed with `--format json`.
    pub(crate) fn document(view: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_string(view).map_err(|error| {
            Error::new(
                Code::Internal,
                format!("the answer cannot be written: {error}"),
            )
        })?;
        Ok(Self::text(JSON, text))
    }

    /// A text of that media type.
    pub(crate) fn text(media: &'static str, text: String) -> Self {
        Self { media, text }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        response(StatusCode::OK, self.media, self.text)
    }
}

/// The answer to a request that was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    status: StatusCode,
    retry_after: Option<u64>,
    /// Whether it may be for a key that was guessed.
    pub(crate) is_guess: bool,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.code().class() {
            Class::Input | Class::Usage => StatusCode::BAD_REQUEST,
            Class::Auth => StatusCode::UNAUTHORIZED,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Safety => StatusCode::UNPROCESSABLE_ENTITY,
            Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let refusal = Self::with_status(error, status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            refusal.retry_after(RETRY_AFTER_SECONDS)
        } else {
            refusal
        }
    }
}

impl Refusal {
    /// A refusal that HTTP has a status of its own for.
    pub(crate) fn with_status(error: Error, status: StatusCode) -> Self {
        Self {
            is_guess: status == StatusCode::UNAUTHORIZED,
            error,
            status,
            retry_after: None,
        }
    }

    /// Says when to ask again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Leaves the place of the store out of what it says.
    pub(crate) fn without(self, store: &str) -> Self {
        let (code, message) = (self.error.code(), self.error.message());
        if code != Code::StoreUnavailable || store.is_empty() || !message.contains(store) {
            return self;
        }
        let message = hide(message, store);
        let help = self.error.diagnostics().next();
        let help = help.and_then(|first| first.help.clone());
        let error = Error::new(code, message);
        Self {
            error: match help {
                Some(help) => error.with_help(help),
                None => error,
            },
            ..self
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let text = serde_json::to_string(&ErrorDocument::from(&self.error)).unwrap_or_default();
        let mut response = response(self.status, JSON, text);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A message without the place of the store.
pub(crate) fn hide(message: &str, store: &str) -> String {
    if store.is_empty() {
        return message.to_owned();
    }
    let message = message.replace(&format!("the store `{store}`"), "the store of the server");
    message.replace(store, "…")
}

/// An answer with that body.
pub(crate) fn response(
    status: StatusCode,
    media: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    // Keys and policies are nobody else's to keep.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
