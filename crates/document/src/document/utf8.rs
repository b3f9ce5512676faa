//! Decodes UTF-8, and finds character boundaries.

use std::str;

use crate::{Code, Diagnostic, Location, SourceId};

/// Decodes the content of a file as UTF-8.
///
/// # Errors
/// A finding about the first byte that is not UTF-8.
pub fn decode(source: SourceId, bytes: &[u8]) -> Result<&str, Diagnostic> {
    str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let encoding = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "; it looks like UTF-16",
            _ => "",
        };
        let message = format!("byte {at} of the file, on line {line}, is not UTF-8{encoding}");
        Diagnostic::new(Code::NotUtf8, message, Location::file(source)).help("save the file as UTF-8")
    })
}

/// Returns the last character boundary at or before an offset; the end of the string for a larger offset.
pub(crate) fn boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
