//! Whether an image as a whole is one of the kind that the references are: modality, view, polarity.
//!
//! Comes in: the tokens of one level. Goes out: how far an image lies from the references, in units of what they lie from
//! each other. The class token and the mean of the patch tokens stand for the whole; each is compared by its cosine
//! distance to the nearest reference. Plain arithmetic, cannot fail. Thresholds were chosen on real slices
//! (docs/verification.md, "Images unlike the references").

/// A larger set of references is compared with so many of them only, for the spread: all with all would be quadratic.
const SPREAD_OF_AT_MOST: usize = 64;
/// From so many times the references' own mean distance on an image is unlike them; with fewer than [`SURE_FROM`]
/// references their mean says little, and more is asked for.
const UNLIKE_FROM: f32 = 3.0;
const UNLIKE_FROM_FEW: f32 = 5.0;
const SURE_FROM: usize = 4;
/// The references' mean distances count as these at least, of class tokens and of means: neighbouring slices of one person
/// lie closer, and another person's would be unlike them. From person to person it is 3e-4 and 0.01 to 0.04, to another
/// modality 2e-3 and 0.1 or more.
const LEAST_DISTANCES: [f32; 2] = [2e-4, 0.015];

/// The level whose tokens stand for the image: the first, which holds grey values and texture rather than anatomy. It told
/// other modalities and polarities apart better than later ones, and another person or slice less.
pub(crate) const SIGNATURE_LEVEL: usize = 0;

/// What stands for an image: the class token and the mean of the patch tokens, unit length each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signature([Vec<f32>; Self::PARTS]);

impl Signature {
    /// From tokens `[tokens, dim]`, row-major, class token first, of any length.
    pub(crate) fn of_tokens(values: &[f32], tokens: usize) -> Self {
        let dim = (values.len() / tokens.max(1)).max(1);
        let mut rows = values.chunks_exact(dim);
        let class = unit(rows.next().unwrap_or(&[]).to_vec());
        let mut mean = vec![0.0; dim];
        for row in rows {
            let scale = 1.0 / length(row);
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += scale * v);
        }
        Self([class, unit(mean)])
    }

    /// Vectors that it has.
    pub(crate) const PARTS: usize = 2;

    /// All its values, to travel to another engine.
    pub(crate) fn values(&self) -> Vec<f32> {
        self.0.concat()
    }

    /// The same from [`Signature::values`].
    pub(crate) fn of_values(values: &[f32]) -> Self {
        let (class, mean) = values.split_at(values.len() / Self::PARTS);
        Self([class.to_vec(), mean.to_vec()])
    }

    /// Cosine distances of class tokens and of means.
    fn distances(&self, other: &Self) -> [f32; 2] {
        let distance = |part: usize| {
            let product: f32 = self.0[part].iter().zip(&other.0[part]).map(|(a, b)| a * b).sum();
            (1.0 - product).max(0.0)
        };
        [distance(0), distance(1)]
    }

    fn nearest<'a>(&self, others: impl Iterator<Item = &'a Self>) -> [f32; 2] {
        others
            .map(|other| self.distances(other))
            .fold([f32::INFINITY; 2], |low, d| [low[0].min(d[0]), low[1].min(d[1])])
    }
}

/// How far references lie from each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    /// Per reference the distances to its nearest other.
    nearest: Vec<[f32; 2]>,
    /// Places of references that are unlike all the others.
    unlike: Vec<usize>,
}

impl Spread {
    pub(crate) fn of(references: &[&Signature]) -> Self {
        let others = |n: usize| references.iter().enumerate().filter(move |(m, _)| *m != n).map(|(_, other)| *other);
        let measured = if references.len() < 2 { 0 } else { references.len().min(SPREAD_OF_AT_MOST) };
        let mut found =
            Self { nearest: (0..measured).map(|n| references[n].nearest(others(n))).collect(), unlike: vec![] };
        // With fewer there is no telling who is odd.
        if measured >= SURE_FROM {
            let is_unlike = |n: &usize| found.scale(&[*n]).is_some_and(|scale| ratio(found.nearest[*n], scale) >= 1.0);
            found.unlike = (0..measured).filter(is_unlike).collect();
        }
        found
    }

    /// How far an image lies from the references, 1 where that begins to be unlike; `None` without two references.
    pub(crate) fn unlikeness(&self, of: &Signature, references: &[&Signature]) -> Option<f32> {
        let scale = self.scale(&self.unlike).or_else(|| self.scale(&[]))?;
        Some(ratio(of.nearest(references.iter().copied()), scale))
    }

    /// Places of the references that are unlike all the others.
    pub(crate) fn unlike(&self) -> &[usize] {
        &self.unlike
    }

    /// The distances at which unlikeness is 1, from the references but some.
    fn scale(&self, without: &[usize]) -> Option<[f32; 2]> {
        let counted: Vec<&[f32; 2]> =
            self.nearest.iter().enumerate().filter(|(n, _)| !without.contains(n)).map(|(_, d)| d).collect();
        let from = if counted.len() < SURE_FROM { UNLIKE_FROM_FEW } else { UNLIKE_FROM };
        let mean = |part: usize| counted.iter().map(|d| d[part]).sum::<f32>() / counted.len() as f32;
        (counted.len() >= 2).then(|| [0, 1].map(|part| from * mean(part).max(LEAST_DISTANCES[part])))
    }
}

/// The distances of both parts in units of the scale, averaged: one alone is easily far.
fn ratio(distances: [f32; 2], scale: [f32; 2]) -> f32 {
    0.5 * (distances[0] / scale[0] + distances[1] / scale[1])
}

fn length(row: &[f32]) -> f32 {
    row.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE)
}

fn unit(mut row: Vec<f32>) -> Vec<f32> {
    let length = length(&row);
    row.iter_mut().for_each(|v| *v /= length);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tokens that lie `turn` away from a common direction.
    fn at(turn: f32) -> Signature {
        Signature::of_tokens(&[turn.cos(), turn.sin(), 3.0 * turn.cos(), 3.0 * turn.sin()], 2)
    }

    fn refs(signatures: &[Signature]) -> Vec<&Signature> {
        signatures.iter().collect()
    }

    #[test]
    fn an_image_far_beyond_the_spread_is_unlike_and_one_within_is_not() {
        let references = [0.0, 0.2, 0.4, 0.6].map(at);
        let references = refs(&references);
        let spread = Spread::of(&references);
        let of = |turn| spread.unlikeness(&at(turn), &references).unwrap();
        assert!(of(0.3) < 0.2 && of(0.8) < 1.0 && of(1.4) > 1.0, "{} {} {}", of(0.3), of(0.8), of(1.4));
        assert_eq!(of(0.2), 0.0);
        assert_eq!(spread.unlike(), [0; 0]);
    }

    #[test]
    fn a_reference_far_from_the_others_is_told_and_is_no_scale() {
        let references = [0.0, 0.2, 0.4, 1.5, 0.6].map(at);
        let (all, fitting) = (refs(&references), [0.0, 0.2, 0.4, 0.6].map(at));
        let of = at(-0.9);
        let [with, without] = [&all, &refs(&fitting)].map(|set| Spread::of(set).unlikeness(&of, set).unwrap());
        assert!((with - without).abs() < 1e-5, "{with} and {without}");
        assert_eq!(Spread::of(&refs(&references)).unlike(), [3]);
    }

    #[test]
    fn one_reference_has_no_spread_and_copies_are_no_scale() {
        let one = [at(0.0)];
        assert_eq!(Spread::of(&refs(&one)).unlikeness(&at(1.0), &refs(&one)), None);
        let copies = [at(0.0), at(0.0)];
        let found = Spread::of(&refs(&copies)).unlikeness(&at(1e-3), &refs(&copies)).unwrap();
        assert!(found < 0.1, "{found}");
        let none = Signature::of_tokens(&[], 0);
        assert_eq!(none.distances(&none), [1.0; 2], "nothing is like nothing");
    }
}
