//! The value of an `Authorization` or `WWW-Authenticate` field; and the same bytes as parameters of Digest.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    holds::of_auth_params(bytes);
    holds::of_auth_params(&[b"Digest ", bytes].concat());
});
