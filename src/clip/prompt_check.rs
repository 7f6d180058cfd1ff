//! Whether a person's own words can be compared with: nothing is cut or left out in silence.
//!
//! Comes in: [`Prompts`], and what the text tower has: tokenizer, context, the words that it has learned. Goes out: a
//! [`Problem`] for each line that does not fit and each word that is not known, in words for people. Fails with
//! [`PromptsError`] where there is nothing to encode.

use std::collections::HashSet;

use serde::Serialize;
use thiserror::Error;

use crate::clip::prompts::{PLACE, Prompts, sentences, sentences_of};
use crate::clip::tokenizer::Tokenizer;

/// Lines of all lists together: 35 sentences each are held at once.
pub const MOST_LINES: usize = 64;

/// Lists that cannot be used as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PromptsError {
    /// A list without a line.
    #[error("the list of {0} states is empty; give at least one line, or take the paper's words")]
    Empty(&'static str),
    /// A state asks for the organ.
    #[error(
        "the organ has no name, and lines with {{}} need it; say what the picture shows, or write lines without {{}}"
    )]
    NoOrgan,
    /// More than is encoded at once.
    #[error("the lists have {0} lines together, at most {MOST_LINES} are possible; leave some out")]
    TooMany(usize),
}

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The name of the organ.
    Organ,
    /// A normal state.
    Normal,
    /// An abnormal state.
    Abnormal,
    /// A contrast word.
    Contrast,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Its longest sentence has more tokens than the tower reads.
    TooLong,
    /// The organ has two places in it.
    Places,
    /// The text tower has never read the word, or knows it by its letters alone.
    Unknown,
}

/// Something a person should know about the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which list.
    pub place: Place,
    /// The line as it was given.
    pub line: String,
    /// What it is.
    pub kind: Kind,
    /// The word, or the sentence.
    pub what: String,
    /// Tokens found.
    pub tokens: usize,
    /// Tokens that are possible, where that is what is wrong.
    pub limit: Option<usize>,
    /// Nothing is encoded until this is changed.
    pub stops: bool,
    /// A sentence for people.
    pub text: String,
}

/// What a text tower can read.
pub struct Reader<'a> {
    /// Sentence to ids.
    pub tokenizer: &'a Tokenizer,
    /// Most ids of a sentence.
    pub context: usize,
    /// Ids that it has read while it learned; `None`: all count as read.
    pub known: Option<&'a HashSet<u32>>,
}

/// Ids that stood in the sentences of some prompt words.
pub fn ids_of_words(tokenizer: &Tokenizer, words: &[String]) -> HashSet<u32> {
    let sentences = words.iter().map(|word| sentences(word)).flat_map(|s| s.normal.into_iter().chain(s.abnormal));
    sentences.flat_map(|sentence| tokenizer.encode_unlimited(&sentence)).collect()
}

/// Looks at all lists.
///
/// # Errors
/// [`PromptsError`].
pub fn check(prompts: &Prompts, reader: &Reader<'_>) -> Result<Vec<Problem>, PromptsError> {
    let lists =
        [(Place::Normal, &prompts.normal), (Place::Abnormal, &prompts.abnormal), (Place::Contrast, &prompts.contrast)];
    let lines: usize = lists.iter().map(|(_, list)| list.len()).sum();
    if prompts.normal.is_empty() {
        return Err(PromptsError::Empty("normal"));
    }
    if prompts.abnormal.is_empty() {
        return Err(PromptsError::Empty("abnormal"));
    }
    if lines > MOST_LINES {
        return Err(PromptsError::TooMany(lines));
    }
    let has_place = lists.iter().any(|(_, list)| list.iter().any(|line| line.contains(PLACE)));
    if has_place && prompts.organ.is_empty() {
        return Err(PromptsError::NoOrgan);
    }
    let mut problems = Vec::new();
    if has_place {
        problems.extend(unknown(&prompts.organ, Place::Organ, reader));
    }
    for ((place, list), described) in lists.into_iter().zip(prompts.described()) {
        for (line, described) in list.iter().zip(described) {
            let places = line.matches(PLACE).count();
            if places > 1 {
                problems.push(Problem {
                    place,
                    line: line.clone(),
                    kind: Kind::Places,
                    what: line.clone(),
                    tokens: places,
                    limit: Some(1),
                    stops: true,
                    text: format!(
                        "“{line}” has {places} places for the organ, at most 1 is possible; leave {{}} once."
                    ),
                });
            }
            problems.extend(too_long(line, &described, place, reader));
            problems.extend(
                unknown(&line.replacen(PLACE, " ", 1), place, reader)
                    .into_iter()
                    .map(|problem| Problem { line: line.clone(), ..problem }),
            );
        }
    }
    Ok(problems)
}

/// The longest sentence of a line, if it is too long.
fn too_long(line: &str, described: &str, place: Place, reader: &Reader<'_>) -> Option<Problem> {
    let counted = sentences_of(described).into_iter().map(|s| (reader.tokenizer.encode_unlimited(&s).len(), s));
    let (tokens, sentence) = counted.max_by_key(|(tokens, _)| *tokens)?;
    let limit = reader.context;
    (tokens > limit).then(|| Problem {
        place,
        line: line.to_owned(),
        kind: Kind::TooLong,
        tokens,
        limit: Some(limit),
        stops: true,
        text: format!(
            "“{line}” is too long: its longest sentence has {tokens} tokens, at most {limit} are possible; use fewer words."
        ),
        what: sentence,
    })
}

/// Words that the tower does not know, each once.
fn unknown(text: &str, place: Place, reader: &Reader<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for word in text.split_whitespace() {
        let ids = reader.tokenizer.encode_unlimited(word);
        // Start and end are in every sentence.
        let parts = ids.get(1..ids.len().saturating_sub(1)).unwrap_or_default();
        let (is_unknown, why) = match reader.known {
            Some(known) => (
                parts.iter().any(|id| !known.contains(id)),
                "stood in no sentence that this model's text part has read while it learned",
            ),
            None => (
                parts.len() > 1 && parts.len() >= word.chars().count(),
                "is known to the vocabulary by its single letters alone",
            ),
        };
        if is_unknown && !problems.iter().any(|problem| problem.what == word) {
            problems.push(Problem {
                place,
                line: text.to_owned(),
                kind: Kind::Unknown,
                what: word.to_owned(),
                tokens: parts.len(),
                limit: None,
                stops: false,
                text: format!("“{word}” {why}; what it changes means little."),
            });
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(organ: &str, normal: &[&str], abnormal: &[&str], contrast: &[&str]) -> Prompts {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Prompts { organ: organ.to_owned(), normal: lines(normal), abnormal: lines(abnormal), contrast: lines(contrast) }
    }

    fn checked(prompts: &Prompts, known: Option<&[&str]>) -> Result<Vec<Problem>, PromptsError> {
        let tokenizer = Tokenizer::new().unwrap();
        let known = known
            .map(|words| ids_of_words(&tokenizer, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()));
        check(prompts, &Reader { tokenizer: &tokenizer, context: 77, known: known.as_ref() })
    }

    #[test]
    fn the_papers_words_have_no_problem() {
        assert_eq!(checked(&Prompts::paper("Brain"), None), Ok(Vec::new()));
        assert_eq!(checked(&Prompts::paper("Brain"), Some(&["Brain"])), Ok(Vec::new()));
    }

    #[test]
    fn lists_without_a_line_are_refused_with_a_next_step() {
        let empty = checked(&prompts("Brain", &[], &["damaged {}"], &[]), None).unwrap_err();
        assert_eq!(empty, PromptsError::Empty("normal"));
        assert!(empty.to_string().contains("the paper's words"));
        assert_eq!(checked(&prompts("Brain", &["{}"], &[], &[]), None), Err(PromptsError::Empty("abnormal")));
        assert_eq!(checked(&prompts("", &["{}"], &["x"], &[]), None), Err(PromptsError::NoOrgan));
        assert_eq!(checked(&prompts("", &["healthy"], &["ill"], &[]), None), Ok(Vec::new()), "no line asks for it");
        let many = vec!["{}"; MOST_LINES];
        assert_eq!(checked(&prompts("Brain", &many, &["x"], &[]), None), Err(PromptsError::TooMany(65)));
    }

    #[test]
    fn a_line_whose_sentences_are_too_long_is_named_with_both_numbers() {
        let long = vec!["photo"; 70].join(" ");
        let found = checked(&prompts("Brain", &["{}"], &[&long], &[]), None).unwrap();
        let [problem] = &found[..] else { panic!("{found:?}") };
        assert_eq!((problem.place, problem.kind, problem.stops), (Place::Abnormal, Kind::TooLong, true));
        let tokenizer = Tokenizer::new().unwrap();
        let longest = sentences_of(&long).iter().map(|s| tokenizer.encode_unlimited(s).len()).max().unwrap();
        assert_eq!((problem.tokens, problem.limit), (longest, Some(77)));
        assert!(problem.text.contains(&longest.to_string()) && problem.text.contains("77"), "{}", problem.text);
        // One that just fits.
        let fits = vec!["photo"; 70 - (longest - 77)].join(" ");
        assert_eq!(checked(&prompts("Brain", &["{}"], &[&fits], &[]), None), Ok(Vec::new()));
    }

    #[test]
    fn words_that_were_never_read_are_named_once_and_stop_nothing() {
        let own = prompts("Brain", &["{}"], &["{} with glioma glioma", "damaged {}"], &["skull"]);
        let found = checked(&own, Some(&["Brain"])).unwrap();
        let named: Vec<_> = found.iter().map(|problem| (problem.place, problem.what.as_str(), problem.stops)).collect();
        assert_eq!(named, [(Place::Abnormal, "glioma", false), (Place::Contrast, "skull", false)]);
        assert_eq!(checked(&own, None), Ok(Vec::new()), "a tower that has read everything");
        let elsewhere = checked(&Prompts::paper("Spleen"), Some(&["Brain"])).unwrap();
        assert_eq!((elsewhere.len(), elsewhere[0].place), (1, Place::Organ));
    }

    #[test]
    fn other_scripts_are_words_known_by_their_letters() {
        let found = checked(&prompts("мозг", &["{}"], &["脑肿瘤", "דימום"], &["🧠"]), None).unwrap();
        assert!(found.iter().all(|problem| problem.kind == Kind::Unknown && !problem.stops), "{found:?}");
        assert!(found.iter().any(|problem| problem.what == "脑肿瘤"), "{found:?}");
    }

    #[test]
    fn two_places_in_one_line_are_refused() {
        let found = checked(&prompts("Brain", &["{} {}"], &["ill"], &[]), None).unwrap();
        assert!(found.iter().any(|problem| problem.kind == Kind::Places && problem.stops), "{found:?}");
    }
}
