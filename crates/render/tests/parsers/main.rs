//! What we write, read by parsers that other people use.

mod pyyaml;
