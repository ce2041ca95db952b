//! The program and its databases, killed in the middle of their work: what was acknowledged before is as it was
//! acknowledged after. `scripts/crash` runs these for longer; docs/durability.md says what is promised.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how to fail, helpers included")]

mod asked;
mod cluster;
mod disk;
mod kills;
mod load;
mod look;
#[expect(dead_code, reason = "the other tests use more of it")]
#[path = "../it/support/program.rs"]
mod program;
#[expect(dead_code, reason = "the other tests use more of it")]
#[path = "../it/support/search.rs"]
mod search;
#[path = "../it/support/seen.rs"]
mod seen;
mod world;
