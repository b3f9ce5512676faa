//! Masks secrets in the output of other programs, in any encoding.

use secrecy::ExposeSecret;
use talosmith_render::Secrets;
use zeroize::Zeroizing;

const MASK: &str = "[secret]";

/// Shorter secrets, in bytes, are not searched for in hex and base64, where they would match by chance.
const SHORTEST_ENCODED: usize = 4;

/// A part of a secret of this many bytes is masked, wherever it begins: a tool may quote half of a value. Words such as `password` are
/// shorter.
const SHORTEST_PART: usize = 10;

/// An encoding in which a secret may appear. The text is decoded while it is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    /// URL-encoded, with any of the characters escaped.
    Percent,
    /// Escaped as in JSON, YAML or a shell: `\"`, `\\`, `\/`, `\u0041`, `\x41`.
    Backslash,
    /// Standard or URL alphabet, with or without line breaks.
    Base64,
    /// Upper or lower case, with or without spaces or colons between the digits.
    Hex,
}

impl Encoding {
    /// Decodes the byte at an offset of `text`. Returns it and the offset of the next one. Base64 and hex stay encoded, but normalized.
    fn decode_next(self, text: &[u8], at: usize) -> Option<(u8, usize)> {
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
                b'\n' | b'\r' | b' ' => return self.decode_next(text, at + 1),
                b'-' => (b'+', at + 1),
                b'_' => (b'/', at + 1),
                _ => (byte, at + 1),
            },
            Self::Hex => match byte {
                b'\n' | b'\r' | b' ' | b':' => return self.decode_next(text, at + 1),
                _ => (byte.to_ascii_lowercase(), at + 1),
            },
        };
        Some(found)
    }
}

/// One encoding of one secret.
struct Needle {
    encoding: Encoding,
    text: Zeroizing<Vec<u8>>,
}

impl Needle {
    /// The offset after the needle if it begins at `start`.
    fn match_end(&self, text: &[u8], start: usize) -> Option<usize> {
        let gap = matches!(self.encoding, Encoding::Base64 | Encoding::Hex) && !text.get(start)?.is_ascii_graphic();
        if gap || text.get(start) == Some(&b':') && self.encoding == Encoding::Hex {
            return None; // Separators are skipped between characters, but not before the first.
        }
        let mut at = start;
        for wanted in self.text.iter() {
            let (found, next) = self.encoding.decode_next(text, at)?;
            if found != *wanted {
                return None;
            }
            at = next;
        }
        if self.encoding == Encoding::Base64 {
            // The next character may contain bits of the secret as well as of what follows.
            at += text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte)).count();
        }
        Some(at)
    }
}

/// Masks secrets in strings: plain, base64 in all three alignments, hex, URL-encoded and escaped.
#[derive(Default)]
pub(super) struct Redactor {
    needles: Vec<Needle>,
}

impl Redactor {
    pub(super) fn new(secrets: &Secrets) -> Self {
        let mut redactor = Self::default();
        secrets.values().for_each(|secret| redactor.add(secret.expose_secret()));
        redactor
    }

    pub(super) fn add(&mut self, secret: &str) {
        let bytes = secret.as_bytes();
        if bytes.is_empty() {
            return;
        }
        let mut add = |encoding, text| self.needles.push(Needle { encoding, text });
        for encoding in [Encoding::Plain, Encoding::Percent, Encoding::Backslash] {
            add(encoding, Zeroizing::new(bytes.to_vec()));
        }
        if bytes.len() >= SHORTEST_ENCODED {
            add(Encoding::Hex, hex(bytes));
            for before in 0..3 {
                add(Encoding::Base64, base64_core(bytes, before));
            }
        }
    }

    /// Masks every secret, and everything with the form of a Tailscale key.
    pub(super) fn redact(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut clean = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let needles = self.needles.iter().filter_map(|needle| needle.match_end(bytes, at));
            match needles.chain(tailscale_key_end(bytes, at)).max() {
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
        // A match can only split a character next to it if the output was not valid UTF-8 to begin with.
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Masks also what has a part of a secret in it. `text` is short.
    pub(super) fn redact_parts(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let plain = || self.needles.iter().filter(|needle| needle.encoding == Encoding::Plain);
        let part = |at: usize| {
            let window = bytes.get(at..at + SHORTEST_PART)?;
            let starts = plain().flat_map(|needle| {
                let windows = needle.text.windows(SHORTEST_PART).enumerate();
                windows.filter(|(_, known)| *known == window).map(|(from, _)| &needle.text[from..])
            });
            starts.map(|known| known.iter().zip(&bytes[at..]).take_while(|(a, b)| a == b).count()).max()
        };
        let mut clean = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            match part(at) {
                Some(length) => {
                    clean.extend_from_slice(MASK.as_bytes());
                    at += length;
                }
                None => {
                    clean.push(bytes[at]);
                    at += 1;
                }
            }
        }
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Whether the text contains one of the secrets in any encoding.
    pub(super) fn contains_secret(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (0..bytes.len()).any(|at| self.needles.iter().any(|needle| needle.match_end(bytes, at).is_some()))
    }
}

/// The offset after a Tailscale key that begins at `start`: `tskey-<kind>-<id>[-<secret>]`, <https://tailscale.com/kb/1277/key-prefixes>.
fn tailscale_key_end(text: &[u8], start: usize) -> Option<usize> {
    let tail = text.get(start..)?.strip_prefix(b"tskey-")?;
    let kind = tail.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let secret = tail.get(kind..)?.strip_prefix(b"-")?;
    let length = secret.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    (kind > 0 && length > 0).then(|| text.len() - secret.len() + length)
}

fn hex(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Zeroizing::new(digits.map(|digit| b"0123456789abcdef"[usize::from(digit)]).collect())
}

/// The base64 characters that depend on `bytes` only, if `before` bytes (modulo 3) precede them.
fn base64_core(bytes: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| {
        let byte = (at / 8).checked_sub(before).map_or(0, |index| bytes[index]);
        usize::from(byte >> (7 - at % 8) & 1)
    };
    // A character has six bits: the first one that depends on `bytes` only, and the first one that does not.
    let first = (before * 8).div_ceil(6);
    let end = (before + bytes.len()) * 8 / 6;
    let character = |at: usize| ALPHABET[(at * 6..at * 6 + 6).fold(0, |value, at| value << 1 | bit(at))];
    Zeroizing::new((first..end).map(character).collect())
}

#[cfg(test)]
mod tests;
