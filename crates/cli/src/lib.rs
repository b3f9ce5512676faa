//! cli

pub mod process;
pub mod git;
pub mod tree;

/// Runs.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
