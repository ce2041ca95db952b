//! The program: everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request makes some forty small allocations, and the futures around it some large ones.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    leadgate::cli::main()
}
