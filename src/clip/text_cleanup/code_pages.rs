//! Single-byte encodings that text is wrongly read with.
//!
//! Comes in: text, and a [`CodePage`]. Goes out: the bytes that page would have read the text from,
//! or `None` if the text holds a character the page has not. Holes of the Windows pages stand for
//! the character of the same number, as web browsers have it; in those pages byte 0x1A stands for
//! U+FFFD, so that a character which was lost before still has a place.

/// Byte that stands for a lost character in the Windows pages.
pub(super) const LOST: u8 = 0x1A;

/// How one byte reads as a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CodePage {
    /// Characters of the bytes 0x80..=0xFF; empty for Latin-1, whose characters have the bytes' numbers.
    upper: &'static str,
    /// A Windows page: byte [`LOST`] stands for U+FFFD.
    pub(super) windows: bool,
    /// A no-break space is not at 0xA0 here, so a lost one cannot be put back.
    pub(super) no_break_space_elsewhere: bool,
}

/// The pages in the order they are tried (ftfy 6.3.1): the first one that gives valid UTF-8 wins.
pub(super) const CODE_PAGES: [CodePage; 10] = [
    LATIN_1,
    WINDOWS_1252,
    windows(CP1251),
    windows(CP1250),
    windows(CP1253),
    windows(CP1254),
    windows(CP1257),
    CodePage { upper: ISO_8859_2, windows: false, no_break_space_elsewhere: false },
    CodePage { upper: MACROMAN, windows: false, no_break_space_elsewhere: true },
    CodePage { upper: CP437, windows: false, no_break_space_elsewhere: false },
];

/// ISO 8859-1: byte and character number are equal.
pub(super) const LATIN_1: CodePage = CodePage { upper: "", windows: false, no_break_space_elsewhere: false };

/// The page browsers read Latin-1 with.
const WINDOWS_1252: CodePage = windows(CP1252);

const fn windows(upper: &'static str) -> CodePage {
    CodePage { upper, windows: true, no_break_space_elsewhere: false }
}

impl CodePage {
    /// The bytes `text` was read from by this page, if that is possible.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        text.chars().map(|c| self.byte(c)).collect()
    }

    fn byte(&self, c: char) -> Option<u8> {
        match u8::try_from(u32::from(c)) {
            Ok(LOST) if self.windows => None,
            Ok(byte) if byte < 0x80 || self.upper.is_empty() => Some(byte),
            _ if self.windows && c == char::REPLACEMENT_CHARACTER => Some(LOST),
            _ => {
                let place = self.upper.chars().position(|u| u == c)?;
                u8::try_from(0x80 + place).ok()
            }
        }
    }
}

/// The character Windows-1252 has where Latin-1 has the control character `c`; holes stay as they are.
pub(super) fn c1_as_windows(c: char) -> char {
    match u32::from(c) {
        code @ 0x80..=0x9F => CP1252.chars().nth(code as usize - 0x80).unwrap_or(c),
        _ => c,
    }
}

/// Windows-1252, Western European.
const CP1252: &str = "\
    €\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\
    \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
    àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

/// Windows-1251, Cyrillic.
const CP1251: &str = "\
    ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ\
    \u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї\
    АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ\
    абвгдежзийклмнопрстуфхцчшщъыьэюя";

/// Windows-1250, Central European.
const CP1250: &str = "\
    €\u{81}‚\u{83}„…†‡\u{88}‰Š‹ŚŤŽŹ\u{90}‘’“”•–—\u{98}™š›śťžź\
    \u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
    ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";

/// Windows-1253, Greek.
const CP1253: &str = "\
    €\u{81}‚ƒ„…†‡\u{88}‰\u{8a}‹\u{8c}\u{8d}\u{8e}\u{8f}\u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}\u{9d}\u{9e}\u{9f}\
    \u{a0}΅Ά£¤¥¦§¨©ª«¬\u{ad}®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ\
    ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήί\
    ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ";

/// Windows-1254, Turkish.
const CP1254: &str = "\
    €\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}\u{8e}\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}\u{9e}Ÿ\
    \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
    àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";

/// Windows-1257, Baltic.
const CP1257: &str = "\
    €\u{81}‚\u{83}„…†‡\u{88}‰\u{8a}‹\u{8c}¨ˇ¸\u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}¯˛\u{9f}\
    \u{a0}¡¢£¤¥¦§Ø©Ŗ«¬\u{ad}®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ\
    ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß\
    ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙";

/// ISO 8859-2, Central European.
const ISO_8859_2: &str = "\
    \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
    \u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
    ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";

/// Mac Roman.
const MACROMAN: &str = "\
    ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü\
    †°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
    ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ\
    ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// IBM PC code page 437.
const CP437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
