//! Does a text look as if it had been read in the wrong encoding?
//!
//! Comes in: text. Goes out: yes or no. A text is suspect when it holds one of a list of neighbours
//! that hardly occur in any language but do occur when UTF-8 is read as a single-byte encoding:
//! a small accented letter before a currency sign, a capital before a box line, and so on.
//! Character groups and neighbours are those of ftfy 6.3.1, `badness.py` (Apache-2.0).

use std::sync::LazyLock;

use regex::Regex;

/// Common in good text too.
const COMMON: &str = "\u{a0}\u{ad}´·–-―’…";
/// Control characters U+0080..U+009F, never meant.
const C1: &str = "\u{80}-\u{9f}";
/// Rare in good text, common in text read wrongly.
const BAD: &str = "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\u{fffd}";
/// Signs of paragraphs.
const LAW: &str = "§¶";
/// Signs of currencies.
const CURRENCY: &str = "¢£¥₧€";
/// Punctuation that stands before a word.
const START_PUNCTUATION: &str = "¡©«¿΄΅‘‚“„•‹\u{f8ff}";
/// Punctuation that stands after a word.
const END_PUNCTUATION: &str = "®»˝”›™";
/// Signs of arithmetic.
const NUMERIC: &str = "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥";
/// Letters that faces are drawn with.
const KAOMOJI: &str = "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ";
/// Capitals with accents.
const UPPER_ACCENTED: &str = "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
/// Small letters with accents.
const LOWER_ACCENTED: &str = "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ";
/// Capitals of other alphabets.
const UPPER_COMMON: &str = "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я";
/// Small letters of other alphabets.
const LOWER_COMMON: &str = "ά-ωа-џ";
/// Lines and blocks.
const BOX: &str = "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓";

/// Placeholders in [`NEIGHBOURS`] and the groups they stand for.
const GROUPS: [(&str, &str); 14] = [
    ("{common}", COMMON),
    ("{c1}", C1),
    ("{bad}", BAD),
    ("{law}", LAW),
    ("{cur}", CURRENCY),
    ("{start}", START_PUNCTUATION),
    ("{end}", END_PUNCTUATION),
    ("{num}", NUMERIC),
    ("{kao}", KAOMOJI),
    ("{upper}", UPPER_ACCENTED),
    ("{lower}", LOWER_ACCENTED),
    ("{uppercommon}", UPPER_COMMON),
    ("{lowercommon}", LOWER_COMMON),
    ("{box}", BOX),
];

/// Neighbours that give wrongly read text away, one pattern a line.
const NEIGHBOURS: &[&str] = &[
    // Any C1 control character.
    "[{c1}]",
    // Groups that do not meet in words or prices.
    "[{bad}{lower}{upper}{box}{start}{end}{cur}{num}{law}][{bad}]",
    "[a-zA-Z][{lowercommon}{uppercommon}][{bad}]",
    "[{bad}][{lower}{upper}{box}{start}{end}{cur}{num}{law}]",
    "[{lower}{lowercommon}{box}{end}{cur}{num}][{upper}]",
    "[{box}{end}{cur}{num}][{lower}]",
    "[{lower}{box}{end}][{cur}]",
    r"[\s\x1c-\x1f][{upper}][{cur}]",
    "[{upper}{box}][{num}{law}]",
    "[{lower}{upper}{box}{cur}{end}][{start}][{num}]",
    "[{lower}{upper}{cur}{num}{box}{law}][{end}][{start}]",
    "[{cur}{num}{box}][{start}]",
    "[a-z][{upper}][{start}{cur}]",
    "[{box}][{kao}]",
    "[{lower}{upper}{cur}{num}{start}{end}{law}][{box}]",
    "[{box}][{end}]",
    r"[{lower}{upper}][{start}{end}][\p{L}\p{N}_]",
    "[Œœ][^A-Za-z]",
    "[{upper}]°",
    // UTF-8 read as Windows-1252: Latin, Arabic, South Asian.
    r"[ÂÃÎÐ][€œŠš¢£Ÿž\u{a0}\u{ad}®©°·»{start}{end}–—´]",
    "×[²³]",
    "[ØÙ][{common}{cur}{bad}{num}{start}ŸŠ®°µ»][ØÙ][{common}{cur}{bad}{num}{start}ŸŠ®°µ»]",
    "à[²µ¹¼½¾]",
    // UTF-8 read as Mac Roman.
    "√[±∂†≠®™´≤≥¥µø]",
    "≈[°¢]",
    "‚Ä[ìîïòôúùû†°¢π]",
    "‚[âó][àäê°]",
    // UTF-8 read as Windows-1251, once and on top of Windows-1252.
    "вЂ",
    "[ВГРС][{c1}{bad}{start}{end}{cur}°µ][ВГРС]",
    r"ГўВЂВ[^\n][A-Za-z ]",
    // The letters à and á and a no-break space, which often became a space.
    r"Ã[\u{a0}¡]",
    r"[a-z][\s\x1c-\x1f]?[ÃÂ][ ]",
    "^[ÃÂ][ ]",
    "[a-z.,?!{end}]Â[ {start}{end}]",
    // UTF-8 read as Windows-1253 and as Windows-1257.
    r"β€[™\u{a0}Ά\u{ad}®°]",
    "[ΒΓΞΟ][{c1}{bad}{start}{end}{cur}°][ΒΓΞΟ]",
    "ā€",
];

/// All neighbours in one pattern; `None` if the pattern were not valid (a test says it is).
static SUSPECT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let mut pattern = NEIGHBOURS.join("|");
    for (placeholder, group) in GROUPS {
        pattern = pattern.replace(placeholder, group);
    }
    Regex::new(&pattern).ok()
});

/// Whether `text` seems to have been read in the wrong encoding.
pub(super) fn is_suspect(text: &str) -> bool {
    SUSPECT.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_valid() {
        assert!(SUSPECT.is_some());
    }

    #[test]
    fn good_text_is_not_suspect() {
        for text in ["plain words", "naïve café, 5 € and £3", "Ångström Straße", "Привет", "37°C", "“quoted”", "½ µm"]
        {
            assert!(!is_suspect(text), "{text}");
        }
    }

    #[test]
    fn wrongly_read_text_is_suspect() {
        for text in ["Ã©tÃ©", "â€™s", "РџСЂРёРІРµС‚", "l\u{92}homme", "voilÃ le travail"] {
            assert!(is_suspect(text), "{text}");
        }
    }
}
