//! Webhooks (wire.md F): receivers in these tests are servers of their own, on this machine.

mod attempts;
mod listen;
mod listener;
mod manage;
mod nodes;
pub mod support;
mod told;
