//! The administration: what an administrator sees and changes, and that nobody else does.

mod accounts;
mod apps;
mod events;
mod forms;
mod lists;
pub mod support;
mod users;
