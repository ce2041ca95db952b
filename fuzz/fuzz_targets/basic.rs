//! The value of an `Authorization` header; and the same bytes inside one, so that a change need not hit base64.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    holds::of_basic(bytes);
    holds::of_basic(format!("Basic {}", STANDARD.encode(bytes)).as_bytes());
});
