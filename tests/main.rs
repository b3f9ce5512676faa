//! What needs the whole program: fixtures and their reports, the golden device, and the binary in a sandbox.

#[path = "main/expected.rs"]
mod expected;
#[path = "main/sandbox.rs"]
mod sandbox;
#[path = "main/fixtures.rs"]
mod fixtures;
#[path = "main/golden.rs"]
mod golden;
#[path = "main/reference.rs"]
mod reference;
#[path = "main/commands.rs"]
mod commands;
#[path = "main/glance.rs"]
mod glance;
#[path = "main/staleness.rs"]
mod staleness;
#[path = "main/secrets.rs"]
mod secrets;
#[path = "main/killing.rs"]
mod killing;
#[path = "main/properties.rs"]
mod properties;
