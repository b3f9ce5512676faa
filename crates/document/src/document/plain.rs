//! Plain scalars that are not strings, in YAML 1.1 or in YAML 1.2.

/// Words that YAML 1.1 or 1.2 reads as a boolean, as null or as a number, in lower case.
const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

/// The length of the longest of these, in bytes.
const LONGEST_WORD: usize = 5;

/// Whether a version of YAML reads the text, written without quotes, as a boolean, as null, as a number or as a date.
pub fn has_other_type(text: &str) -> bool {
    is_word(text) || looks_numeric(text)
}

fn is_word(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    text.len() <= LONGEST_WORD && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a version of YAML reads the text as a number, a time of the day in base 60, or a date.
fn looks_numeric(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let based = bytes[0] == b'0' && bytes.get(1).is_some_and(|base| b"xXoObB".contains(base));
    let of_numbers = |byte: &u8| byte.is_ascii_digit() || b"_.:+-eETtZz ".contains(byte);
    let is_version = bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && bytes.iter().filter(|byte| **byte == b'.').count() >= 2;
    based || (bytes.iter().all(of_numbers) && !is_version)
}
