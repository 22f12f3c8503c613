//! Circuit breakers: kept here so that an export can show them, applied nowhere.

use lattice_core::{Breaker, Error, view};

use crate::access::Caller;
use crate::store::{Read, Store};

/// Sets the breaker for its anomaly type in the caller's workspace; all of them, as they then stand.
///
/// # Errors
///
/// `USAGE` for a workspace that is not there; `INVALID_SERVICE_KEY` for a caller's key that does not open it;
/// `STORE_UNAVAILABLE`.
pub fn set_breaker(
    store: &dyn Store,
    caller: &Caller,
    breaker: &Breaker,
) -> Result<view::Breakers, Error> {
    if let Some(remote) = store.remote() {
        return remote.set_breaker(caller, breaker);
    }
    let write = store.write()?;
    let (workspace, _) = caller.locked(&*write)?;
    write.set_breaker(&workspace.id, breaker)?;
    let breakers = show(&*write, &workspace.id)?;
    write.commit()?;
    Ok(breakers)
}

/// The breakers of the caller's workspace, by anomaly type.
pub fn list_breakers(store: &dyn Store, caller: &Caller) -> Result<view::Breakers, Error> {
    if let Some(remote) = store.remote() {
        return remote.list_breakers(caller);
    }
    let read = store.read()?;
    let (workspace, _) = caller.workspace(&*read)?;
    show(&*read, &workspace.id)
}

fn show(read: &dyn Read, id: &str) -> Result<view::Breakers, Error> {
    let breakers = read.breakers(id)?;
    Ok(view::Breakers {
        breakers: breakers.iter().map(view::Breaker::from).collect(),
    })
}
