//! A seed file.
#![no_main]

#[path = "../../tests/it/properties/files.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod files;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| files::of_seed(text));
