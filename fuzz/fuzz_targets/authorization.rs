//! The value of an `Authorization` header, of whichever scheme.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| holds::of_authorization(value));
