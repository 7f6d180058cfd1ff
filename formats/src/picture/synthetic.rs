//! Whether a picture is marked as synthetic.
//!
//! Comes in: the bytes of a picture file. Goes out: true for PNG files that carry the note of
//! `mvfa phantom`. Cannot fail: a damaged file carries no note, and decoding reports what is wrong with it.

/// How a phantom's note contains itself, in lower case.
const NOTE: &[u8] = b"synthetic phantom";
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const KEYWORD: &[u8] = b"Description\0";

/// Whether the file is a PNG whose `Description` states that it is a synthetic phantom.
pub fn is_synthetic(bytes: &[u8]) -> bool {
    descriptions(bytes).any(|text| text.windows(NOTE.len()).any(|part| part.eq_ignore_ascii_case(NOTE)))
}

/// The texts of the uncompressed `Description` chunks.
fn descriptions(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes.strip_prefix(SIGNATURE).unwrap_or_default();
    // Length, type, content, check sum; one after the other to the end of the file.
    let chunks = std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after.get(4..)?;
        Some((kind, content))
    });
    chunks.filter(|(kind, _)| *kind == b"tEXt").filter_map(|(_, content)| content.strip_prefix(KEYWORD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        for (kind, content) in chunks {
            file.extend((content.len() as u32).to_be_bytes());
            file.extend(*kind);
            file.extend(*content);
            file.extend([0; 4]);
        }
        file
    }

    #[test]
    fn the_note_of_a_phantom_is_found_behind_other_chunks() {
        let header = (b"IHDR", [0; 13].as_slice());
        let other = (b"tEXt", b"Author\0synthetic phantom".as_slice());
        let note = (b"tEXt", b"Description\0Mask of a Synthetic phantom made by mvfa phantom".as_slice());
        assert!(is_synthetic(&png(&[header, other, note])));
        assert!(!is_synthetic(&png(&[header, other])));
        assert!(!is_synthetic(&png(&[(b"tEXt", b"Description\0a brain")])));
    }

    #[test]
    fn cut_and_foreign_files_carry_none() {
        let file = png(&[(b"tEXt", b"Description\0Synthetic phantom")]);
        // Without its check sum a chunk is not whole.
        for end in 0..file.len() {
            assert!(!is_synthetic(&file[..end]), "{end}");
        }
        assert!(!is_synthetic(b"Description\0Synthetic phantom"));
        let endless = [SIGNATURE, &[0xff; 4], b"tEXt", b"Description\0Synthetic phantom"].concat();
        assert!(!is_synthetic(&endless));
    }
}
