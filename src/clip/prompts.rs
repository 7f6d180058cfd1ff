//! The sentences whose mean embeddings stand for "normal" and "abnormal" (spec §4).
//!
//! Comes in: the word for what the picture shows, such as `Brain`, or a person's own lists of states. Goes out: each state
//! put into each of the 35 templates; 245 normal and 175 abnormal sentences for the method's own states. Cannot fail;
//! [`prompt_check`](crate::clip::prompt_check) looks whether the lists can be used.

use serde::{Deserialize, Serialize};

/// The method's sentences for a healthy object; `{}` is the prompt word.
const NORMAL_STATES: [&str; 7] =
    ["{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage"];

/// Its sentences for an abnormal object.
const ABNORMAL_STATES: [&str; 5] = ["damaged {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage"];

/// Sentences around a state, which takes the place of `{}`.
const TEMPLATES: [&str; 35] = [
    "a bad photo of a {}.",
    "a bad photo of the {}.",
    "a low resolution photo of a {}.",
    "a low resolution photo of the {}.",
    "a cropped photo of a {}.",
    "a cropped photo of the {}.",
    "a bright photo of a {}.",
    "a bright photo of the {}.",
    "a dark photo of a {}.",
    "a dark photo of the {}.",
    "a close-up photo of a {}.",
    "a close-up photo of the {}.",
    "a black and white photo of a {}.",
    "a black and white photo of the {}.",
    "a jpeg corrupted photo of a {}.",
    "a jpeg corrupted photo of the {}.",
    "a blurry photo of a {}.",
    "a blurry photo of the {}.",
    "a good photo of a {}.",
    "a good photo of the {}.",
    "a photo of a {}.",
    "a photo of the {}.",
    "a photo of my {}.",
    "a photo of one {}.",
    "a photo of a cool {}.",
    "a photo of a large {}.",
    "a photo of a small {}.",
    "a photo of the cool {}.",
    "a photo of the large {}.",
    "a photo of the small {}.",
    "there is a {} in the scene.",
    "there is the {} in the scene.",
    "this is a {} in the scene.",
    "this is the {} in the scene.",
    "this is one {} in the scene.",
];

/// What stands for the organ in a state.
pub const PLACE: &str = "{}";

/// What pictures are compared with, in a person's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    /// The word for what the picture shows.
    pub organ: String,
    /// States of a healthy organ; `{}` is the organ, and a state without it stands alone.
    pub normal: Vec<String>,
    /// States of an abnormal one.
    pub abnormal: Vec<String>,
    /// Words for normal anatomy that must not count as abnormal; none as in the method.
    #[serde(default)]
    pub contrast: Vec<String>,
}

impl Prompts {
    /// The method's own states.
    pub fn paper(organ: &str) -> Self {
        let owned = |states: &[&str]| states.iter().map(|state| (*state).to_owned()).collect();
        Self {
            organ: organ.to_owned(),
            normal: owned(&NORMAL_STATES),
            abnormal: owned(&ABNORMAL_STATES),
            contrast: Vec::new(),
        }
    }

    /// Without space around the lines, and without empty ones.
    #[must_use]
    pub fn tidy(self) -> Self {
        let lines = |list: Vec<String>| -> Vec<String> {
            list.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
        };
        Self {
            organ: self.organ.trim().to_owned(),
            normal: lines(self.normal),
            abnormal: lines(self.abnormal),
            contrast: lines(self.contrast),
        }
    }

    /// Every state with the organ put in: normal, abnormal, contrast.
    pub fn described(&self) -> [Vec<String>; 3] {
        [&self.normal, &self.abnormal, &self.contrast]
            .map(|list| list.iter().map(|state| fill(state, &self.organ)).collect())
    }
}

/// Both groups of sentences for one prompt word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentences {
    /// 245 sentences, state by state.
    pub normal: Vec<String>,
    /// 175 sentences, state by state.
    pub abnormal: Vec<String>,
}

/// The sentences for `prompt_word`, which goes in as it is.
pub fn sentences(prompt_word: &str) -> Sentences {
    let group = |states: &[&str]| states.iter().flat_map(|state| sentences_of(&fill(state, prompt_word))).collect();
    Sentences { normal: group(&NORMAL_STATES), abnormal: group(&ABNORMAL_STATES) }
}

/// The sentences of one state with the organ put in.
pub fn sentences_of(described: &str) -> Vec<String> {
    TEMPLATES.iter().map(|template| fill(template, described)).collect()
}

/// Only the first `{}`: a prompt word may hold braces of its own.
fn fill(pattern: &str, words: &str) -> String {
    pattern.replacen("{}", words, 1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn counts_and_uniqueness() {
        let prompts = sentences("Brain");
        assert_eq!((prompts.normal.len(), prompts.abnormal.len()), (245, 175));
        let all: HashSet<&String> = prompts.normal.iter().chain(&prompts.abnormal).collect();
        assert_eq!(all.len(), 420);
    }

    #[test]
    fn worked_examples() {
        let prompts = sentences("retinal OCT");
        for sentence in [
            "a low resolution photo of a retinal OCT.",
            "this is one unblemished retinal OCT in the scene.",
            "a photo of my retinal OCT without damage.",
        ] {
            assert!(prompts.normal.iter().any(|s| s == sentence), "{sentence}");
        }
        for sentence in
            ["a photo of the cool broken retinal OCT.", "there is the retinal OCT with defect in the scene."]
        {
            assert!(prompts.abnormal.iter().any(|s| s == sentence), "{sentence}");
        }
    }

    #[test]
    fn each_template_and_state_has_one_place() {
        for pattern in TEMPLATES.iter().chain(&NORMAL_STATES).chain(&ABNORMAL_STATES) {
            assert_eq!(pattern.matches("{}").count(), 1, "{pattern}");
        }
    }

    #[test]
    fn the_papers_lists_give_the_papers_sentences() {
        let [normal, abnormal, contrast] = Prompts::paper("Brain").described();
        let all = |list: &[String]| list.iter().flat_map(|state| sentences_of(state)).collect::<Vec<_>>();
        let expected = sentences("Brain");
        assert_eq!((all(&normal), all(&abnormal)), (expected.normal, expected.abnormal));
        assert!(contrast.is_empty());
    }

    #[test]
    fn lines_are_tidied_and_a_state_without_a_place_stands_alone() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let prompts = Prompts {
            organ: " דוח ".to_owned(),
            normal: lines(&["", "  ", " {} sain\t"]),
            abnormal: lines(&["oedème"]),
            contrast: lines(&["\u{200f}جمجمة"]),
        };
        let tidy = prompts.tidy();
        assert_eq!((tidy.organ.as_str(), tidy.normal.len()), ("דוח", 1));
        assert_eq!(tidy.described()[0], ["דוח sain"]);
        assert_eq!(tidy.described()[1], ["oedème"]);
    }

    #[test]
    fn braces_in_the_prompt_word_stay() {
        assert_eq!(sentences("{}").normal[0], "a bad photo of a {}.");
    }
}
