//! `docs/tutorial.md` is true.

mod common;

#[test]
fn the_tutorial_is_true() {
    common::page::expect_true("tutorial.md", 20);
}
