//! The control plane (wire.md part E), one file for each of its topics.

mod apps;
mod authorize;
mod buttons;
mod clock;
mod connections;
mod lists;
mod reasons;
mod requests;
mod support;
mod tokens;
mod users;

pub use support::{assert_problem, assert_problem_at, at, each};
