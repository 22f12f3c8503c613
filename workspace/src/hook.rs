//! Places around a commit where a test can hold a process, or end it. Only builds for tests have it.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, process, thread};

/// Polls of [`PAUSE`] that make 60 seconds.
const POLLS: u32 = 6_000;
const PAUSE: Duration = Duration::from_millis(10);

/// If `AL_TEST_HOLD` names a path, and `AL_TEST_HOLD_AT` this place (left out, it is `planned`): says so in
/// `<path>.<pid>.waiting`, then waits until the path exists, at most 60 seconds.
pub(crate) fn hold(place: &str) {
    let wanted = env::var_os("AL_TEST_HOLD_AT").unwrap_or_else(|| "planned".into());
    if wanted != place {
        return;
    }
    let Some(path) = env::var_os("AL_TEST_HOLD").map(PathBuf::from) else {
        return;
    };
    let mut waiting = path.clone().into_os_string();
    waiting.push(format!(".{}.waiting", process::id()));
    if fs::write(Path::new(&waiting), "").is_err() {
        return;
    }
    for _ in 0..POLLS {
        if path.exists() {
            return;
        }
        thread::sleep(PAUSE);
    }
}
