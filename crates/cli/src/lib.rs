//! The commands of talosmith, and everything that touches the outside world.
//!
//! The modules are in dependency order: each uses only those before it.

#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)
)]

mod environment;
mod mask;
mod printable;
mod diff;
mod report;
mod table;
mod console;
mod process;
mod git;
mod tree;
mod change;
mod writer;
mod secrets;
mod parallel;
mod source_cache;
mod named_files;
mod user_templates;
mod project;
mod selection;
mod regions;
mod user_artifacts;
mod loading;
mod rendering;
mod comparison;
mod misnamed;
mod glob;
mod references;
mod steps;
mod results;
mod inspection;
mod head;
mod staleness;
mod device_report;
mod fleet_overview;
mod starter;
mod existing_fleet;
mod saved_config;
mod import;
mod review;
mod completion;
mod command;
mod run;

pub use command::CommandLine;
pub use environment::VARIABLES;
pub use inspection::{Inspection, inspect};
pub use project::{LoadError, Project};
pub use rendering::Owner;
pub use report::{Style, human, sort};
pub use run::main;
pub use selection::{Selection, SelectionError};
pub use source_cache::SourceCache;
pub use steps::{Inspected, Purpose};
pub use tree::{Entry, EntryKind, MemoryTree, ReadError, Tree, WorkTree};
