//! The normal pictures of a run: which count, what is doubtful about them, and their own scores.
//!
//! Comes in: their files as they are read, and the first analysis. Goes out: warnings on standard error, and the scores
//! for the report. Cannot fail.

use serde::Serialize;

use super::terminal::tell;
use crate::image::Rgb8;
use crate::mvfa::{Analysis, Engine, ReferenceId, Warning};

/// Scores that one line names.
const NAMED: usize = 16;

/// The normal pictures, in the order of their names in the engine.
#[derive(Debug, Default)]
pub(super) struct NormalPictures {
    names: Vec<(ReferenceId, String)>,
    told: bool,
}

/// One normal picture against the others.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NormalScore {
    image: String,
    score: f32,
    /// It is unlike all the others.
    unlike: bool,
}

impl NormalPictures {
    /// Remembers one, and tells what is doubtful about it alone.
    pub(super) fn add(&mut self, id: ReferenceId, name: String, picture: &Rgb8) {
        for warning in Warning::of_image(picture) {
            tell(&format!("warning: normal picture {name}: {}", warning.short()));
        }
        self.names.push((id, name));
    }

    /// Tells which are the same picture.
    pub(super) fn tell_twins(&self, engine: &Engine) {
        for (twin, first) in engine.twins() {
            let (twin, first) = (self.name(twin), self.name(first));
            tell(&format!(
                "warning: {twin} is the same picture as {first} at the model's size, pixel for pixel; it counts once"
            ));
        }
    }

    /// The scores, highest first, the first time there are some; who is unlike the others is told then.
    pub(super) fn take_scores(&mut self, analysis: &Analysis) -> Option<Vec<NormalScore>> {
        let (ids, scores) = (analysis.support_ids.as_ref()?, analysis.support_scores.as_ref()?);
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        for id in &analysis.support_unlike {
            let name = self.name(*id);
            tell(&format!("warning: normal picture {name}: unlike all the others; leave it out if it does not belong"));
        }
        let score = |(id, score): (&ReferenceId, &f32)| NormalScore {
            image: self.name(*id),
            score: *score,
            unlike: analysis.support_unlike.contains(id),
        };
        let mut found: Vec<NormalScore> = ids.iter().zip(scores).map(score).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        Some(found)
    }

    fn name(&self, id: ReferenceId) -> String {
        self.names.iter().find(|(other, _)| *other == id).map_or_else(String::new, |(_, name)| name.clone())
    }
}

/// The scores as a line for people.
pub(super) fn line(scores: &[NormalScore]) -> String {
    let names: Vec<String> = scores.iter().take(NAMED).map(|one| format!("{} {:.4}", one.image, one.score)).collect();
    format!("note: normal pictures, each against the others: {}", names.join(", "))
}
