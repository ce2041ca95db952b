//! The integration tests: whole worlds over HTTP on both databases, the program as a process, and properties of the
//! parsers.
//!
//! A test's name begins with the rules that it proves (docs/rules.md), so that a search finds the tests of a rule;
//! one that begins with `wire` proves a section of wire.md, one that begins with `part` a part of it.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how to fail, helpers included")]

mod abuse;
mod account;
mod action_callback;
mod admin;
mod allocations;
mod architecture;
mod audit;
mod authorize;
mod backup;
mod bounds;
mod cli;
mod code;
mod commands;
mod consent;
mod console;
mod deliveries;
mod dialog;
mod docs;
mod doctor;
mod doctor_command;
mod faults;
mod hostile;
mod hot_path;
mod impersonation;
mod inspector;
mod jsonp;
mod keys;
mod leads;
mod leaks;
mod login;
mod master_keys;
mod me;
mod navigation;
mod nodes;
mod oauth;
mod operator;
mod outage;
mod panics;
mod passwords;
mod process;
mod production;
mod properties;
mod registration;
mod resume;
mod sandbox;
mod secrets;
mod sources;
mod statics;
mod store_contract;
mod support;
mod telemetry;
mod terminal;
mod time;
mod webhooks;
mod worlds;
