//! Sentence → token ids, as OpenAI's CLIP does it (spec §4).
//!
//! Comes in: any text. Goes out: ids of the byte-pair vocabulary between a start and an end id.
//! Fails only when the sentence is longer than the context, as the method's reference does;
//! [`Tokenizer::encode_truncated`] cuts instead.
//!
//! The text is cleaned and lower-cased ([`crate::clip::text_cleanup`]), split into words, digits and
//! runs of signs, and each piece's UTF-8 bytes are merged pair by pair in the order of the vocabulary.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use regex::Regex;
use thiserror::Error;

use crate::clip::text_cleanup::clean;

/// OpenAI's merges, as far as they are used (models/clip-vocabulary/NOTICE.md): all of them would be half of the browser's
/// second module.
static VOCABULARY: &[u8] = include_bytes!("../../models/clip-vocabulary/merges.txt.gz");

/// Merges in use, after a title in the first line.
const MERGES: usize = 48_894;

/// Byte values, each of which is a token inside a word and another at its end.
const BYTES: u32 = 256;

/// Longest sentence of every CLIP model, start and end included.
pub const CONTEXT: usize = 77;

/// Size of the vocabulary.
pub const VOCABULARY_SIZE: usize = 2 * BYTES as usize + MERGES + 2;

/// Id that opens a sentence.
pub const START: u32 = 49_406;

/// Id that closes a sentence: the largest, so that its place is the maximum's.
pub const END: u32 = 49_407;

/// The two ids as they are typed.
const SPECIAL: [(&str, u32); 2] = [("<|startoftext|>", START), ("<|endoftext|>", END)];

/// Special strings, English contractions, words, single digits, runs of anything else.
/// Only the spelled-out ones go by case folding here. The reference folds all of it, which has one
/// effect more: U+0345, a mark that folds to a letter, is in no class and is dropped.
const PIECES: &str =
    r"(?i:<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}\u{345}]+";

/// A sentence that cannot become token ids.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TokenizerError {
    /// More ids than the text tower reads.
    #[error("the sentence has {tokens} tokens, at most {limit} are possible; use a shorter prompt word")]
    TooLong {
        /// Ids of the sentence, start and end included.
        tokens: usize,
        /// Ids that fit.
        limit: usize,
    },
    /// The vocabulary inside the program does not read.
    #[error("the built-in vocabulary cannot be read: {0}; get a fresh copy of the program")]
    Vocabulary(String),
}

/// OpenAI CLIP's tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    pieces: Regex,
    /// Id of each byte inside a word; at the end of a word it is [`BYTES`] more.
    byte_ids: [u32; BYTES as usize],
    /// Pair of ids to the id of what they merge to; smaller ids merge first.
    merges: HashMap<(u32, u32), u32>,
}

impl Tokenizer {
    /// Reads the built-in vocabulary.
    ///
    /// # Errors
    /// [`TokenizerError::Vocabulary`] if it is damaged, which no input can bring about.
    pub fn new() -> Result<Self, TokenizerError> {
        let damaged = |reason: &str| TokenizerError::Vocabulary(reason.to_owned());
        let mut text = String::new();
        GzDecoder::new(VOCABULARY).read_to_string(&mut text).map_err(|e| damaged(&e.to_string()))?;

        let symbols = byte_symbols();
        let mut byte_ids = [0; BYTES as usize];
        let mut ids: HashMap<String, u32> = HashMap::with_capacity(VOCABULARY_SIZE);
        for (id, (byte, symbol)) in (0..).zip(&symbols) {
            if let Some(place) = byte_ids.get_mut(usize::from(*byte)) {
                *place = id;
            }
            ids.insert(symbol.to_string(), id);
            ids.insert(format!("{symbol}</w>"), id + BYTES);
        }

        let mut merges = HashMap::with_capacity(MERGES);
        let mut next = 2 * BYTES;
        for line in text.lines().skip(1).take(MERGES) {
            let (first, second) = line.split_once(' ').ok_or_else(|| damaged("a line is not a pair"))?;
            let pair = ids.get(first).copied().zip(ids.get(second).copied());
            merges.insert(pair.ok_or_else(|| damaged("a pair of unknown parts"))?, next);
            ids.insert(format!("{first}{second}"), next);
            next += 1;
        }
        if next != START {
            return Err(damaged("merges are missing"));
        }
        let pieces = Regex::new(PIECES).map_err(|e| damaged(&e.to_string()))?;
        Ok(Self { pieces, byte_ids, merges })
    }

    /// Ids of `text` between [`START`] and [`END`], at most [`CONTEXT`].
    ///
    /// # Errors
    /// [`TokenizerError::TooLong`] with both numbers.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let ids = self.encode_unlimited(text);
        if ids.len() > CONTEXT {
            return Err(TokenizerError::TooLong { tokens: ids.len(), limit: CONTEXT });
        }
        Ok(ids)
    }

    /// Ids of `text`, cut to [`CONTEXT`] and closed with [`END`] if they are more.
    pub fn encode_truncated(&self, text: &str) -> Vec<u32> {
        let mut ids = self.encode_unlimited(text);
        if ids.len() > CONTEXT {
            ids.truncate(CONTEXT - 1);
            ids.push(END);
        }
        ids
    }

    /// Ids of `text` between [`START`] and [`END`], however many.
    pub fn encode_unlimited(&self, text: &str) -> Vec<u32> {
        let text = clean(text);
        let mut ids = vec![START];
        for piece in self.pieces.find_iter(&text) {
            match SPECIAL.iter().find(|(typed, _)| *typed == piece.as_str()) {
                Some((_, id)) => ids.push(*id),
                None => ids.extend(self.merge(piece.as_str())),
            }
        }
        ids.push(END);
        ids
    }

    /// Ids of one piece: its bytes, merged by the earliest rule until none applies.
    fn merge(&self, piece: &str) -> Vec<u32> {
        let mut ids: Vec<u32> =
            piece.bytes().map(|byte| self.byte_ids.get(usize::from(byte)).copied().unwrap_or_default()).collect();
        if let Some(last) = ids.last_mut() {
            *last += BYTES;
        }
        loop {
            let found = ids.iter().zip(ids.iter().skip(1)).filter_map(|(a, b)| {
                let merged = self.merges.get(&(*a, *b))?;
                Some((*merged, (*a, *b)))
            });
            let Some((merged, pair)) = found.min() else { return ids };
            // Every place of this pair at once, from the left: `aaa` merges its first two.
            let mut shorter = Vec::with_capacity(ids.len());
            let mut rest = ids.iter().copied().peekable();
            while let Some(id) = rest.next() {
                let joined = id == pair.0 && rest.next_if_eq(&pair.1).is_some();
                shorter.push(if joined { merged } else { id });
            }
            ids = shorter;
        }
    }
}

/// Bytes in the vocabulary's order with the character each is written as: printable Latin-1 bytes as
/// themselves, the others as characters from U+0100 on.
fn byte_symbols() -> Vec<(u8, char)> {
    let printable = |byte: &u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let shown = (0..=255u8).filter(printable).map(|byte| (byte, char::from(byte)));
    let hidden = (0..=255u8).filter(|byte| !printable(byte)).zip('\u{100}'..);
    shown.chain(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::new().unwrap()
    }

    #[test]
    fn the_merges_in_use_are_the_first_of_the_published_ones() {
        let all = include_bytes!("../../models/clip-vocabulary/bpe_simple_vocab_16e6.txt.gz").as_slice();
        let [published, used] = [all, VOCABULARY].map(|packed| {
            let mut text = String::new();
            GzDecoder::new(packed).read_to_string(&mut text).unwrap();
            text
        });
        assert!(published.starts_with(&used));
        assert_eq!(used.lines().count(), 1 + MERGES);
    }

    #[test]
    fn empty_text_is_start_and_end() {
        assert_eq!(tokenizer().encode(" \n"), Ok(vec![START, END]));
    }

    #[test]
    fn a_sentence_of_exactly_the_context_passes() {
        let tokenizer = tokenizer();
        let words = |n: usize| vec!["photo"; n].join(" ");
        let longest = words(CONTEXT - 2);
        assert_eq!(tokenizer.encode(&longest).map(|ids| ids.len()), Ok(CONTEXT));
        assert_eq!(tokenizer.encode(&longest), Ok(tokenizer.encode_truncated(&longest)));
    }

    #[test]
    fn a_longer_sentence_is_an_error_or_is_cut() {
        let tokenizer = tokenizer();
        let text = vec!["photo"; CONTEXT - 1].join(" ");
        assert_eq!(tokenizer.encode(&text), Err(TokenizerError::TooLong { tokens: 78, limit: 77 }));
        let cut = tokenizer.encode_truncated(&text);
        assert_eq!((cut.len(), cut.last()), (CONTEXT, Some(&END)));
    }

    #[test]
    fn special_strings_count_in_any_case() {
        assert_eq!(tokenizer().encode("<|STARTOFTEXT|><|EndOfText|>"), Ok(vec![START, START, END, END]));
    }
}
