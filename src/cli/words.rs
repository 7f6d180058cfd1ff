//! Words of a person's own on the command line: lists in files, one state a line.
//!
//! Comes in: arguments, and the bundle's text tower. Goes out: text features in the engine, and what was compared with. What is
//! known to be doubtful is told; a list that cannot be used ends the run before the first picture.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::progress;
use super::terminal::tell;
use super::usage::BadUsage;
use crate::bundle::store::BundleFolder;
use crate::clip::prompts::Prompts;
use crate::clip::tower_files::TowerFiles;
use crate::clip::words::WordTower;
use crate::mvfa::Engine;

/// Arguments about words; what is left out is the paper's.
#[derive(Debug, clap::Args)]
pub(super) struct WordArgs {
    /// Words of your own for what the pictures show, in the place of the model's
    #[arg(long, value_name = "WORDS")]
    organ: Option<String>,
    /// File of normal states, one a line; {} stands for the organ
    #[arg(long, value_name = "FILE")]
    normal_states: Option<PathBuf>,
    /// File of abnormal states
    #[arg(long, value_name = "FILE")]
    abnormal_states: Option<PathBuf>,
    /// File of words for normal anatomy that must not count as abnormal
    #[arg(long, value_name = "FILE")]
    contrast: Option<PathBuf>,
}

impl WordArgs {
    fn is_given(&self) -> bool {
        self.organ.is_some() || [&self.normal_states, &self.abnormal_states, &self.contrast].iter().any(|f| f.is_some())
    }

    /// Puts the words into the engine, if any are given, and answers with them.
    ///
    /// # Errors
    /// A file that cannot be read, lists that cannot be used, a model without a text tower.
    pub(super) fn apply(
        &self,
        bundle: &BundleFolder,
        engine: &mut Engine,
        object: &str,
        compares_with_words: bool,
    ) -> Result<Option<Prompts>> {
        if !self.is_given() {
            return Ok(None);
        }
        if !compares_with_words {
            tell("note: words of your own are not used, for the pictures are not compared with words");
            return Ok(None);
        }
        let mut prompts = Prompts::paper(&bundle.manifest().object(object)?.prompt);
        if let Some(organ) = &self.organ {
            prompts.organ.clone_from(organ);
        }
        for (file, list) in [
            (&self.normal_states, &mut prompts.normal),
            (&self.abnormal_states, &mut prompts.abnormal),
            (&self.contrast, &mut prompts.contrast),
        ] {
            if let Some(file) = file {
                *list = lines(file)?;
            }
        }
        let prompts = prompts.tidy();
        let mut tower = WordTower::new(bundle.manifest())?;
        let problems = tower.check(&prompts)?;
        if let Some(problem) = problems.iter().find(|problem| problem.stops) {
            return Err(BadUsage(problem.text.clone()).into());
        }
        problems.iter().for_each(|problem| tell(&format!("warning: {}", problem.text)));
        let waiting = progress::waiting("encoding the words");
        let mut files = TowerFiles::new(bundle.manifest(), |file| bundle.read_file(file));
        tower.begin(&prompts)?;
        while tower.step(&mut |names, weights| files.tensors(names, weights))? {}
        waiting.finish_and_clear();
        let words = tower.words(&prompts).context("the words were not encoded; this is a mistake in the program")?;
        engine.set_words(object, Some((&words.features, words.columns)))?;
        Ok(Some(prompts))
    }
}

fn lines(file: &Path) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read as lines of text", file.display()))?;
    Ok(text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect())
}
