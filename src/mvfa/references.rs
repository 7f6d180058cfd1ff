//! The normal references of an engine, and their distances from each other.
//!
//! Comes in: pictures, their rows once encoded, and distances between them as they become known. Goes out: the
//! rows to search, and per reference its distances when it is left out. Cannot fail.

use std::collections::{BTreeMap, HashMap};

use crate::bundle::manifest::Augment;
use crate::image::{AUGMENTATION_NAMES, Planes};
use crate::mvfa::features::Bank;
use crate::mvfa::memory::{MemoryRows, ReferenceId, SearchRows, min_into};

/// At most so many references are compared with the others, for the scale of normal pictures. Each one is
/// compared with all others, so its score is exact; all with all would be quadratic.
pub(crate) const LEFT_OUT_AT_MOST: usize = 16;

/// Spreads numbers evenly: the golden ratio of 32 bits. Of any run of ids the lowest products lie far apart.
const SPREAD: u32 = 0x9E37_79B9;

struct Reference {
    planes: Planes,
    /// Rows of the views encoded so far, while some are missing.
    views: Option<(Augment, Vec<Option<SearchRows>>)>,
    rows: Option<(Augment, MemoryRows)>,
    /// Fewer rows in their place, with how many were asked for.
    small: Option<(usize, SearchRows)>,
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
    next: u32,
}

impl References {
    /// Remembers a picture that is yet to be encoded.
    pub(crate) fn add(&mut self, planes: Planes) -> ReferenceId {
        let id = ReferenceId(self.next);
        self.next += 1;
        self.by_id.insert(id, Reference { planes, views: None, rows: None, small: None });
        id
    }

    /// Another picture in a reference's place, yet to be encoded. False when there was none of that name.
    pub(crate) fn replace(&mut self, id: ReferenceId, planes: Planes) -> bool {
        self.forget_pairs_of(id);
        let Some(reference) = self.by_id.get_mut(&id) else { return false };
        *reference = Reference { planes, views: None, rows: None, small: None };
        true
    }

    /// False when there was none of that name.
    pub(crate) fn remove(&mut self, id: ReferenceId) -> bool {
        self.forget_pairs_of(id);
        self.by_id.remove(&id).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.pairs.clear();
    }

    /// Oldest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ReferenceId> {
        self.by_id.keys().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
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
        self.by_id.iter().flat_map(|(id, r)| views(r).into_iter().map(|view| (*id, view))).collect()
    }

    pub(crate) fn planes(&self, id: ReferenceId) -> Option<&Planes> {
        self.by_id.get(&id).map(|r| &r.planes)
    }

    /// Keeps what a view was encoded to; with the last one the reference is ready.
    pub(crate) fn set_view(&mut self, id: ReferenceId, augment: Augment, view: usize, rows: SearchRows) {
        let Some(reference) = self.by_id.get_mut(&id) else { return };
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
        reference.rows = Some((augment, MemoryRows::of_views(views.into_iter().flatten().collect())));
        reference.small = None;
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
        }
        let Some(keep) = keep else {
            self.by_id.values_mut().for_each(|r| r.small = None);
            return (Vec::new(), 0);
        };
        let lacking = |r: &Reference| r.small.as_ref().is_none_or(|(made_with, _)| *made_with != keep);
        (self.by_id.iter().filter(|(_, r)| lacking(r)).map(|(id, _)| *id).collect(), keep)
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

    /// Per level the distances of one reference's own patches to all other references; `None` if there are none.
    pub(crate) fn distances_of(&self, id: ReferenceId, bank: Bank) -> Option<Vec<Vec<f32>>> {
        let mut levels: Option<Vec<Vec<f32>>> = None;
        for other in self.ids().filter(|other| *other != id) {
            let Some(distances) = self.pairs.get(&(id, other, bank)) else { continue };
            let nearest = levels.get_or_insert_with(|| vec![Vec::new(); distances.len()]);
            nearest.iter_mut().zip(distances).for_each(|(l, d)| min_into(l, d));
        }
        levels
    }

    fn forget_pairs_of(&mut self, id: ReferenceId) {
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
        for _ in 0..count {
            references.add(Planes { values: Vec::new(), side_px: 0 });
        }
        references
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
        references.add(Planes { values: Vec::new(), side_px: 0 });
        let kept = references.left_out().iter().filter(|id| before.contains(id)).count();
        assert!(kept >= LEFT_OUT_AT_MOST - 1, "{kept}");
    }

    #[test]
    fn left_out_distances_are_the_smallest_of_all_others() {
        let mut references = some(3);
        let [a, b, c] = [0, 1, 2].map(ReferenceId);
        assert!(references.distances_of(a, Bank::Segmentation).is_none());
        references.learn((a, b, Bank::Segmentation), vec![vec![0.5, 0.1]]);
        references.learn((a, c, Bank::Segmentation), vec![vec![0.2, 0.3]]);
        assert_eq!(references.distances_of(a, Bank::Segmentation), Some(vec![vec![0.2, 0.1]]));
        references.remove(c);
        assert_eq!(references.distances_of(a, Bank::Segmentation), Some(vec![vec![0.5, 0.1]]));
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
