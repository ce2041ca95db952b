//! The program: everything is in the library.

use std::process::ExitCode;

/// glibc's keeps what password hashes took, 19 MiB for each that ever ran beside others; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    leadgate::cli::main()
}
