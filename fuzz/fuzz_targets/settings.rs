//! `leadgate.toml`, and below a line `---` an environment.
#![no_main]

#[path = "../../tests/it/properties/files.rs"]
#[expect(dead_code, reason = "each target asserts of one parser")]
mod files;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (file, environment) = text.split_once("\n---\n").unwrap_or((text, ""));
    files::of_settings(file, environment);
});
