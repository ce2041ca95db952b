//! Two lines: the header and the claims of a client's assertion, which are signed.
#![no_main]

#[path = "../../tests/it/properties/signed.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod signed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (header, claims) = text.split_once('\n').unwrap_or((text, ""));
    signed::of_assertion(header, claims.as_bytes());
});
