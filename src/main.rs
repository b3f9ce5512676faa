//! The `talosmith` binary; everything it does is in the `talosmith-cli` crate.

fn main() -> std::process::ExitCode {
    talosmith_cli::main()
}
