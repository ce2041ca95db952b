//! A file that is uploaded as a picture.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| holds::of_picture(file));
