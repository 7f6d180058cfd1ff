//! The sentences whose mean embeddings stand for "normal" and "abnormal" (spec §4).
//!
//! Comes in: the word for what the picture shows, such as `Brain`. Goes out: 245 normal and 175
//! abnormal sentences, each state put into each of the 35 templates. Cannot fail; the tokenizer
//! checks whether a sentence fits the text tower.

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

/// Both groups of sentences for one prompt word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    /// 245 sentences, state by state.
    pub normal: Vec<String>,
    /// 175 sentences, state by state.
    pub abnormal: Vec<String>,
}

/// The sentences for `prompt_word`, which goes in as it is.
pub fn sentences(prompt_word: &str) -> Prompts {
    Prompts { normal: group(&NORMAL_STATES, prompt_word), abnormal: group(&ABNORMAL_STATES, prompt_word) }
}

fn group(states: &[&str], prompt_word: &str) -> Vec<String> {
    let mut sentences = Vec::with_capacity(states.len() * TEMPLATES.len());
    for state in states {
        let described = fill(state, prompt_word);
        sentences.extend(TEMPLATES.iter().map(|template| fill(template, &described)));
    }
    sentences
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
    fn braces_in_the_prompt_word_stay() {
        assert_eq!(sentences("{}").normal[0], "a bad photo of a {}.");
    }
}
