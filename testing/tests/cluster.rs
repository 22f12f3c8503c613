//! The server starts, dies, comes back, and is gone with whoever started it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use lattice_testing::{Cluster, rows, run};

#[test]
fn a_server_comes_and_goes() {
    let cluster = Cluster::start();
    let url = cluster.database();
    run(
        &url,
        "CREATE TABLE a (b INTEGER, c BOOLEAN, d TEXT); INSERT INTO a VALUES (1, TRUE, NULL)",
    );
    cluster.kill();
    cluster.restart();
    assert_eq!(rows(&url, "SELECT * FROM a"), ["1 1 -"]);
    let folder = cluster.folder().to_owned();
    drop(cluster);
    assert!(!folder.exists());
}
