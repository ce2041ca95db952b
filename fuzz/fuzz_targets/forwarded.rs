//! A header that tells of a client's address.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| holds::of_forwarded(text));
