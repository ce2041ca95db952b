//! Two lines: what is registered, and what is asked for.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    holds::of_redirect_uri(registered, requested);
});
