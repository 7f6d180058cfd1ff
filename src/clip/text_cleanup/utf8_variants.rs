//! Non-standard variants of UTF-8.
//!
//! Comes in: bytes. Goes out: text, or `None` if they are not even that. Besides UTF-8 it reads
//! surrogate pairs written as two sequences of three bytes (CESU-8) and Java's two-byte NUL; what
//! ftfy 6.3.1 calls `utf-8-variants`, with its habits at the end of a line.

/// Reads `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let special = rest.iter().enumerate().position(|(at, _)| is_special(rest.get(at..).unwrap_or_default()));
        let (plain, tail) = rest.split_at(special.unwrap_or(rest.len()));
        text.push_str(std::str::from_utf8(plain).ok()?);
        if tail.is_empty() {
            return Some(text);
        }
        let (c, length) = special_char(tail)?;
        text.push(c);
        rest = tail.get(length..).unwrap_or_default();
    }
}

/// A sequence that strict UTF-8 refuses and this reader may know.
fn is_special(bytes: &[u8]) -> bool {
    match bytes {
        // The end counts as a match, also before a final line feed: ftfy reads that line feed as part of the NUL.
        [0xC0, 0x80, ..] | [0xC0, b'\n'] | [0xED, 0xA0..=0xBF, ..] => true,
        _ => false,
    }
}

/// The character at the beginning of `bytes` and how many bytes it takes.
fn special_char(bytes: &[u8]) -> Option<(char, usize)> {
    let (high, low) = match *bytes {
        [0xC0, _, ..] => return Some(('\0', 2)),
        [0xED, a @ 0xA0..=0xAF, b @ 0x80..=0xBF, 0xED, c @ 0xB0..=0xBF, d @ 0x80..=0xBF, ..] => ([a, b], [c, d]),
        // As above: a final line feed stands for the last byte.
        [0xED, a @ 0xA0..=0xAF, b @ 0x80..=0xBF, 0xED, c @ 0xB0..=0xBF, d @ b'\n'] => ([a, b], [c, d]),
        _ => return None,
    };
    let bits = |byte: u8, mask: u8, shift: u32| u32::from(byte & mask) << shift;
    let code =
        0x10000 + bits(high[0], 0x0F, 16) + bits(high[1], 0x3F, 10) + bits(low[0], 0x0F, 6) + bits(low[1], 0x3F, 0);
    char::from_u32(code).map(|c| (c, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_utf8_passes() {
        assert_eq!(decode("é 한 😀".as_bytes()).as_deref(), Some("é 한 😀"));
    }

    #[test]
    fn surrogate_pairs_and_nul_are_read() {
        assert_eq!(decode(b"a\xED\xA0\xBD\xED\xB8\x80b\xC0\x80").as_deref(), Some("a😀b\0"));
    }

    #[test]
    fn half_a_pair_is_refused() {
        assert_eq!(decode(b"a\xED\xA0\xBD"), None);
        assert_eq!(decode(b"\xED\xB8\x80"), None);
        assert_eq!(decode(b"\xC0"), None);
        assert_eq!(decode(b"\xFF"), None);
    }
}
