//! Webhooks (wire.md F): receivers in these tests are servers of their own, on this machine.

mod attempts;
mod listener;
mod manage;
mod nodes;
mod support;
mod told;
