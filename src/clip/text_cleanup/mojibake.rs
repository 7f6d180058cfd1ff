//! Undoes reading UTF-8 in the wrong encoding.
//!
//! Comes in: text. Goes out: the text as it was meant, or unchanged if nothing is suspect or no
//! reading is convincing. Never fails. The steps and their order are those of ftfy 6.3.1's
//! `fix_encoding` (Apache-2.0): go back to bytes by each code page in turn and read those as UTF-8;
//! else repair only the stretches that look like UTF-8; else read C1 controls as Windows does.

use std::sync::LazyLock;

use regex::bytes::Regex as ByteRegex;

use super::code_pages::{CODE_PAGES, CodePage, LATIN_1, c1_as_windows};
use super::suspicion::is_suspect;
use super::utf8_variants;

/// What the first byte of two becomes in some single-byte encoding.
const FIRST_OF_2: &str = "Â-ßĀĂĆČĎĐĒĖĘĚĞĢĪİĶĹĻŁŃŅŇŌŐŘŚŞŠŢŪŮŰŲŹŻŽΒ-ΡΣ-ίВ-Я";
/// What the first byte of three becomes.
const FIRST_OF_3: &str = "à-ïāăąćčďēėęěģīįķĺļŕźΰ-οа-п";
/// What the first byte of four becomes; other such bytes lead to no assigned character.
const FIRST_OF_4: &str = "ðóđğšπσру";
/// What a following byte becomes, with the space that a no-break space may have turned into.
const FOLLOWING: &str = " \u{80}-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ–-―‘-‚“-„†-•…‰‹›€№™";
/// The same without characters that are common in good text.
const FOLLOWING_STRICT: &str = "\u{80}-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†‡‰‹›€№™";

/// UTF-8 in which byte 0xA0 has become a space; leads are limited to those that then give likely characters.
static SPACE_FOR_A0: LazyLock<Option<ByteRegex>> = LazyLock::new(|| {
    ByteRegex::new(
        r"(?s-u)[\xC2\xC3\xC5\xCE\xD0\xD9] |[\xE2\xE3] [\x80-\x84\x86-\x9F\xA1-\xBF]|[\xE0-\xE3][\x80-\x84\x86-\x9F\xA1-\xBF] |\xF0 [\x80-\xBF]{2}|\xF0[\x80-\xBF] [\x80-\xBF]|\xF0[\x80-\xBF]{2} ",
    )
    .ok()
});

/// UTF-8 (and surrogates written as UTF-8) with bytes lost: 0x1A, or one `?`.
static LOSSY: LazyLock<Option<ByteRegex>> = LazyLock::new(|| {
    ByteRegex::new(concat!(
        r"(?s-u)[\xC2-\xDF]\x1A|[\xC2\xC3]\?",
        r"|\xED[\xA0-\xAF][\x1A?]\xED[\xB0-\xBF][\x1A?\x80-\xBF]",
        r"|\xED[\xA0-\xAF][\x1A?\x80-\xBF]\xED[\xB0-\xBF][\x1A?]",
        r"|[\xE0-\xEF][\x1A?][\x1A\x80-\xBF]|[\xE0-\xEF][\x1A\x80-\xBF][\x1A?]",
        r"|[\xF0-\xF4][\x1A?][\x1A\x80-\xBF]{2}",
        r"|[\xF0-\xF4][\x1A\x80-\xBF][\x1A?][\x1A\x80-\xBF]",
        r"|[\xF0-\xF4][\x1A\x80-\xBF]{2}[\x1A?]",
        r"|\x1A"
    ))
    .ok()
});

/// What may follow `0xC3 0x20` when the space belongs to the word: Portuguese contractions, another space.
const NOT_A_WORD_OF_ITS_OWN: [&[u8]; 5] = [b" ", b"quele", b"quela", b"quilo", b"s "];

/// Undoes every layer of wrong reading.
pub(super) fn fix_encoding(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        match fix_once(&text) {
            Some(fixed) if fixed != text => text = fixed,
            _ => return text,
        }
    }
}

/// Undoes one layer; `None` if there is nothing to do.
fn fix_once(text: &str) -> Option<String> {
    if text.is_ascii() || !is_suspect(text) {
        return None;
    }
    if let Some(fixed) = CODE_PAGES.iter().find_map(|page| reread(text, page)) {
        return Some(fixed);
    }
    let fixed = fix_stretches(text);
    if fixed != text {
        return Some(fixed);
    }
    // Text of Latin-1 only that Windows-1252 reads without a hole was meant in Windows-1252.
    let windows: String = text.chars().map(c1_as_windows).collect();
    let has_hole = windows.chars().any(is_c1);
    if LATIN_1.encode(text).is_some() && !has_hole && windows != text {
        return Some(windows);
    }
    text.chars().any(is_c1).then_some(windows)
}

fn is_c1(c: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&c)
}

/// `text` as bytes of `page`, read as UTF-8; `None` if either step is impossible.
fn reread(text: &str, page: &CodePage) -> Option<String> {
    let mut bytes = page.encode(text)?;
    if !page.no_break_space_elsewhere {
        bytes = restore_a0(bytes);
    }
    if page.windows {
        bytes = match LOSSY.as_ref() {
            Some(pattern) => pattern.replace_all(&bytes, "\u{fffd}".as_bytes()).into_owned(),
            None => bytes,
        };
    }
    if bytes.contains(&0xED) || bytes.contains(&0xC0) {
        utf8_variants::decode(&bytes)
    } else {
        String::from_utf8(bytes).ok()
    }
}

/// Puts byte 0xA0 back where a space stands in its place inside a UTF-8 sequence.
fn restore_a0(bytes: Vec<u8>) -> Vec<u8> {
    let Some(pattern) = SPACE_FOR_A0.as_ref() else { return bytes };
    if !pattern.is_match(&bytes) {
        return bytes;
    }
    // `Ã ` alone is nearly always the word `à`: its letter comes back and the space stays.
    let mut spaced = Vec::with_capacity(bytes.len() + 8);
    let mut rest = bytes.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        spaced.push(first);
        rest = after;
        if let (0xC3, Some(tail)) = (first, after.strip_prefix(b" "))
            && !NOT_A_WORD_OF_ITS_OWN.iter().any(|word| tail.starts_with(word))
        {
            spaced.extend_from_slice(b"\xA0 ");
            rest = tail;
        }
    }
    let restore = |found: &regex::bytes::Captures<'_>| -> Vec<u8> {
        found.get(0).map_or(&[][..], |m| m.as_bytes()).iter().map(|b| if *b == b' ' { 0xA0 } else { *b }).collect()
    };
    pattern.replace_all(&spaced, restore).into_owned()
}

/// Repairs each stretch that looks like UTF-8 and leaves the rest.
fn fix_stretches(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut fixed = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let after_following = at.checked_sub(1).and_then(|i| chars.get(i)).is_some_and(|p| is_in(FOLLOWING_STRICT, *p));
        let length = if after_following { 0 } else { stretch(chars.get(at..).unwrap_or_default()) };
        if length == 0 {
            fixed.push(c);
            at += 1;
            continue;
        }
        let found: String = chars.iter().skip(at).take(length).collect();
        // A stretch as long as the text would be asked about again and again.
        if length < chars.len() && is_suspect(&found) {
            fixed.push_str(&fix_encoding(&found));
        } else {
            fixed.push_str(&found);
        }
        at += length;
    }
    fixed
}

/// Characters at the beginning of `chars` that look like UTF-8 sequences one after the other.
fn stretch(chars: &[char]) -> usize {
    let mut length = 0;
    loop {
        let rest = chars.get(length..).unwrap_or_default();
        let Some((first, after)) = rest.split_first() else { return length };
        let follow = after.iter().take_while(|c| is_in(FOLLOWING, **c)).take(3).count();
        length += if follow >= 1 && is_in(FIRST_OF_2, *first) {
            2
        } else if follow >= 2 && is_in(FIRST_OF_3, *first) {
            3
        } else if follow >= 3 && is_in(FIRST_OF_4, *first) {
            4
        } else {
            return length;
        };
    }
}

/// Whether `c` is in `group`, a list of characters and `a-z` ranges.
fn is_in(group: &str, c: char) -> bool {
    let mut chars = group.chars().peekable();
    while let Some(first) = chars.next() {
        let last = if chars.next_if_eq(&'-').is_some() { chars.next().unwrap_or(first) } else { first };
        if (first..=last).contains(&c) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_layers_are_undone() {
        assert_eq!(fix_encoding("cafÃ©"), "café");
        assert_eq!(fix_encoding("Ã¢â‚¬â„¢"), "’");
        assert_eq!(fix_encoding("РџСЂРёРІРµС‚"), "Привет");
    }

    #[test]
    fn a_lost_no_break_space_comes_back() {
        assert_eq!(fix_encoding("voilÃ le travail"), "voilà le travail");
        assert_eq!(fix_encoding("Ã s vezes"), "às vezes");
    }

    #[test]
    fn lost_bytes_become_one_mark() {
        assert_eq!(fix_encoding("â€œ like this â€\u{fffd}"), "“ like this \u{fffd}");
    }

    #[test]
    fn a_stretch_is_mended_alone() {
        assert_eq!(fix_encoding("日本 cafÃ©"), "日本 café");
    }

    #[test]
    fn good_text_stays() {
        for text in ["", "plain", "naïve café", "Å b", "日本語 “x”"] {
            assert_eq!(fix_encoding(text), text);
        }
    }
}
