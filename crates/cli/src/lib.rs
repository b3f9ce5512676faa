//! cli

pub mod environment;
pub mod mask;
pub mod diff;
pub mod report;
pub mod console;
pub mod process;
pub mod git;
pub mod tree;
pub mod change;
pub mod writer;
pub mod secrets;

/// Runs.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
