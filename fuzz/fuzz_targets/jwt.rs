//! Two lines: the header and the claims of an access token or an ID token hint, which are signed; and the text as it is.
#![no_main]

#[path = "../../tests/it/properties/signed.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod signed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    signed::of_unsigned(text);
    let (header, claims) = text.split_once('\n').unwrap_or((text, ""));
    signed::of_jwt(header, claims.as_bytes());
});
