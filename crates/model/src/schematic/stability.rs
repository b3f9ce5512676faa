//! Strings whose written form depends on the factory's version, or does not survive being written.

use talosmith_document::Pointer;

/// A schematic whose ID is not certain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unstable {
    /// Where in the schematic, in the factory's terms: `/customization/extraKernelArgs/0`.
    pub pointer: Pointer,
    /// Why.
    pub reason: Reason,
}

/// Why the ID of a schematic is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// go-yaml 3 and 4, and the candidates between them, write such strings in different ways.
    #[error("a string of several lines starts with white space")]
    StartsBlank,
    /// go-yaml 4.0.0 writes a literal where its candidates write double quotes.
    #[error("a line of a string of several lines ends with white space")]
    LineEndsBlank,
    /// Control characters, among them the carriage return, DEL and U+0085; a tab is fine.
    #[error("a string contains the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// The separators U+2028 and U+2029, which are line breaks in YAML 1.1.
    #[error("a string contains the line separator U+{:04X}", u32::from(*.0))]
    Separator(char),
    /// A key with a line break.
    #[error("a key has several lines")]
    KeyLines,
    /// A key whose place among the others is not certain: go-yaml takes letters and digits of every script into account,
    /// and its numbers overflow.
    #[error("a key is not ASCII, or has a number of more than {MAX_DIGITS} digits")]
    KeyOrder,
    /// A key that go-yaml writes in another form for its length.
    #[error("a key is longer than {MAX_KEY} bytes")]
    KeyLength,
}

/// The longest key, in bytes, that go-yaml writes as `key: value`.
const MAX_KEY: usize = 128;

/// So many digits always fit into a signed integer of 64 bits, even with one more in front.
const MAX_DIGITS: usize = 17;

impl Unstable {
    pub(super) const fn here(reason: Reason) -> Self {
        Self { pointer: Pointer::root(), reason }
    }

    /// The same finding, relative to the value that contains this one at `pointer`.
    pub(super) fn below(self, pointer: &Pointer) -> Self {
        Self { pointer: pointer.join(&self.pointer), ..self }
    }
}

/// Rejects a string that has no certain written form.
pub(super) fn check(text: &str) -> Result<(), Unstable> {
    let unsafe_character = text.chars().find_map(|character| match character {
        '\t' | '\n' => None,
        '\u{2028}' | '\u{2029}' => Some(Reason::Separator(character)),
        _ => character.is_control().then_some(Reason::Control(character)),
    });
    if let Some(reason) = unsafe_character {
        return Err(Unstable::here(reason));
    }
    if text.contains('\n') {
        if text.starts_with(char::is_whitespace) {
            return Err(Unstable::here(Reason::StartsBlank));
        }
        if text.split('\n').any(|line| line.ends_with(char::is_whitespace)) {
            return Err(Unstable::here(Reason::LineEndsBlank));
        }
    }
    Ok(())
}

/// Rejects a key that has no certain written form.
pub(super) fn check_key(key: &str) -> Result<(), Unstable> {
    if key.contains('\n') {
        return Err(Unstable::here(Reason::KeyLines));
    }
    if key.len() > MAX_KEY {
        return Err(Unstable::here(Reason::KeyLength));
    }
    if !key.is_ascii() || key.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > MAX_DIGITS) {
        return Err(Unstable::here(Reason::KeyOrder));
    }
    check(key)
}
