//! Imports that may be asked for again.
//!
//! Whoever hears no answer asks again under the same idempotency key. The answer is recorded in the transaction that writes
//! what it tells of, and so there is one exactly where something was written, for everybody who shares the store.

use jiff::{SignedDuration, Timestamp};
use lattice_core::hash::Hash;
use lattice_core::time::format_time;
use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};

use crate::access::look_up;
use crate::ambient::Ambient;
use crate::import::{Import, Imported, Planned};
use crate::key::Key;
use crate::store::{Read, Store};

/// For how long an answer can be asked for again at least.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Characters of the longest idempotency key.
const LONGEST: usize = 128;

/// A request that is answered once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's idempotency key: it belongs to one request to one workspace.
    pub id: String,
    /// SHA-256 of all that the request says.
    pub request: Hash,
}

impl Once {
    /// The request with the SHA-256 `request` under the idempotency key `id`.
    ///
    /// # Errors
    ///
    /// `USAGE` where the key is not of 1 to 128 visible ASCII characters.
    pub fn new(id: &str, request: Hash) -> Result<Self, Error> {
        let is_graphic = id.bytes().all(|byte| byte.is_ascii_graphic());
        if id.is_empty() || id.len() > LONGEST || !is_graphic {
            let message = "the idempotency key is not of 1 to 128 visible ASCII characters";
            return Err(Error::new(Code::Usage, message)
                .with_help("use a new key for every request, such as a random UUID"));
        }
        Ok(Self {
            id: id.to_owned(),
            request,
        })
    }

    /// The answer that the workspace with the UUID `workspace` gave before.
    fn answer(&self, read: &dyn Read, workspace: &str) -> Result<Option<String>, Error> {
        match read.answer(workspace, &self.id)? {
            Some((request, answer)) if request == self.request => Ok(Some(answer)),
            Some(_) => {
                let message = format!(
                    "the idempotency key `{}` was used for another request",
                    self.id
                );
                Err(Error::new(Code::Usage, message).with_help("use a new key for a new request"))
            }
            None => Ok(None),
        }
    }
}

/// The answer that the workspace of a service key gave to the request before, byte for byte.
///
/// Asked before the request is planned: on what it wrote itself, it would be planned as another one. Of two that are sent at
/// once, the later may find no answer here and its plan refused; asked again after the refusal, this has the answer.
///
/// An answer is given for as long as it is kept, which is until the first import with an idempotency key more than 24 hours
/// later.
///
/// # Errors
///
/// `USAGE` where the idempotency key was used for another request; `INVALID_SERVICE_KEY`; `STORE_UNAVAILABLE`.
pub fn answered(store: &dyn Store, key: &Key, once: &Once) -> Result<Option<String>, Error> {
    let read = store.read()?;
    let (workspace, _) = look_up(&*read, key, KeyKind::Service)?;
    once.answer(&*read, &workspace.id)
}

/// As [`import`](crate::import), and gives the `answer` to the request that asked for it.
///
/// With `once`, the answer is recorded in the same transaction. Where the request was answered within the last 24 hours,
/// whatever the plan has become since, that answer is given and nothing is written. A refusal is not recorded.
///
/// # Errors
///
/// `USAGE` where the idempotency key was used for another request within that time; else as [`import`](crate::import).
pub fn import_once(
    store: &dyn Store,
    key: &Key,
    planned: &Planned,
    once: Option<&Once>,
    answer: impl FnOnce(&Imported) -> Result<String, Error>,
    ambient: &Ambient,
) -> Result<String, Error> {
    let import = Import::begin(store, key)?;
    let (write, workspace) = import.opened();
    if let Some(once) = once {
        write.forget_answers(workspace, &format_time(oldest(ambient.now)))?;
        // Under the lock: whoever holds it may have answered the same request.
        if let Some(answer) = once.answer(write, workspace)? {
            return Ok(answer);
        }
    }
    planned.check(false)?;
    let imported = import.write(planned, None, ambient)?;
    let answer = answer(&imported)?;
    if let Some(once) = once {
        write.record_answer(workspace, once, &answer, &format_time(ambient.now))?;
    }
    import.commit()?;
    Ok(answer)
}

/// When the oldest answer was given that is still to be kept.
fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(KEPT).unwrap_or(Timestamp::MIN)
}
