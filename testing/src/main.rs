//! A server with one empty database for tests in other languages: prints the database's URL, and ends with its input.

use std::io::{self, Write};

use lattice_testing::Cluster;

fn main() -> io::Result<()> {
    let cluster = Cluster::start();
    writeln!(io::stdout(), "{}", cluster.database())?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
