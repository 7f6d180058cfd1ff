//! HTML character references, after two sets of rules.
//!
//! [`unescape`] follows HTML 5 as Python's `html.unescape` has it: also without the semicolon, and
//! with a prefix of a longer name. [`unescape_strict`] is the careful one of ftfy: the semicolon is
//! needed, and names in capitals stand for capital letters. Comes in: text. Goes out: text. Neither fails.

use std::sync::LazyLock;

use htmlize::ENTITIES;
use regex::{Captures, Regex};

/// A reference by HTML 5's rules: number, hexadecimal number or at most 32 other characters.
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\x0c <&#;]{1,32};?)").ok());

/// A reference that is surely one.
static STRICT_REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("&#?[0-9A-Za-z]{1,24};").ok());

/// Resolves the references of `text` as a browser would.
pub(super) fn unescape(text: &str) -> String {
    replace(REFERENCE.as_ref(), text, |found| {
        let body = found.get(1..).unwrap_or_default();
        if body.starts_with('#') { numeric(body) } else { named(body) }
    })
}

/// Resolves only references that end in a semicolon.
pub(super) fn unescape_strict(text: &str) -> String {
    replace(STRICT_REFERENCE.as_ref(), text, |found| {
        if let Some(character) = lookup(found) {
            return character.to_owned();
        }
        if found.starts_with("&#") {
            let resolved = unescape(found);
            // A semicolon left over means that it was not understood.
            return if resolved.contains(';') { found.to_owned() } else { resolved };
        }
        let small = found.to_ascii_lowercase();
        match lookup(&small) {
            Some(character) if small.to_ascii_uppercase() == found && unescape(found) == found => {
                character.to_uppercase()
            }
            _ => found.to_owned(),
        }
    })
}

fn replace(pattern: Option<&Regex>, text: &str, resolve: impl Fn(&str) -> String) -> String {
    match pattern {
        Some(pattern) if text.contains('&') => pattern
            .replace_all(text, |found: &Captures<'_>| resolve(found.get(0).map_or("", |m| m.as_str())))
            .into_owned(),
        _ => text.to_owned(),
    }
}

/// The characters of a reference written in full, from `&` on.
fn lookup(reference: &str) -> Option<&'static str> {
    ENTITIES.get(reference.as_bytes()).and_then(|bytes| std::str::from_utf8(bytes).ok())
}

/// `#…` as a character; what HTML 5 forbids becomes U+FFFD, another character, or nothing.
fn numeric(body: &str) -> String {
    let digits = body.trim_start_matches('#').trim_end_matches(';');
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => digits.parse::<u32>(),
    };
    // Only digits come here, so an error is a number too large for any character.
    let Ok(code) = code else { return char::REPLACEMENT_CHARACTER.to_string() };
    match code {
        0 => char::REPLACEMENT_CHARACTER.to_string(),
        0x0D => "\r".to_owned(),
        0x80..=0x9F => char::from_u32(code).map(super::code_pages::c1_as_windows).map(String::from).unwrap_or_default(),
        0x01..=0x08 | 0x0B | 0x0E..=0x1F | 0x7F | 0xFDD0..=0xFDEF => String::new(),
        _ if code & 0xFFFE == 0xFFFE && code <= 0x10_FFFF => String::new(),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string(),
    }
}

/// The longest known name at the beginning of `body`, and what follows it.
fn named(body: &str) -> String {
    let reference = format!("&{body}");
    if let Some(character) = lookup(&reference) {
        return character.to_owned();
    }
    // The shortest name has two letters.
    let ends = body.char_indices().map(|(at, _)| at).skip(2).collect::<Vec<_>>();
    for end in ends.into_iter().rev() {
        let (name, rest) = body.split_at(end);
        if let Some(character) = lookup(&format!("&{name}")) {
            return format!("{character}{rest}");
        }
    }
    reference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_rules() {
        for (text, expected) in [
            ("&copy 2024", "© 2024"),
            ("&copy2024", "©2024"),
            ("&#39;", "'"),
            ("&#39", "'"),
            ("&lt;", "<"),
            ("&notit;", "¬it;"),
            ("&notin;", "∉"),
            ("&#0;", "\u{fffd}"),
            ("&#x80;", "€"),
            ("&#xD800;", "\u{fffd}"),
            ("&#99999999999999999999;", "\u{fffd}"),
            ("&#1;x", "x"),
            ("&#x1FFFE;x", "x"),
            ("&unknown;", "&unknown;"),
            ("&;", "&;"),
            ("& lt;", "& lt;"),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
    }

    #[test]
    fn strict_rules() {
        for (text, expected) in [
            ("&copy 2024", "&copy 2024"),
            ("P&EACUTE;REZ", "PÉREZ"),
            ("&SZLIG;", "SS"),
            ("&nTILDE;", "&nTILDE;"),
            ("&#59;", "&#59;"),
            ("&#65;", "A"),
            ("&unknown;", "&unknown;"),
        ] {
            assert_eq!(unescape_strict(text), expected, "{text}");
        }
    }
}
