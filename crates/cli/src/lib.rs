//! cli

pub mod environment;
pub mod mask;
pub mod diff;
pub mod report;
pub mod console;

/// Runs.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
