//! Splits an expression into tokens, and reads literals.
//!
//! Source: github.com/google/cel-go, parser/gen/CEL.g4 and parser/unescape.go.

use std::ops::Range;

use super::{CelError, Value};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name,
    /// The name of a field in backquotes.
    Quoted,
    /// A uint, a double, a string or bytes.
    Literal(Value),
    /// The digits of an int. A minus before them belongs to it: `9223372036854775808` is valid only after one.
    Digits,
    /// An operator, a bracket or a keyword.
    Symbol(&'static str),
    End,
}

/// Longer ones first, so that the first that fits is the longest.
const SYMBOLS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*",
    "/", "%",
];

const KEYWORDS: &[&str] = &["in", "true", "false", "null"];

/// Returns the tokens of an expression with their bytes; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, CelError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(c) = rest.chars().next()
            && matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}')
        {
            at += 1;
        } else if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else {
            let (token, length) = token(text, at)?;
            tokens.push((token, at..at + length));
            at += length;
        }
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

fn token(text: &str, at: usize) -> Result<(Token, usize), CelError> {
    let rest = &text[at..];
    let bytes = rest.as_bytes();
    if let Some(literal) = quoted(text, at)? {
        return Ok(literal);
    }
    if bytes[0].is_ascii_alphabetic() || bytes[0] == b'_' {
        let length = run(bytes, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let keyword = KEYWORDS.iter().find(|word| **word == &rest[..length]);
        return Ok((keyword.map_or(Token::Name, |word| Token::Symbol(word)), length));
    }
    if bytes[0].is_ascii_digit() || (bytes[0] == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit)) {
        return number(text, at);
    }
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Ok((Token::Symbol(symbol), symbol.len()));
    }
    let length = rest.chars().next().map_or(1, char::len_utf8);
    let error = |message: &str| CelError::new(message, at..at + length);
    Err(match bytes[0] {
        b'`' => match rest[1..].find('`') {
            Some(end) if end > 0 && rest[1..=end].bytes().all(is_quotable) => return Ok((Token::Quoted, end + 2)),
            _ => error("unexpected backquote"),
        },
        b'=' if bytes.get(1) == Some(&b'~') => {
            CelError::new("`=~` is not an operator", at..at + 2).help("write `text.matches('pattern')`")
        }
        b'=' => error("`=` is not an operator").help("write `==`"),
        b'&' => error("`&` is not an operator").help("write `&&`"),
        b'|' => error("`|` is not an operator").help("write `||`"),
        _ => error(&format!("unexpected `{}`", rest[..length].escape_debug())),
    })
}

fn is_quotable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-/ ".contains(&byte)
}

fn run(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| wanted(**byte)).count()
}

fn number(text: &str, at: usize) -> Result<(Token, usize), CelError> {
    let bytes = &text.as_bytes()[at..];
    let digits = |from: usize| run(&bytes[from.min(bytes.len())..], |byte| byte.is_ascii_digit());
    let (whole, radix) = match run(bytes.get(2..).unwrap_or_default(), |byte| byte.is_ascii_hexdigit()) {
        length if length > 0 && bytes.starts_with(b"0x") => (length + 2, 16),
        _ => (digits(0), 10),
    };
    let mut end = whole;
    if radix == 10 {
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if digits(end + 1 + sign) > 0 {
                end += 1 + sign + digits(end + 1 + sign);
            }
        }
    }
    let written = &text[at..at + end];
    if end > whole {
        let value: f64 = written.parse().unwrap_or(f64::INFINITY);
        if value.is_infinite() {
            return Err(CelError::new(format!("`{written}` is too large for a double"), at..at + end));
        }
        return Ok((Token::Literal(Value::Double(value)), end));
    }
    if matches!(bytes.get(end), Some(b'u' | b'U')) {
        let digits = if radix == 16 { &written[2..] } else { written };
        return match u64::from_str_radix(digits, radix) {
            Ok(value) => Ok((Token::Literal(Value::Uint(value)), end + 1)),
            Err(_) => Err(CelError::new(format!("`{written}u` is too large for a uint"), at..at + end + 1)),
        };
    }
    Ok((Token::Digits, end))
}

/// Parses decimal or hexadecimal digits; `None` if an int cannot hold them.
pub(super) fn int(digits: &str, negative: bool) -> Option<i64> {
    let sign = if negative { "-" } else { "" };
    match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
        None => format!("{sign}{digits}").parse().ok(),
    }
}

/// Reads the string or bytes that begin here, if any do, and returns their length too.
fn quoted(text: &str, at: usize) -> Result<Option<(Token, usize)>, CelError> {
    let rest = &text[at..];
    let bytes = rest.as_bytes();
    let is_bytes = matches!(bytes[0], b'b' | b'B');
    let mut start = usize::from(is_bytes);
    let is_raw = matches!(bytes.get(start), Some(b'r' | b'R'));
    start += usize::from(is_raw);
    let Some(quote @ (b'"' | b'\'')) = bytes.get(start).copied() else { return Ok(None) };
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let mark = if triple { &bytes[start..start + 3] } else { &bytes[start..=start] };
    let first = start + mark.len();
    let mut end = first;
    while end < bytes.len() && !bytes[end..].starts_with(mark) {
        if !triple && matches!(bytes[end], b'\n' | b'\r') {
            break;
        }
        end += if bytes[end] == b'\\' && !is_raw { 2 } else { 1 };
    }
    if end >= bytes.len() || !bytes[end..].starts_with(mark) {
        let mark = char::from(quote);
        return Err(CelError::new("unterminated string", at..text.len()).help(format!("close it with `{mark}`")));
    }
    let inner = &rest[first..end];
    let normal = if triple { inner.replace("\r\n", "\n").replace('\r', "\n") } else { inner.to_owned() };
    let value = if is_raw { normal.into_bytes() } else { unescape(&normal, is_bytes, at + first)? };
    let value = match String::from_utf8(value) {
        Ok(value) if !is_bytes => Value::String(value),
        Ok(value) => Value::Bytes(value.into_bytes()),
        Err(error) => Value::Bytes(error.into_bytes()),
    };
    Ok(Some((Token::Literal(value), end + mark.len())))
}

fn unescape(text: &str, is_bytes: bool, at: usize) -> Result<Vec<u8>, CelError> {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        value.extend_from_slice(&rest.as_bytes()[..start]);
        let offset = at + text.len() - rest.len() + start;
        let escape = &rest[start + 1..];
        let letter = escape.chars().next().unwrap_or('\\');
        let error = || {
            CelError::new(
                format!("`\\{}` is not an escape sequence", letter.escape_debug()),
                offset..offset + 1 + letter.len_utf8(),
            )
            .help("write a backslash as `\\\\`, or the string as r'…'")
        };
        let code = |from: usize, length: usize, radix: u32| {
            let digits = escape.get(from..from + length)?;
            digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
            u32::from_str_radix(digits, radix).ok()
        };
        let (code, length) = match letter {
            'a' => (Some(7), 1),
            'b' => (Some(8), 1),
            'f' => (Some(12), 1),
            'n' => (Some(10), 1),
            'r' => (Some(13), 1),
            't' => (Some(9), 1),
            'v' => (Some(11), 1),
            '\\' | '\'' | '"' | '`' | '?' => (Some(u32::from(letter)), 1),
            'x' | 'X' => (code(1, 2, 16), 3),
            'u' if !is_bytes => (code(1, 4, 16), 5),
            'U' if !is_bytes => (code(1, 8, 16), 9),
            '0'..='3' => (code(0, 3, 8), 3),
            _ => (None, 1),
        };
        let code = code.ok_or_else(error)?;
        if is_bytes {
            value.push(u8::try_from(code).map_err(|_| error())?);
        } else {
            let c = char::from_u32(code).ok_or_else(error)?;
            value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = &escape[length..];
    }
    value.extend_from_slice(rest.as_bytes());
    Ok(value)
}
