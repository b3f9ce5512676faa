//! Links the program at a fixed address on Linux.
//!
//! A program that may be loaded anywhere has tens of thousands of pointers, of clap's tables and the JSON Schema validators, which the
//! loader rewrites at each start: that was a third of the time of `talosmith --version`, and a page of memory for each.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
