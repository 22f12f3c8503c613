//! Connections to one database, and the way from a caller that waits to a driver that does not.

use std::fmt;
use std::time::Duration;

use deadpool::Runtime as Timers;
use deadpool::managed::{Manager, Metrics, Object, Pool, QueueMode, RecycleError, RecycleResult};
use lattice_core::Error;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::address::Address;
use super::failure::Failure;
use crate::threads::threads;

/// How long a connection may take to be made, and how long one that is in use elsewhere is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long the server may be silent. It gives up on a statement by itself before that; this is for a network that lost it.
pub(super) const SILENCE: Duration = Duration::from_secs(75);

/// The same for all the policies of a workspace, which take several statements or many rows.
pub(super) const LONG_SILENCE: Duration = Duration::from_mins(15);

/// A connection that was idle for so long is asked whether it still stands, and not waited for long.
const FRESH: Duration = Duration::from_secs(1);
const PING: Duration = Duration::from_secs(1);

/// One that was idle for so long is not even asked: what stands between may have forgotten it, and would say nothing.
const STALE: Duration = Duration::from_mins(1);

/// A database, and the connections to it.
pub(super) struct Database {
    pub(super) address: Address,
    pool: Pool<Connector>,
    /// `None` once this is being dropped.
    runtime: Option<Runtime>,
}

/// A connection that goes back to the pool when it is dropped.
pub(super) type Pooled = Object<Connector>;

impl Database {
    /// Connects to nothing yet.
    pub(super) fn new(address: &Address) -> Result<Self, Error> {
        let options = address.options()?;
        let unbuilt = |what: &str| {
            let failure = Failure::Client(format!("cannot be used: {what}"));
            failure.at(address)
        };
        // One thread: the caller's, who waits meanwhile.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unbuilt(&error.to_string()))?;
        let pool = Pool::builder(Connector(options))
            .max_size(threads().get().saturating_mul(4))
            .runtime(Timers::Tokio1)
            .create_timeout(Some(PATIENCE))
            .wait_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PING))
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| unbuilt(&error.to_string()))?;
        Ok(Self {
            address: address.clone(),
            pool,
            runtime: Some(runtime),
        })
    }

    /// A connection that stands.
    pub(super) fn connect(&self) -> Result<Pooled, Failure> {
        self.block_on(async { self.pool.get().await.map_err(Failure::from) })
    }

    /// Forgets the connections that nobody uses: they were made to a server that has gone away since.
    pub(super) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Waits for the end of `work`, if the server does not fall silent.
    pub(super) fn wait<T>(
        &self,
        longest: Duration,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, Failure> {
        self.block_on(async {
            match timeout(longest, work).await {
                Ok(done) => done.map_err(Failure::Sql),
                Err(_) => Err(Failure::Silent),
            }
        })
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(Failure::Lost),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Without waiting for it: a server may drop its store where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.address)
    }
}

/// Makes connections.
pub(super) struct Connector(PgConnectOptions);

impl Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect_with(&self.0).await
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        let idle = metrics.last_used();
        if idle < FRESH {
            return Ok(());
        }
        if idle > STALE {
            return Err(RecycleError::message("idle for too long"));
        }
        connection.ping().await.map_err(RecycleError::Backend)
    }
}
