//! Reads the output of a program without copies that stay in memory.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// The size of the first buffer in bytes: enough for a secret or a short listing.
const FIRST: usize = 4096;

/// Reads to the end; none if there are more than `cap` bytes.
///
/// `read_to_end` would move its vector to grow it, and a secret would stay in the memory that it frees. Here every buffer is cleared.
pub(super) fn capture(mut source: impl Read, cap: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut buffer = Zeroizing::new(vec![0; FIRST]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            let mut larger = Zeroizing::new(vec![0; length * 2]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        match source.read(&mut buffer[length..]) {
            Ok(0) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length > cap {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_come_through_unchanged() {
        let text: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
        assert_eq!(capture(text.as_slice(), text.len()).unwrap().as_deref(), Some(&text));
    }

    #[test]
    fn one_byte_over_the_cap_is_too_much() {
        assert_eq!(capture(b"12345".as_slice(), 5).unwrap().as_deref().map(Vec::as_slice), Some(b"12345".as_slice()));
        assert_eq!(capture(b"123456".as_slice(), 5).unwrap(), None);
    }
}
