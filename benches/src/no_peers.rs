//! Where the peers are not built: the same functions, without figures.

use crate::input::Policy;
use crate::memory::Bytes;
use crate::report::Peer;

pub const VERSIONS: &[&str] = &[];

pub fn prepared() -> Vec<Peer> {
    Vec::new()
}

pub fn from_text() -> Vec<Peer> {
    Vec::new()
}

pub fn compile() -> Vec<Peer> {
    Vec::new()
}

pub fn decide(_: &[Policy], _: &str, _: usize) -> Vec<Peer> {
    Vec::new()
}

pub fn memory() -> Vec<Peer> {
    Vec::new()
}

pub fn memory_job(_: &str, _: &[Policy]) -> Option<Bytes> {
    None
}

pub fn changes(_: &[Policy], _: &[Policy]) -> Vec<usize> {
    Vec::new()
}

pub fn diffs(_: &[Policy], _: &[Policy]) -> Vec<Peer> {
    Vec::new()
}

pub fn reads(_: &str, _: &[Policy]) -> Vec<Peer> {
    Vec::new()
}

pub fn writes(_: &[Policy]) -> Vec<Peer> {
    Vec::new()
}
