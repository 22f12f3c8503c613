//! A request on its way: guarded, read, worked on, answered, counted and logged.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::{MethodFilter, get, on};
use jiff::Timestamp;
use lattice_core::{Code, Error};
use lattice_workspace::{AdminKey, Ambient, Decider, Store};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use url::form_urlencoded;
use uuid::Uuid;

use crate::answer::{self, Answer, JSON, Refusal, TEXT};
use crate::call::{Call, Who, usage};
use crate::guard;
use crate::limits::{BODY_BYTES, BODY_TIME, DRAIN_TIME, QUEUE_TIME, UNCHECKED_BODY_BYTES};
use crate::metrics::Metrics;
use crate::openapi;
use crate::operation::{self, Method, Operation, Scope};
use crate::operations::health::ALIVE;
use crate::throttle::Throttle;

/// What a server is made of besides its store.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The key for workspaces; without one nobody makes or lists them over HTTP.
    pub admin: Option<AdminKey>,
    /// The store as its messages name it: clients are not told where it is.
    pub store: String,
    /// Whether the last address in `X-Forwarded-For` is the source: a proxy in front of the server puts it there.
    pub trust_forwarded_for: bool,
}

/// What all requests share.
struct Shared {
    store: Arc<dyn Store>,
    decider: Decider,
    settings: Settings,
    metrics: Metrics,
    throttle: Throttle,
    /// Requests that may work at once.
    turns: Arc<Semaphore>,
    document: Bytes,
}

/// How a request came, to be logged and counted.
struct Trail {
    operation: &'static str,
    method: axum::http::Method,
    source: Option<IpAddr>,
    id: String,
    start: Instant,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The routes of a server over `store`, of which so many work at once.
pub fn router(store: Arc<dyn Store>, settings: Settings, workers: usize) -> Router {
    let shared = Arc::new(Shared {
        store,
        decider: Decider::default(),
        settings,
        metrics: Metrics::new(),
        throttle: Throttle::default(),
        turns: Arc::new(Semaphore::new(workers)),
        document: openapi::document().into(),
    });
    let mut router = Router::new();
    for operation in operation::all() {
        let filter = match operation.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
        };
        let serve = move |State(shared): State<Arc<Shared>>, request: Request| async move {
            answer(&shared, Ok(operation), request).await
        };
        router = router.route(operation.path, on(filter, serve));
    }
    let refuse = |message: &'static str, status| {
        move |State(shared): State<Arc<Shared>>, request: Request| async move {
            let error = usage(message, "`/v1/openapi.json` lists what there is");
            answer(&shared, Err(Refusal::with_status(error, status)), request).await
        }
    };
    router
        .route("/v1/openapi.json", get(document))
        .route("/metrics", get(metrics))
        .fallback(refuse(
            "there is nothing at this path",
            StatusCode::NOT_FOUND,
        ))
        .method_not_allowed_fallback(refuse(
            "the path does not take this method",
            StatusCode::METHOD_NOT_ALLOWED,
        ))
        .with_state(shared)
}

async fn document(State(shared): State<Arc<Shared>>) -> Response<Body> {
    answer::response(StatusCode::OK, JSON, shared.document.clone())
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response<Body> {
    Answer::text(TEXT, shared.metrics.text()).into_response()
}

async fn answer(
    shared: &Arc<Shared>,
    operation: Result<&'static Operation, Refusal>,
    request: Request,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let mut body = Some(body);
    let trail = Trail {
        operation: operation.as_ref().map_or("none", |operation| operation.id),
        method: parts.method.clone(),
        source: source(&parts, shared.settings.trust_forwarded_for),
        id: request_id(&parts.headers),
        start: Instant::now(),
    };
    let _running = shared.metrics.running();
    let mut outcome = match operation {
        Ok(operation) => perform(shared, operation, &mut parts, &mut body, &trail).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &mut outcome
        && refusal.is_guess
    {
        refusal.is_guess = is_guess(shared, &parts.headers).await;
    }
    if let Some(body) = body
        && length(&parts.headers).is_some_and(|length| length <= UNCHECKED_BODY_BYTES)
    {
        // A client that is still sending may never read an answer that comes before it is done.
        let _ = timeout(DRAIN_TIME, to_bytes(body, UNCHECKED_BODY_BYTES)).await;
    }
    finish(shared, &trail, outcome)
}

async fn perform(
    shared: &Arc<Shared>,
    operation: &'static Operation,
    parts: &mut Parts,
    body: &mut Option<Body>,
    trail: &Trail,
) -> Result<Answer, Refusal> {
    // Whoever watches the server may share an address with those it no longer listens to.
    if operation.scope != Scope::Open
        && let Some(source) = trail.source
        && let Some(seconds) = shared.throttle.refuses(source, trail.start)
    {
        shared.metrics.throttled();
        let error = Error::new(
            Code::InvalidServiceKey,
            "too many requests came from there with keys that open nothing",
        );
        let error = error.with_help(format!("check the key, and wait {seconds} seconds"));
        return Err(Refusal::with_status(error, StatusCode::TOO_MANY_REQUESTS).retry_after(seconds));
    }
    if operation.id == ALIVE {
        // Whether the server runs has nothing to do with how busy it is.
        return Ok(Answer::text(TEXT, "ok\n".to_owned()));
    }
    let admin = shared.settings.admin.as_ref();
    let who = guard::who(operation.scope, &parts.headers, admin)?;
    let path = match RawPathParams::from_request_parts(parts, &()).await {
        Ok(path) => path
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Err(_) => return Err(usage("the path is not UTF-8", "write it in UTF-8").into()),
    };
    let query = query(operation, parts.uri.query().unwrap_or_default())?;
    let again = idempotency_key(operation, &parts.headers)?;
    let is_small = length(&parts.headers).is_some_and(|length| length <= UNCHECKED_BODY_BYTES);
    if operation.body.is_some() && !is_small {
        // Nobody makes the server read megabytes with a key that opens nothing.
        let who = who.clone();
        let check = move |shared: &Shared| guard::check(operation.scope, &who, &*shared.store);
        work(shared, check).await?;
    }
    let body = read(operation, &parts.headers, body).await?;
    let ambient = ambient()?;
    work(shared, move |shared| {
        let call = Call {
            store: &*shared.store,
            decider: &shared.decider,
            place: &shared.settings.store,
            who,
            path,
            query,
            body,
            again,
            ambient,
        };
        (operation.run)(&call)
    })
    .await
}

/// Whether the key that a request offers opens nothing anywhere. Whoever sends none guesses none, and whose key opens
/// something else, or asks for what is not there, made a mistake.
async fn is_guess(shared: &Arc<Shared>, headers: &HeaderMap) -> bool {
    match guard::offered(headers, shared.settings.admin.as_ref()) {
        None | Some(Who::Admin) => false,
        Some(Who::Anyone) => true,
        Some(who) => {
            let is_guess = move |shared: &Shared| Ok(guard::is_guess(&who, &*shared.store));
            work(shared, is_guess).await.unwrap_or(false)
        }
    }
}

/// Does what may wait for the store on a thread that may wait, when it is its turn. It comes to its end there even if
/// nobody waits for it any more, and keeps its turn until then.
async fn work<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
) -> Result<T, Refusal> {
    let turn = Arc::clone(&shared.turns).acquire_owned();
    let Ok(Ok(turn)) = timeout(QUEUE_TIME, turn).await else {
        let error = Error::new(Code::StoreUnavailable, "the server has too much to do");
        let error = error.with_help("nothing was written; ask again in a while");
        return Err(Refusal::from(error).retry_after(1));
    };
    let inside = Arc::clone(shared);
    let done = spawn_blocking(move || {
        let done = work(&inside);
        drop(turn);
        done
    });
    match done.await {
        Ok(done) => done.map_err(Refusal::from),
        Err(_) => Err(
            Error::new(Code::Internal, "the server failed at this request")
                .with_help("its log has the reason under the id of the request")
                .into(),
        ),
    }
}

/// The parameters of the query, all of which the operation knows.
fn query(operation: &Operation, text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut query = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !operation.query.iter().any(|known| known.name == name) {
            let known: Vec<&str> = operation.query.iter().map(|known| known.name).collect();
            let help = match known.as_slice() {
                [] => "it takes none".to_owned(),
                known => format!("it takes `{}`", known.join("`, `")),
            };
            return Err(usage("the path does not take a parameter of that name", &help).into());
        }
        if query
            .insert(name.clone().into_owned(), value.into_owned())
            .is_some()
        {
            let message = format!("the parameter `{name}` is there twice");
            return Err(usage(&message, "give it once").into());
        }
    }
    Ok(query)
}

/// The idempotency key of an operation that takes one.
fn idempotency_key(operation: &Operation, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    if !operation.again {
        let message = "the path does not take an `Idempotency-Key`";
        return Err(usage(message, "leave it out: this may be done twice").into());
    }
    if keys.next().is_some() {
        return Err(usage("the `Idempotency-Key` is there twice", "send it once").into());
    }
    let key = key
        .to_str()
        .map_err(|_| usage("the `Idempotency-Key` is not ASCII", "send a UUID"))?;
    Ok(Some(key.to_owned()))
}

fn length(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(axum::http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// The body, which is neither large nor slow, and is there if the operation takes one.
async fn read(
    operation: &Operation,
    headers: &HeaderMap,
    body: &mut Option<Body>,
) -> Result<Vec<u8>, Refusal> {
    let Some(content) = &operation.body else {
        // Whoever sends one means something by it.
        if body.as_ref().is_some_and(|body| !body.is_end_stream()) {
            let message = "the request has a body, and the operation takes none";
            let help = "say it in the path and the query: `/v1/openapi.json` describes them";
            return Err(usage(message, help).into());
        }
        return Ok(Vec::new());
    };
    let too_large = || {
        let message = format!("the body is larger than {BODY_BYTES} bytes");
        let error = Error::new(Code::LimitExceeded, message);
        Refusal::with_status(
            error.with_help("import a manifest of that size with `al` at the store itself"),
            StatusCode::PAYLOAD_TOO_LARGE,
        )
    };
    if length(headers).is_some_and(|length| length > BODY_BYTES) {
        return Err(too_large());
    }
    let body = body.take().unwrap_or_default();
    let read = timeout(BODY_TIME, to_bytes(body, BODY_BYTES.saturating_add(1))).await;
    let bytes = match read {
        Ok(Ok(bytes)) if bytes.len() > BODY_BYTES => return Err(too_large()),
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if is_length_limit(&error) => return Err(too_large()),
        Ok(Err(_)) => {
            return Err(usage("the body broke off", "send it again").into());
        }
        Err(_) => {
            let message = format!("the body did not arrive within {} s", BODY_TIME.as_secs());
            let error = usage(&message, "send it again over a faster line");
            return Err(Refusal::with_status(error, StatusCode::REQUEST_TIMEOUT));
        }
    };
    if bytes.is_empty() && !content.optional {
        let message = "the request has no body";
        return Err(usage(message, "`/v1/openapi.json` describes it").into());
    }
    Ok(bytes.into())
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn ambient() -> Result<Ambient, Refusal> {
    let mut seed = [0; 64];
    getrandom::fill(&mut seed).map_err(|error| {
        Error::new(
            Code::Internal,
            format!("the system gave no random bytes: {error}"),
        )
    })?;
    Ok(Ambient {
        now: Timestamp::now(),
        seed,
    })
}

/// Where a request came from.
fn source(parts: &Parts, trust_forwarded_for: bool) -> Option<IpAddr> {
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let connection = connection.map(|connection| connection.0.ip());
    if trust_forwarded_for {
        forwarded_for(&parts.headers).or(connection)
    } else {
        connection
    }
}

/// The last address that the requests of a proxy name: the one that it saw itself. Those before it are what the client says.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = |text: &str| text.parse().map(|address: SocketAddr| address.ip());
    last.parse().or_else(|_| with_port(last)).ok()
}

/// The id that the client or a proxy gave the request, if it is plain, or else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match given.filter(is_plain) {
        Some(id) => id.to_owned(),
        None => Uuid::now_v7().to_string(),
    }
}

/// The method, if it is one of those that there are: a client may call it anything.
fn method(method: &axum::http::Method) -> &str {
    use axum::http::Method;
    match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS
        | Method::PATCH => method.as_str(),
        _ => "other",
    }
}

/// Counts and logs what came of a request, and answers it.
fn finish(shared: &Shared, trail: &Trail, outcome: Result<Answer, Refusal>) -> Response<Body> {
    let mut code = "";
    let mut response = match outcome {
        Ok(answer) => answer.into_response(),
        Err(refusal) => {
            let error = &refusal.error;
            code = error.code().as_str();
            shared.metrics.refused(trail.operation, error);
            if refusal.is_guess
                && let Some(source) = trail.source
            {
                shared.throttle.fail(source, trail.start);
            }
            if matches!(error.code(), Code::Internal | Code::StoreUnavailable) {
                tracing::error!(request = trail.id, "{}", error.message());
            }
            refusal.without(&shared.settings.store).into_response()
        }
    };
    let took = trail.start.elapsed();
    let status = response.status().as_u16();
    shared.metrics.answered(trail.operation, status, took);
    tracing::info!(
        request = trail.id,
        method = method(&trail.method),
        operation = trail.operation,
        source = trail.source.map(tracing::field::display),
        status,
        code,
        seconds = took.as_secs_f64(),
    );
    if let Ok(id) = HeaderValue::from_str(&trail.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
