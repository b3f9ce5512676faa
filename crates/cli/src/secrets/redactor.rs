//! Takes secrets out of a text that another program wrote, whatever form they have in it.

use secrecy::ExposeSecret;
use talosmith_render::Secrets;
use zeroize::Zeroizing;

/// What stands where a secret stood.
const MASK: &str = "[secret]";

/// Encoded forms of a shorter text say little and would match by chance.
const SHORTEST_ENCODED: usize = 4;

/// How a text may write a secret. Reading a text with a form undoes it, so one comparison serves all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// URL-encoded, with any of the characters escaped.
    Percent,
    /// As JSON, YAML or a shell quotes it: `\"`, `\\`, `\/`, `\u0041`, `\x41`.
    Backslash,
    /// Standard or URL alphabet, broken into lines or not.
    Base64,
    /// Any case, with blanks or colons between the digits or not.
    Hex,
}

impl Form {
    /// The next character of what `text` stands for, and where the one after it begins.
    fn read(self, text: &[u8], at: usize) -> Option<(u8, usize)> {
        let byte = *text.get(at)?;
        let digits = |from: usize, count: usize| {
            let digits = std::str::from_utf8(text.get(from..from + count)?).ok()?;
            let digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(digits)?;
            u8::try_from(u16::from_str_radix(digits, 16).ok()?).ok()
        };
        let found = match self {
            Self::Plain => (byte, at + 1),
            Self::Percent if byte == b'%' => digits(at + 1, 2).map_or((byte, at + 1), |value| (value, at + 3)),
            Self::Percent if byte == b'+' => (b' ', at + 1),
            Self::Percent => (byte, at + 1),
            Self::Backslash if byte == b'\\' => match *text.get(at + 1)? {
                b'u' => (digits(at + 2, 4)?, at + 6),
                b'x' => (digits(at + 2, 2)?, at + 4),
                escaped => (escaped, at + 2),
            },
            Self::Backslash => (byte, at + 1),
            Self::Base64 => match byte {
                b'\n' | b'\r' | b' ' => return self.read(text, at + 1),
                b'-' => (b'+', at + 1),
                b'_' => (b'/', at + 1),
                _ => (byte, at + 1),
            },
            Self::Hex => match byte {
                b'\n' | b'\r' | b' ' | b':' => return self.read(text, at + 1),
                _ => (byte.to_ascii_lowercase(), at + 1),
            },
        };
        Some(found)
    }
}

/// One form of one secret.
struct Needle {
    form: Form,
    text: Zeroizing<Vec<u8>>,
}

impl Needle {
    /// Where the needle ends if it begins at `start`.
    fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        let gap = matches!(self.form, Form::Base64 | Form::Hex) && !text.get(start)?.is_ascii_graphic();
        if gap || text.get(start) == Some(&b':') && self.form == Form::Hex {
            return None; // What is skipped between characters is not skipped in front of the first.
        }
        let mut at = start;
        for wanted in self.text.iter() {
            let (found, next) = self.form.read(text, at)?;
            if found != *wanted {
                return None;
            }
            at = next;
        }
        if self.form == Form::Base64 {
            // The last character may hold some bits of the secret and some of what follows.
            at += text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte)).count();
        }
        Some(at)
    }
}

/// Knows secrets, and masks them in a text: plain, base64 in all three alignments, hex, URL-encoded and quoted.
#[derive(Default)]
pub struct Redactor {
    needles: Vec<Needle>,
}

impl Redactor {
    /// Knows every secret that has a value.
    #[must_use]
    pub fn of(secrets: &Secrets) -> Self {
        let mut redactor = Self::default();
        secrets.values().for_each(|secret| redactor.learn(secret.expose_secret()));
        redactor
    }

    /// Learns a secret. An empty one is nothing to hide.
    pub fn learn(&mut self, secret: &str) {
        let bytes = secret.as_bytes();
        if bytes.is_empty() {
            return;
        }
        let mut add = |form, text| self.needles.push(Needle { form, text });
        for form in [Form::Plain, Form::Percent, Form::Backslash] {
            add(form, Zeroizing::new(bytes.to_vec()));
        }
        if bytes.len() >= SHORTEST_ENCODED {
            add(Form::Hex, hex(bytes));
            for before in 0..3 {
                add(Form::Base64, base64_core(bytes, before));
            }
        }
    }

    /// The text with every secret that was learnt, and everything with the shape of a Tailscale key, masked.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut clean = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let needles = self.needles.iter().filter_map(|needle| needle.end(bytes, at));
            match needles.chain(key_shape_end(bytes, at)).max() {
                Some(end) => {
                    clean.extend_from_slice(MASK.as_bytes());
                    at = end;
                }
                None => {
                    clean.push(bytes[at]);
                    at += 1;
                }
            }
        }
        // A mask can cut a character of the text around it in two only if the text was odd; show what is left of it.
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Whether the text holds a secret that was learnt, in any form.
    #[must_use]
    pub fn finds_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (0..bytes.len()).any(|at| self.needles.iter().any(|needle| needle.end(bytes, at).is_some()))
    }
}

/// Where a Tailscale key ends that begins at `start`: `tskey-<kind>-<id>[-<secret>]`, <https://tailscale.com/kb/1277/key-prefixes>.
fn key_shape_end(text: &[u8], start: usize) -> Option<usize> {
    let tail = text.get(start..)?.strip_prefix(b"tskey-")?;
    let kind = tail.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let secret = tail.get(kind..)?.strip_prefix(b"-")?;
    let length = secret.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    (kind > 0 && length > 0).then(|| text.len() - secret.len() + length)
}

fn hex(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)];
    Zeroizing::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

/// The characters of base64 that depend on `bytes` alone, if `before` bytes (modulo 3) stand in front of them.
fn base64_core(bytes: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| {
        let byte = (at / 8).checked_sub(before).map_or(0, |index| bytes[index]);
        usize::from(byte >> (7 - at % 8) & 1)
    };
    // A character is six bits: the first that is all ours, and the first that is not any more.
    let first = (before * 8).div_ceil(6);
    let end = (before + bytes.len()) * 8 / 6;
    let character = |at: usize| ALPHABET[(at * 6..at * 6 + 6).fold(0, |value, at| value << 1 | bit(at))];
    Zeroizing::new((first..end).map(character).collect())
}

#[cfg(test)]
mod tests;
