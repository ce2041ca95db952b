//! Two lines: what is asked of the data query, and the fields of a lead that it may be about.
#![no_main]

#[path = "../../tests/it/properties/holds.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod holds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    holds::of_lead_query(lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
});
