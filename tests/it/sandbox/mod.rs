//! The control plane (wire.md part E), one file for each of its topics.

mod authorize;
