//! What the server counts, in the text form of Prometheus.

use std::time::Duration;

use lattice_core::{Code, Error};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// No label has a value that a client chose, or the number of series would be theirs to choose.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Operation, Histogram>,
    refusals: Family<Refused, Counter>,
    throttled: Counter,
    running: Gauge,
}

/// Counts a request as long as it is worked on, however that ends.
#[derive(Debug)]
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    operation: &'static str,
    code: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("lattice");
        let requests = Family::default();
        let seconds = Family::<Operation, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_25, 2.0, 18))
        });
        let (refusals, throttled, running) = <(Family<_, _>, Counter, Gauge)>::default();
        registry.register(
            "http_requests",
            "Requests that were answered",
            requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "How long they took, from the end of the head to the answer",
            seconds.clone(),
        );
        registry.register(
            "refusals",
            "Requests that were refused, by the code of the error",
            refusals.clone(),
        );
        registry.register(
            "throttled_requests",
            "Requests of sources whose keys opened nothing too often",
            throttled.clone(),
        );
        registry.register(
            "http_requests_running",
            "Requests that are being worked on",
            running.clone(),
        );
        Self {
            registry,
            requests,
            seconds,
            refusals,
            throttled,
            running,
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, operation: &'static str, status: u16, took: Duration) {
        let answered = Answered { operation, status };
        self.requests.get_or_create(&answered).inc();
        let seconds = self.seconds.get_or_create(&Operation { operation });
        seconds.observe(took.as_secs_f64());
    }

    /// Counts a request that is worked on until what is returned is dropped.
    pub(crate) fn running(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, operation: &'static str, error: &Error) {
        let code: Code = error.code();
        let refused = Refused {
            operation,
            code: code.as_str(),
        };
        self.refusals.get_or_create(&refused).inc();
    }

    /// Counts a request that was not listened to.
    pub(crate) fn throttled(&self) {
        self.throttled.inc();
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
