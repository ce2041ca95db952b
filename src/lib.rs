//! Leadgate: a standalone OAuth 2.0 authorization server that emulates LeadExec's app-partner sign-in.
//!
//! The rooms, from the inside out. `domain` is pure; `store` alone knows a database; `services` holds the
//! use cases; `web` turns them into HTTP, with `views` for its pages; `boot` puts everything together and
//! `cli` calls it. `clock` alone reads real time and `entropy` alone draws randomness; `socket` holds clients'
//! connections; `images` decodes pictures that people upload; `telemetry` counts, and sends traces.

pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod entropy;
pub mod images;
pub mod lifecycle;
pub mod outgoing;
pub mod services;
pub mod socket;
pub mod store;
pub mod telemetry;
pub mod views;
pub mod web;
pub mod worker;
