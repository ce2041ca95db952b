//! A JWK Set that a client registers.
#![no_main]

#[path = "../../tests/it/properties/signed.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod signed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| signed::of_client_keys(text));
