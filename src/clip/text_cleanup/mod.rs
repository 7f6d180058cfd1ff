//! Typed text → the plain text a tokenizer was trained on.
//!
//! Comes in: any text. Goes out: text in lower case without mojibake, character references, curly
//! quotes, ligatures, full-width letters, control characters or double spaces. Never fails.
//! The steps are CLIP's: ftfy's `fix_text` (6.3.1, default settings), `html.unescape` twice, strip,
//! collapse white space, lower case. Versions of Unicode: docs/unsupported.md.

mod code_pages;
mod entities;
mod mojibake;
mod suspicion;
mod utf8_variants;

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// Longer lines are repaired in pieces of this many characters (ftfy).
const SEGMENT_CHARS: usize = 1_000_000;

/// A terminal's colour and cursor commands.
static TERMINAL_COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\x1B\[[\d;]*[a-zA-Z]").ok());

/// Cleans `text` for the tokenizer.
pub fn clean(text: &str) -> String {
    let fixed = fix_text(text);
    let plain = entities::unescape(&entities::unescape(&fixed));
    let mut collapsed = String::with_capacity(plain.len());
    for word in plain.trim_matches(is_python_space).split(char::is_whitespace).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed.trim_matches(is_python_space).to_lowercase()
}

/// What Python strips: white space and the four information separators.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Mends `text` line by line.
fn fix_text(text: &str) -> String {
    let mut fixed = String::with_capacity(text.len());
    // Text with a tag is markup: from the first `<` on its references are meant as they stand.
    let mut references = true;
    for line in text.split_inclusive('\n') {
        let chars: Vec<char> = line.chars().collect();
        for segment in chars.chunks(SEGMENT_CHARS) {
            references &= !segment.contains(&'<');
            fixed.push_str(&fix_segment(segment.iter().collect(), references));
        }
    }
    fixed
}

/// Applies every repair until none changes anything.
fn fix_segment(mut text: String, references: bool) -> String {
    loop {
        let before = text.clone();
        if references {
            text = entities::unescape_strict(&text);
        }
        text = mojibake::fix_encoding(&text);
        text = replace_characters(&text);
        if let Some(pattern) = TERMINAL_COMMAND.as_ref() {
            text = pattern.replace_all(&text, "").into_owned();
        }
        text = text.chars().filter(|c| !is_control(*c)).nfc().collect();
        if text == before {
            return text;
        }
    }
}

/// C1 controls, ligatures, widths, quotes and line ends, in this order.
fn replace_characters(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    for c in text.chars().map(code_pages::c1_as_windows) {
        match ligature(c) {
            Some(letters) => letters.chars().for_each(|c| push_standard(&mut replaced, c)),
            None => push_standard(&mut replaced, c),
        }
    }
    replaced.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n")
}

/// Appends `c` in standard width, quotes straight.
fn push_standard(text: &mut String, c: char) {
    match c {
        '\u{3000}' => text.push(' '),
        '\u{ff01}'..='\u{ffef}' => text.extend(std::iter::once(c).nfkc()),
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => text.push('\''),
        '\u{201c}'..='\u{201f}' => text.push('"'),
        _ => text.push(c),
    }
}

/// The letters of a Latin ligature or of a digraph kept for old encodings.
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "ʼn",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Characters without a glyph that carry no meaning; joiners, direction marks and tags are kept.
fn is_control(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples() {
        for (text, expected) in [
            ("  A\tB\u{a0}\r\n c ", "a b c"),
            ("Ã©tÃ© &amp;amp; “x”", "été & \"x\""),
            ("ＬＯＵＤ　ＮＯＩＳＥＳ", "loud noises"),
            ("ﬁne \u{1b}[31mred\u{1b}[0m\u{7}", "fine red"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("İ", "i\u{307}"),
            ("cafe\u{301}", "café"),
            ("<b>&EACUTE;</b>", "<b>&eacute;</b>"),
            ("", ""),
        ] {
            assert_eq!(clean(text), expected, "{text}");
        }
    }
}
