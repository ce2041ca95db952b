//! The control plane (wire.md part E), one file for each of its topics.

mod apps;
mod authorize;
mod buttons;
mod checks;
mod clock;
mod connections;
mod events;
mod fidelity;
mod lists;
mod openapi;
mod reasons;
mod reference;
mod requests;
pub mod support;
mod tokens;
mod users;

pub use support::{assert_problem, assert_problem_at, at, each};
