//! The normal references of an engine, and their distances from each other.
//!
//! Comes in: pictures, their rows once encoded, and distances between them as they become known. Goes out: the
//! rows to search, and per reference its distances when it is left out. The same picture twice counts once: the later
//! one, the twin, is remembered and nothing else, until the earlier one goes. Cannot fail.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use burn::tensor::Tensor;

use crate::bundle::manifest::Augment;
use crate::image::{AUGMENTATION_NAMES, PixelHash, Planes, Rgb8};
use crate::mvfa::analysis::Matching;
use crate::mvfa::components::Components;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::Bank;
use crate::mvfa::likeness::{Signature, Spread};
use crate::mvfa::memory::{MemoryRows, ReferenceId, SearchRows, Taken, min_into};
use crate::mvfa::mirror::{MirrorAxis, beside_memory};
use crate::mvfa::polarity::Brightness;
use crate::mvfa::warning::Warning;

/// At most so many references are compared with the others, for the scale of normal pictures. Each one is
/// compared with all others, so its score is exact; all with all would be quadratic.
pub(crate) const LEFT_OUT_AT_MOST: usize = 16;

/// Spreads numbers evenly: the golden ratio of 32 bits. Of any run of ids the lowest products lie far apart.
const SPREAD: u32 = 0x9E37_79B9;

struct Reference {
    /// `None` for one that is remembered without its picture.
    planes: Option<Planes>,
    facts: Facts,
    /// The earlier reference that shows the same.
    twin_of: Option<ReferenceId>,
    /// What stands for the picture as a whole, once its original view is encoded.
    whole: Option<Whole>,
    /// Rows of the views encoded so far, while some are missing.
    views: Option<(Augment, Vec<Option<SearchRows>>)>,
    rows: Option<(Augment, MemoryRows)>,
    /// Per patch the distance to the mirrored place, once it is known.
    mirrored: Option<(MirrorAxis, Vec<f32>)>,
    /// Fewer rows in their place, with how many were asked for.
    small: Option<(usize, SearchRows)>,
}

/// What is kept of a reference's pixels beside its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Equal for pictures that the model cannot tell apart.
    pub(crate) pixels: PixelHash,
    pub(crate) brightness: Brightness,
}

impl Facts {
    /// From [`Facts::pixels`] and [`Facts::brightness`].
    ///
    /// # Errors
    /// [`EngineError::DamagedFacts`].
    pub fn new(pixels: &str, brightness: Vec<f32>) -> Result<Self, EngineError> {
        let parts = PixelHash::of_digits(pixels).zip(Brightness::of_values(brightness));
        parts.map(|(pixels, brightness)| Self { pixels, brightness }).ok_or(EngineError::DamagedFacts)
    }

    /// Hexadecimal digits.
    pub fn pixels(&self) -> String {
        self.pixels.to_string()
    }

    /// Mean grey values of 16 × 16 cells, mean 0 and length 1.
    pub fn brightness(&self) -> &[f32] {
        self.brightness.values()
    }
}

/// What stands for a picture as a whole.
#[derive(Clone, Debug)]
pub(crate) enum Whole {
    /// Tokens `[tokens, dim]` on the device, not read back yet.
    Tokens(Box<Tensor<2>>),
    Signature(Signature),
}

impl Reference {
    fn signature(&self) -> Option<&Signature> {
        match &self.whole {
            Some(Whole::Signature(signature)) => Some(signature),
            _ => None,
        }
    }

    fn new(planes: Planes) -> Self {
        let facts = Facts { pixels: pixels_of(&planes), brightness: Brightness::of(&planes) };
        Self::known(Some(planes), facts)
    }

    fn known(planes: Option<Planes>, facts: Facts) -> Self {
        Self { planes, facts, twin_of: None, whole: None, views: None, rows: None, mirrored: None, small: None }
    }
}

/// What the model sees of a picture as a number; two pictures of one number cannot be told apart by it.
fn pixels_of(planes: &Planes) -> PixelHash {
    let side_px = planes.side_px;
    let plane = |channel: usize| planes.values.get(channel * side_px * side_px..).unwrap_or(&[]);
    // Planes are bytes divided by 255.
    let byte = |value: f32| (value * 255.0).round() as u8;
    let pixels = plane(0).iter().zip(plane(1)).zip(plane(2)).take(side_px * side_px);
    let bytes = pixels.flat_map(|((r, g), b)| [byte(*r), byte(*g), byte(*b)]).collect();
    PixelHash::of_rgb(&Rgb8 { width_px: side_px, height_px: side_px, bytes })
}

/// One reference beside another: (whose patches, whose rows, bank).
pub(crate) type Pair = (ReferenceId, ReferenceId, Bank);

/// All references.
#[derive(Default)]
pub(crate) struct References {
    by_id: BTreeMap<ReferenceId, Reference>,
    /// Per level the distances of the patches.
    pairs: HashMap<Pair, Vec<Vec<f32>>>,
    /// Rows a level that each reference keeps; `None` keeps all.
    keep: Option<usize>,
    /// Those of the last comparison within components.
    pub(crate) components: Components,
    /// How far the references lie from each other as wholes; `None` until it is asked for.
    spread: Option<Spread>,
    /// Those that pictures are compared with; `None`: all.
    chosen: Option<BTreeSet<ReferenceId>>,
    next: u32,
}

impl References {
    /// Remembers a picture that is yet to be encoded.
    pub(crate) fn add(&mut self, planes: Planes) -> ReferenceId {
        self.insert(Reference::new(planes))
    }

    /// Remembers a reference whose rows will be given, and whose picture is not here.
    pub(crate) fn add_without_picture(&mut self, facts: Facts) -> ReferenceId {
        self.insert(Reference::known(None, facts))
    }

    fn insert(&mut self, reference: Reference) -> ReferenceId {
        let id = ReferenceId(self.next);
        self.next += 1;
        self.by_id.insert(id, reference);
        self.find_twins();
        id
    }

    /// What is kept of a reference's pixels.
    pub(crate) fn facts(&self, id: ReferenceId) -> Option<&Facts> {
        self.by_id.get(&id).map(|reference| &reference.facts)
    }

    /// Compares pictures with these only, a twin standing for the one it equals; `None`: with all.
    pub(crate) fn choose(&mut self, among: Option<&[ReferenceId]>) {
        let original = |id: &ReferenceId| self.by_id.get(id).map(|reference| reference.twin_of.unwrap_or(*id));
        self.chosen = among.map(|ids| ids.iter().filter_map(original).collect());
    }

    /// Another picture in a reference's place, yet to be encoded. False when there was none of that name.
    pub(crate) fn replace(&mut self, id: ReferenceId, planes: Planes) -> bool {
        self.forget_pairs_of(id);
        let Some(reference) = self.by_id.get_mut(&id) else { return false };
        *reference = Reference::new(planes);
        self.find_twins();
        true
    }

    /// False when there was none of that name.
    pub(crate) fn remove(&mut self, id: ReferenceId) -> bool {
        self.forget_pairs_of(id);
        let was_there = self.by_id.remove(&id).is_some();
        self.find_twins();
        was_there
    }

    /// The earliest reference of each picture is the one that counts.
    fn find_twins(&mut self) {
        self.spread = None;
        let mut first: HashMap<PixelHash, ReferenceId> = HashMap::new();
        for (id, reference) in &mut self.by_id {
            let earliest = *first.entry(reference.facts.pixels).or_insert(*id);
            reference.twin_of = (earliest != *id).then_some(earliest);
        }
    }

    /// How many are older, twins included.
    pub(crate) fn place_of(&self, id: ReferenceId) -> usize {
        self.by_id.range(..id).count()
    }

    /// Those that do not count, oldest first, each with the one that shows the same.
    pub(crate) fn twins(&self) -> impl Iterator<Item = (ReferenceId, ReferenceId)> {
        self.by_id.iter().filter_map(|(id, reference)| Some((*id, reference.twin_of?)))
    }

    /// What a picture's pixels alone say beside the references.
    pub(crate) fn warning(&self, planes: &Planes) -> Option<Warning> {
        let pixels = pixels_of(planes);
        if self.by_id.values().any(|reference| reference.facts.pixels == pixels) {
            return Some(Warning::AmongReferences);
        }
        let others = self.by_id.values().map(|reference| &reference.facts.brightness);
        Brightness::of(planes).is_inverted(others).then_some(Warning::Inverted)
    }

    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.pairs.clear();
        self.components = Components::default();
        self.spread = None;
    }

    /// Those that count.
    fn counting(&self) -> impl Iterator<Item = (&ReferenceId, &Reference)> {
        self.by_id.iter().filter(|(_, reference)| reference.twin_of.is_none())
    }

    /// Those of them that pictures are compared with.
    fn compared(&self) -> impl Iterator<Item = (&ReferenceId, &Reference)> {
        self.counting().filter(|(id, _)| self.chosen.as_ref().is_none_or(|chosen| chosen.contains(id)))
    }

    /// Those that are compared with, oldest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ReferenceId> {
        self.compared().map(|(id, _)| *id)
    }

    /// How many are compared with.
    pub(crate) fn len(&self) -> usize {
        self.compared().count()
    }

    /// Those whose signature is not known yet, with the tokens that it is made of.
    pub(crate) fn unsigned(&self) -> Vec<(ReferenceId, Tensor<2>)> {
        let tokens = |reference: &Reference| match &reference.whole {
            Some(Whole::Tokens(tokens)) => Some(tokens.as_ref().clone()),
            _ => None,
        };
        self.counting().filter_map(|(id, reference)| Some((*id, tokens(reference)?))).collect()
    }

    /// What stands for one reference as a whole.
    pub(crate) fn whole(&self, id: ReferenceId) -> Option<&Whole> {
        self.by_id.get(&id)?.whole.as_ref()
    }

    pub(crate) fn sign(&mut self, id: ReferenceId, signature: Signature) {
        self.spread = None;
        if let Some(reference) = self.by_id.get_mut(&id) {
            reference.whole = Some(Whole::Signature(signature));
        }
    }

    /// How far the references lie from each other, and how far a picture lies from them.
    pub(crate) fn likeness(&mut self, of: &Signature) -> (Option<f32>, Vec<ReferenceId>) {
        let signatures: Vec<(ReferenceId, &Signature)> = self
            .by_id
            .iter()
            .filter(|(_, r)| r.twin_of.is_none())
            .filter_map(|(id, r)| Some((*id, r.signature()?)))
            .collect();
        let others: Vec<&Signature> = signatures.iter().map(|(_, signature)| *signature).collect();
        let spread = self.spread.get_or_insert_with(|| Spread::of(&others));
        let unlike = spread.unlike().iter().map(|n| signatures[*n].0).collect();
        (spread.unlikeness(of, &others), unlike)
    }

    /// The views that are not encoded yet, if references are used in this mode.
    pub(crate) fn lacking(&self, augment: Augment) -> Vec<(ReferenceId, usize)> {
        let views = |r: &Reference| -> Vec<usize> {
            match (&r.rows, &r.views) {
                (Some((made_with, _)), _) if *made_with == augment => Vec::new(),
                (_, Some((made_with, views))) if *made_with == augment => {
                    (0..views.len()).filter(|n| views[*n].is_none()).collect()
                }
                _ => (0..view_count(augment)).collect(),
            }
        };
        self.compared().flat_map(|(id, r)| views(r).into_iter().map(|view| (*id, view))).collect()
    }

    pub(crate) fn planes(&self, id: ReferenceId) -> Option<&Planes> {
        self.by_id.get(&id)?.planes.as_ref()
    }

    /// Keeps what a view was encoded to; with the last one the reference is ready. The original view has what stands
    /// for the whole, too.
    pub(crate) fn set_view(
        &mut self,
        id: ReferenceId,
        augment: Augment,
        view: usize,
        rows: SearchRows,
        whole: Option<Whole>,
        taken: &Taken,
    ) {
        let Some(reference) = self.by_id.get_mut(&id) else { return };
        if whole.is_some() {
            self.spread = None;
            reference.whole = whole;
        }
        let mut views = match reference.views.take() {
            Some((made_with, views)) if made_with == augment => views,
            _ => vec![None; view_count(augment)],
        };
        if let Some(place) = views.get_mut(view) {
            *place = Some(rows);
        }
        if views.iter().any(Option::is_none) {
            reference.views = Some((augment, views));
            return;
        }
        reference.rows = Some((augment, MemoryRows::of_views(views.into_iter().flatten().collect(), taken)));
        reference.small = None;
        reference.mirrored = None;
        self.forget_pairs_of(id);
    }

    /// The rows of one view, if it is encoded.
    pub(crate) fn view(&self, id: ReferenceId, augment: Augment, view: usize) -> Option<SearchRows> {
        let reference = self.by_id.get(&id)?;
        match (&reference.rows, &reference.views) {
            (Some((made_with, rows)), _) if *made_with == augment => {
                (view < view_count(augment)).then(|| rows.view(view))
            }
            (_, Some((made_with, views))) if *made_with == augment => views.get(view)?.clone(),
            _ => None,
        }
    }

    /// Says how many rows a level are searched in all; they are shared evenly. Answers which references must hand
    /// in fewer rows, and how many.
    pub(crate) fn set_bank_rows(&mut self, bank_rows: Option<usize>) -> (Vec<ReferenceId>, usize) {
        let keep = bank_rows.map(|rows| (rows / self.len().max(1)).max(1));
        if keep != self.keep {
            self.keep = keep;
            self.pairs.clear();
            self.components = Components::default();
        }
        let Some(keep) = keep else {
            self.by_id.values_mut().for_each(|r| r.small = None);
            return (Vec::new(), 0);
        };
        let lacking = |r: &Reference| r.small.as_ref().is_none_or(|(made_with, _)| *made_with != keep);
        (self.compared().filter(|(_, r)| lacking(r)).map(|(id, _)| *id).collect(), keep)
    }

    /// All rows of one reference.
    pub(crate) fn rows(&self, id: ReferenceId) -> Option<&MemoryRows> {
        self.by_id.get(&id)?.rows.as_ref().map(|(_, rows)| rows)
    }

    pub(crate) fn set_small(&mut self, id: ReferenceId, keep: usize, rows: SearchRows) {
        if let Some(reference) = self.by_id.get_mut(&id) {
            reference.small = Some((keep, rows));
        }
    }

    /// The rows of one reference that are searched.
    pub(crate) fn searched(&self, id: ReferenceId) -> Option<&SearchRows> {
        let reference = self.by_id.get(&id)?;
        let small = reference.small.as_ref().map(|(_, rows)| rows);
        small.or_else(|| reference.rows.as_ref().map(|(_, rows)| rows.all()))
    }

    /// The references that are compared with the others, oldest first.
    pub(crate) fn left_out(&self) -> Vec<ReferenceId> {
        let mut ids: Vec<ReferenceId> = self.ids().collect();
        ids.sort_by_key(|id| id.0.wrapping_mul(SPREAD));
        ids.truncate(LEFT_OUT_AT_MOST);
        ids.sort_unstable();
        ids
    }

    pub(crate) fn knows(&self, pair: Pair) -> bool {
        self.pairs.contains_key(&pair)
    }

    /// Keeps per level the distances of a pair.
    pub(crate) fn learn(&mut self, pair: Pair, distances: Vec<Vec<f32>>) {
        self.pairs.insert(pair, distances);
    }

    /// Per patch of one reference the distance to the mirrored place.
    pub(crate) fn mirrored(&self, id: ReferenceId, axis: MirrorAxis) -> Option<&Vec<f32>> {
        let (made_with, distances) = self.by_id.get(&id)?.mirrored.as_ref()?;
        (*made_with == axis).then_some(distances)
    }

    pub(crate) fn mirror(&mut self, id: ReferenceId, axis: MirrorAxis, distances: Vec<f32>) {
        if let Some(reference) = self.by_id.get_mut(&id) {
            reference.mirrored = Some((axis, distances));
        }
    }

    /// Per level the distances of one reference's own patches to all other references, with its left-right
    /// channel at an axis last, if one is given; `None` if there are none.
    pub(crate) fn distances_of(
        &self,
        id: ReferenceId,
        bank: Bank,
        matching: Matching,
        axis: Option<MirrorAxis>,
    ) -> Option<Vec<Vec<f32>>> {
        let levels = match matching {
            Matching::Components => self.components.left_out(id, bank),
            Matching::Nearest | Matching::Mutual | Matching::Prototypes => self.nearest_of(id, bank),
        };
        let channel = axis.and_then(|axis| self.mirrored(id, axis)).map(|channel| beside_memory(channel));
        levels.map(|levels| levels.into_iter().chain(channel).collect())
    }

    fn nearest_of(&self, id: ReferenceId, bank: Bank) -> Option<Vec<Vec<f32>>> {
        let mut levels: Option<Vec<Vec<f32>>> = None;
        for other in self.ids().filter(|other| *other != id) {
            let Some(distances) = self.pairs.get(&(id, other, bank)) else { continue };
            let nearest = levels.get_or_insert_with(|| vec![Vec::new(); distances.len()]);
            nearest.iter_mut().zip(distances).for_each(|(l, d)| min_into(l, d));
        }
        levels
    }

    fn forget_pairs_of(&mut self, id: ReferenceId) {
        self.components = Components::default();
        self.pairs.retain(|(a, b, _), _| *a != id && *b != id);
    }
}

/// How many views of each reference are remembered.
fn view_count(augment: Augment) -> usize {
    match augment {
        Augment::Mvfa => AUGMENTATION_NAMES.len(),
        Augment::None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: usize) -> References {
        let mut references = References::default();
        for n in 0..count {
            references.add(shade(n));
        }
        references
    }

    /// A picture of one pixel, another one for each number.
    fn shade(n: usize) -> Planes {
        Planes { values: vec![n as f32 / 255.0; 3], side_px: 1 }
    }

    #[test]
    fn the_same_picture_twice_counts_once_until_the_first_one_goes() {
        let mut references = some(2);
        let [a, b, copy] = [0, 1, 2].map(ReferenceId);
        assert_eq!(references.add(shade(0)), copy);
        assert_eq!((references.len(), references.ids().collect::<Vec<_>>()), (2, vec![a, b]));
        assert_eq!(references.twins().collect::<Vec<_>>(), [(copy, a)]);
        assert!(references.lacking(Augment::None).iter().all(|(id, _)| *id != copy), "nothing to encode");
        assert_eq!(references.warning(&shade(1)), Some(Warning::AmongReferences));
        assert_eq!(references.warning(&shade(9)), None);
        references.remove(a);
        assert_eq!(references.ids().collect::<Vec<_>>(), [b, copy]);
        references.replace(copy, shade(1));
        assert_eq!(references.twins().collect::<Vec<_>>(), [(copy, b)]);
    }

    #[test]
    fn all_are_left_out_while_they_are_few_and_then_a_spread_of_them() {
        let few: Vec<u32> = some(16).left_out().iter().map(|id| id.0).collect();
        assert_eq!(few, (0..16).collect::<Vec<_>>());
        let many: Vec<u32> = some(64).left_out().iter().map(|id| id.0).collect();
        assert_eq!(many.len(), LEFT_OUT_AT_MOST);
        let gaps: Vec<u32> = many.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.iter().all(|gap| *gap <= 8), "{many:?}");
    }

    #[test]
    fn another_picture_changes_few_of_those_left_out() {
        let mut references = some(40);
        let before = references.left_out();
        references.add(shade(40));
        let kept = references.left_out().iter().filter(|id| before.contains(id)).count();
        assert!(kept >= LEFT_OUT_AT_MOST - 1, "{kept}");
    }

    #[test]
    fn left_out_distances_are_the_smallest_of_all_others() {
        let mut references = some(3);
        let [a, b, c] = [0, 1, 2].map(ReferenceId);
        assert!(references.distances_of(a, Bank::Segmentation, Matching::Nearest, None).is_none());
        references.learn((a, b, Bank::Segmentation), vec![vec![0.5, 0.1]]);
        references.learn((a, c, Bank::Segmentation), vec![vec![0.2, 0.3]]);
        assert_eq!(references.distances_of(a, Bank::Segmentation, Matching::Nearest, None), Some(vec![vec![0.2, 0.1]]));
        references.remove(c);
        assert_eq!(references.distances_of(a, Bank::Segmentation, Matching::Nearest, None), Some(vec![vec![0.5, 0.1]]));
    }

    #[test]
    fn rows_are_shared_evenly_and_asked_for_once() {
        let mut references = some(3);
        let (lacking, keep) = references.set_bank_rows(Some(10));
        assert_eq!((lacking.len(), keep), (3, 3));
        references.learn((ReferenceId(0), ReferenceId(1), Bank::Segmentation), vec![vec![0.5]]);
        assert!(references.knows((ReferenceId(0), ReferenceId(1), Bank::Segmentation)));
        references.set_bank_rows(Some(11));
        assert!(references.knows((ReferenceId(0), ReferenceId(1), Bank::Segmentation)), "three rows each, as before");
        references.set_bank_rows(None);
        assert!(!references.knows((ReferenceId(0), ReferenceId(1), Bank::Segmentation)), "other rows, other distances");
        assert_eq!(some(4).set_bank_rows(Some(1)).1, 1, "one row each at least");
    }
}
