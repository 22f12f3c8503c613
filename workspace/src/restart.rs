//! A new log for a workspace whose store was brought back from an old copy.

use lattice_core::audit::{Checkpoint, Event, ImportEvent, log_name};
use lattice_core::time::format_time;
use lattice_core::view;
use lattice_core::{Code, Error, Manifest, Mode, Plan, PolicySet, State};

use crate::access::{Caller, allow};
use crate::ambient::Ambient;
use crate::events;
use crate::http::Remote;
use crate::log::Log;
use crate::reader::{self, unexpected};
use crate::signer::head;
use crate::store::{Contents, Store, WorkspaceRow};
use crate::verify::{expect_log, expect_own, hold_against};

/// A workspace with a new log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// The workspace, under its name and a new id.
    pub workspace: view::WorkspaceRef,
    /// The name under which the old log stays in the store: its id.
    pub previous: String,
    /// The first event of the new log: all policies are added, and it cites the checkpoint.
    pub event: view::Event,
    /// The checkpoint of the new log, unsigned.
    pub checkpoint: Checkpoint,
}

/// Begins a new log where the old one no longer extends `kept`, a checkpoint of it that was kept elsewhere. The first event
/// of the new log cites that checkpoint, so that nobody can take the one for the other.
///
/// The workspace keeps its name, policies, circuit breakers and keys, and has a new id. The old log stays in the store with the
/// states that it recorded, in a workspace without keys whose name is its id. Where the log is one already that began so, with
/// this checkpoint, nothing is written: whoever was interrupted asks again.
///
/// `expect` is the name that the caller takes the workspace to have.
///
/// # Errors
///
/// `INVALID_CHECKPOINT` for a checkpoint of another log, or a signature that is not of a key that the log names; `USAGE`
/// where the log extends it; `AUDIT_TAMPERED` where the log does not verify by itself, or the policies are not those that it
/// recorded; `INVALID_SERVICE_KEY`; `STORE_UNAVAILABLE`.
pub fn restart_log(
    store: &dyn Store,
    caller: &Caller,
    kept: &Checkpoint,
    expect: Option<&str>,
    ambient: &Ambient,
) -> Result<Restarted, Error> {
    if let Some(remote) = store.remote() {
        return through(remote, caller, kept, expect);
    }
    let write = store.write()?;
    let (old, actor) = caller.locked(&*write)?;
    expect_name(&old, expect)?;
    if let Some(restarted) = restarted(&*write, &old, kept)? {
        return Ok(restarted);
    }
    expect_lost(&*write, &old, kept)?;

    let none = PolicySet::default();
    let snapshot = write.snapshot(&old.id, &none)?;
    let active = reader::compile(snapshot, &old.name)?.active;
    let digest = active.digest();
    Log::open(&*write, &old.id)?.recorded(&digest)?;

    let new = WorkspaceRow {
        id: ambient.workspace_id(),
        name: old.name,
        org_name: old.org_name,
        revision: 0,
        created_at: format_time(ambient.now),
    };
    write.rename_workspace(&old.id, &old.id)?;
    write.add_workspace(&new)?;
    write.move_keys(&old.id, &new.id)?;
    for breaker in write.breakers(&old.id)? {
        write.set_breaker(&new.id, &breaker)?;
    }
    write.advance(&new.id, 0)?;

    let plan = Plan::new(&State::default(), &active, Mode::Replace);
    let names = plan.names();
    let log = Log::open(&*write, &new.id)?;
    let mut policies = plan.writes().map(AsRef::as_ref);
    write.change_policies(
        &new.id,
        log.seq(),
        &mut std::iter::empty(),
        &mut policies,
        &[],
    )?;
    // As the workspace would export it, without the circuit breakers.
    let manifest = Manifest::exported(&new.org_name, ambient.now, &active, &[]);
    let event = Event::import(&ImportEvent {
        workspace: &new.id,
        seq: log.seq(),
        time: ambient.now,
        actor: &actor,
        names: &names,
        unchanged: 0,
        before: none.digest(),
        after: digest,
        manifest_sha256: manifest.sha256(),
        manifest_version: manifest.version(),
        replace: true,
        from: Some(kept),
        rendered_sha256: None,
    });
    let tree = log.append(&event, &names)?;
    write.commit()?;
    Ok(Restarted {
        workspace: view::WorkspaceRef::from(&new),
        previous: old.id,
        event: view::Event { leaf: event, names },
        checkpoint: head(&new.id, &tree),
    })
}

fn expect_name(workspace: &WorkspaceRow, expect: Option<&str>) -> Result<(), Error> {
    match expect {
        Some(expected) if expected != workspace.name => Err(unexpected(&workspace.name, expected)),
        Some(_) | None => Ok(()),
    }
}

/// Has a server begin a new log where the old one is lost, and looks at it: it cites the old one, begins with the event of the
/// answer, and verifies. It takes a key to see the log, and the admin key to leave it.
fn through(
    remote: &Remote,
    caller: &Caller,
    kept: &Checkpoint,
    expect: Option<&str>,
) -> Result<Restarted, Error> {
    let Caller::Key(key) = caller else {
        return Err(Error::new(
            Code::InvalidServiceKey,
            "the log at a server is looked at with the key of its workspace",
        )
        .with_help("set AL_SERVICE_KEY to the key"));
    };
    let (contents, old, row) = remote.open(key)?;
    allow(row.kind, view::KeyKind::Service)?;
    expect_name(&old, expect)?;
    if let Some(restarted) = restarted(&*contents, &old, kept)? {
        return Ok(restarted);
    }
    expect_lost(&*contents, &old, kept)?;
    let answer = remote.restart_log(&old.name, kept)?;

    let checkpoint = Checkpoint::parse(answer.checkpoint.as_bytes())?;
    let (contents, workspace, _) = remote.open(key)?;
    let id = &workspace.id;
    let first = contents.records(id, 0, 1)?;
    let event = &answer.event;
    let begins = first.first().is_some_and(|record| {
        record.body == event.leaf.to_bytes() && record.names == event.names.to_bytes()
    });
    let cites = event.leaf.from.as_ref() == Some(&kept.to_line());
    if !begins || !cites || answer.workspace.id != *id {
        return Err(events::tampered(
            "the server answered that a new log was begun, and it has no such log, or one that does not cite the old one",
        ));
    }
    expect_log(&*contents, id, Some(&checkpoint))?;
    Ok(Restarted {
        workspace: answer.workspace,
        previous: answer.previous,
        event: answer.event,
        checkpoint,
    })
}

/// The log that begins by citing `kept`, if this is one.
fn restarted(
    read: &dyn Contents,
    workspace: &WorkspaceRow,
    kept: &Checkpoint,
) -> Result<Option<Restarted>, Error> {
    let log = log_name(&workspace.id);
    let first = read.records(&workspace.id, 0, 1)?;
    let first = first.first().map(|record| events::open(record, &log));
    let Some(event) = first.transpose()? else {
        return Ok(None);
    };
    let previous = kept.origin().strip_prefix("al/");
    let cites = event.leaf.from.as_ref() == Some(&kept.to_line());
    let (true, Some(previous)) = (cites && kept.origin() != log, previous) else {
        return Ok(None);
    };
    Ok(Some(Restarted {
        workspace: view::WorkspaceRef::from(workspace),
        previous: previous.to_owned(),
        event,
        checkpoint: expect_log(read, &workspace.id, None)?.checkpoint(),
    }))
}

/// Refuses to begin anew where there is no need to, and where the log is not even whole by itself.
fn expect_lost(
    read: &dyn Contents,
    workspace: &WorkspaceRow,
    kept: &Checkpoint,
) -> Result<(), Error> {
    expect_own(kept, &log_name(&workspace.id))?;
    let (proven, lost) = hold_against(read, &workspace.id, Some(kept))?;
    // A signature that can be checked is checked; the key of the lost events may be one that the log does not name.
    let known: Vec<_> = proven.keys().known().cloned().collect();
    kept.signers(&known)?;
    if lost.is_some() {
        return Ok(());
    }
    let message = format!(
        "the log of {} events extends the checkpoint of {}: there is nothing to restart",
        proven.checkpoint().size(),
        kept.size()
    );
    Err(Error::new(Code::Usage, message)
        .with_help("go on with the log; only one that lost events begins anew"))
}
