//! The query of a click on a button.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &[u8]| holds::of_click(query));
