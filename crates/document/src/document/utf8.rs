//! From bytes to text, and the boundaries of its characters.

use std::str;

use crate::{Code, Diagnostic, Location, SourceId};

/// Takes the bytes of a file as text.
///
/// # Errors
/// The first byte that is not UTF-8.
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

/// The boundary between characters at a byte or next before it; the end of the text for a byte behind it.
pub fn boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
