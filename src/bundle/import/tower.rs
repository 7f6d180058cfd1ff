//! Which of the towers in one file is meant.
//!
//! Comes in: the names of a file, and perhaps the prefix that a person chose. Goes out: the towers with their layouts and
//! prefixes, the likeliest first: training writes a teacher, or a running mean of the weights (EMA), beside what it
//! trains, and publishes that. Fails with a sentence that lists the prefixes if none is as chosen.

use crate::bundle::import::layout::{ANCHOR, LAYOUTS, Layout};

/// A vision tower in a file.
#[derive(Clone, Debug)]
pub(super) struct Tower {
    /// Its naming.
    pub(super) layout: &'static Layout,
    /// What all its raw names begin with, such as `teacher.backbone.`.
    pub(super) prefix: String,
}

impl Tower {
    /// Raw name of the (first) tensor that a canonical one is made of.
    pub(super) fn raw(&self, canonical: &str) -> Option<String> {
        let parts = self.layout.recipe(canonical)?.parts;
        Some(format!("{}{}", self.prefix, parts.first()?))
    }
}

/// What a prefix says of its weights, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The teacher of a distillation.
    Teacher,
    /// A mean over the steps of a training.
    Mean,
    /// Nothing.
    Plain,
    /// What learns from a teacher.
    Student,
    /// An optimizer's numbers about each weight.
    Optimizer,
}

impl Role {
    /// By the words of a prefix.
    pub(super) fn of(prefix: &str) -> Self {
        let words = words(prefix);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.trim_end_matches(char::is_numeric)));
        if has(&["optimizer", "optimizers", "optim", "exp", "grad", "grads"]) {
            Self::Optimizer
        } else if has(&["teacher"]) {
            Self::Teacher
        } else if has(&["ema", "averaged", "average", "avg", "shadow", "swa", "target", "momentum", "polyak"]) {
            Self::Mean
        } else if has(&["student", "online"]) {
            Self::Student
        } else {
            Self::Plain
        }
    }
}

/// Lower-case words: `model_ema.`, `modelEma.` and `model.ema.` have the same.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

/// Every tower, the likeliest first.
pub(super) fn towers(names: &[String]) -> Vec<Tower> {
    let of = |layout: &'static Layout| layout.prefixes(names).map(move |prefix| Tower { layout, prefix });
    let mut found: Vec<Tower> = Vec::new();
    for tower in LAYOUTS.into_iter().flat_map(of) {
        // Of two namings with the same patch projection the first is meant.
        let is_known = |other: &Tower| other.prefix == tower.prefix && other.raw(ANCHOR) == tower.raw(ANCHOR);
        if !found.iter().any(is_known) {
            found.push(tower);
        }
    }
    // Stable, so that of equals the first layout comes first.
    found.sort_by_key(|tower| (Role::of(&tower.prefix), tower.prefix.len()));
    found
}

/// The towers below a prefix; it may lack the dot at its end, or the last of its parts.
pub(super) fn chosen(towers: &[Tower], prefix: &str) -> Result<Vec<Tower>, String> {
    let dotted = if prefix.is_empty() || prefix.ends_with('.') { prefix.to_owned() } else { format!("{prefix}.") };
    let exact: Vec<Tower> = towers.iter().filter(|tower| tower.prefix == dotted).cloned().collect();
    let below =
        || towers.iter().filter(|tower| !dotted.is_empty() && tower.prefix.starts_with(&dotted)).cloned().collect();
    let found: Vec<Tower> = if exact.is_empty() { below() } else { exact };
    if found.is_empty() {
        let next = match towers {
            [only] if only.prefix.is_empty() => "leave --prefix out, for its only tower has none".to_owned(),
            _ => format!("pass --prefix with {}", listed(towers.iter())),
        };
        return Err(format!("no vision tower of the checkpoint has the prefix {prefix:?}; {next}"));
    }
    Ok(found)
}

/// Prefixes for a person: `"student.backbone." or ""`.
pub(super) fn listed<'a>(towers: impl Iterator<Item = &'a Tower>) -> String {
    let mut prefixes: Vec<String> = towers.map(|tower| format!("{:?}", tower.prefix)).collect();
    prefixes.dedup();
    prefixes.join(" or ")
}

/// Whether a name belongs to a tower, or to no tower at all.
pub(super) fn is_of(name: &str, tower: &Tower, all: &[Tower]) -> bool {
    let others = all.iter().map(|other| other.prefix.as_str()).filter(|prefix| *prefix != tower.prefix);
    let longest = others.filter(|prefix| !prefix.is_empty() && name.starts_with(prefix)).map(str::len).max();
    longest.is_none_or(|longest| name.starts_with(&tower.prefix) && tower.prefix.len() > longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(list: &[&str]) -> Vec<String> {
        let names: Vec<String> = list.iter().map(|prefix| format!("{prefix}visual.conv1.weight")).collect();
        towers(&names).into_iter().map(|tower| tower.prefix).collect()
    }

    #[test]
    fn teachers_and_means_come_before_what_is_trained() {
        assert_eq!(prefixes(&["student.backbone.", "teacher.backbone."])[0], "teacher.backbone.");
        assert_eq!(prefixes(&["a.student.", "much.longer.teacher.module."])[0], "much.longer.teacher.module.");
        for mean in
            ["model_ema.", "ema.", "state_dict_ema.", "ema_model.module.", "modelEma.", "target_encoder.", "swa2."]
        {
            assert_eq!(prefixes(&["model.", mean, "state_dict."])[0], mean);
        }
        assert_eq!(prefixes(&["student.", "model."])[0], "model.");
        assert_eq!(prefixes(&["optimizer.exp_avg.", "student."])[0], "student.");
        assert_eq!(prefixes(&["teacher.module.", "ema."])[0], "teacher.module.");
    }

    #[test]
    fn of_equals_the_shortest_comes_first() {
        assert_eq!(prefixes(&["module.", "", "state_dict.module."])[0], "");
        assert_eq!(prefixes(&["schema.", "cinema_net."])[0], "schema.", "no word ema");
        assert!(prefixes(&["audio"]).is_empty());
    }

    #[test]
    fn a_prefix_is_found_as_people_type_it() {
        let names = ["student.backbone.", "teacher.backbone.", ""].map(|p| format!("{p}visual.conv1.weight"));
        let all = towers(&names);
        for (typed, found) in [("student", "student.backbone."), ("teacher.backbone", "teacher.backbone."), ("", "")] {
            assert_eq!(chosen(&all, typed).unwrap()[0].prefix, found);
        }
        let error = chosen(&all, "ema").unwrap_err();
        assert!(error.contains("\"teacher.backbone.\" or \"\" or \"student.backbone.\""), "{error}");
    }

    #[test]
    fn names_belong_to_one_tower_or_to_all() {
        let all = towers(&["", "teacher."].map(|p| format!("{p}visual.conv1.weight")));
        let [teacher, plain] = &all[..] else { panic!("{all:?}") };
        assert!(is_of("teacher.x", teacher, &all) && !is_of("teacher.x", plain, &all));
        assert!(is_of("x", teacher, &all) && is_of("x", plain, &all));
    }
}
