//! The commands of talosmith, and everything that touches the outside world.
//!
//! The modules stand in dependency order: each uses only those before it.

pub mod environment;
mod mask;
mod diff;
pub mod report;
mod table;
mod console;
mod process;
pub mod git;
pub mod tree;
pub mod change;
pub mod writer;
pub mod secrets;
mod parallel;
mod shelf;
mod loading;
mod named_files;
pub mod project;
pub mod selection;
pub mod differences;
pub mod rendering;
pub mod comparison;
pub mod inspection;
pub mod probe;
pub mod staleness;
mod device_report;
mod fleet_overview;
pub mod command;
mod run;

pub use run::main;
