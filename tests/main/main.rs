//! Tests that need the whole program: fixtures and their reports, rendered fleets, and the binary in a sandbox.

mod applications;
mod command_flags;
mod commands;
mod expected;
mod faults;
mod fixtures;
mod fleets;
mod generate;
mod helps;
mod init;
mod interrupted;
mod places;
mod properties;
mod published_schemas;
mod readme;
mod reference;
mod references;
mod rendered;
mod runbook;
mod sandbox;
mod secrets;
mod shared_files;
mod show_and_fleet;
mod staleness;
mod user_artifacts;
mod workspace;
