//! References in components: a patch is compared only with what is of its own kind.
//!
//! Comes in: the rows of the references that are compared with. Goes out: per patch the distance to the nearest row of the
//! component that it belongs to. Components are centres of k-means over the references' rows, level by level; a patch belongs
//! to the nearest centre. So a patch that looks like another kind of tissue is not excused by it. After the part of UniVAD
//! that needs no model that cuts pictures into objects. Fails as the engine does: stopped, or the device gave no answer.

use std::collections::HashMap;

use crate::compute::{Reading, dot};
use crate::mvfa::analysis::{Pacer, Progress};
use crate::mvfa::clusters::Clusters;
use crate::mvfa::engine::Engine;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::Bank;
use crate::mvfa::memory::ReferenceId;

/// Components that are looked for on each level.
const COMPONENTS: usize = 8;

/// The components of some references, and these against each other.
#[derive(Debug, Default)]
pub(crate) struct Components {
    of: Vec<ReferenceId>,
    levels: HashMap<Bank, Vec<Level>>,
    /// Per level the distances of a reference's own patches to the others.
    left_out: HashMap<(ReferenceId, Bank), Vec<Vec<f32>>>,
}

/// One level's rows.
#[derive(Debug)]
struct Level {
    clusters: Clusters,
    dim: usize,
    /// Per component its rows, row-major.
    rows: Vec<Vec<f32>>,
    /// Whose they are: places among the references.
    owners: Vec<Vec<usize>>,
}

impl Level {
    fn new(clusters: Clusters, rows: &[f32], dim: usize, owners: &[usize]) -> Self {
        let count = clusters.sizes().len();
        let mut level = Self { clusters, dim, rows: vec![Vec::new(); count], owners: vec![Vec::new(); count] };
        for ((row, component), owner) in rows.chunks_exact(dim.max(1)).zip(level.clusters.of_rows()).zip(owners) {
            level.rows[*component].extend_from_slice(row);
            level.owners[*component].push(*owner);
        }
        level
    }

    /// Per unit patch row the distance to the nearest row of its component, leaving out the rows of one reference. A
    /// component with rows of that reference only is as good as none: then all other rows count.
    fn distances(&self, patches: &[f32], without: Option<usize>) -> Vec<f32> {
        let closest = |component: usize, patch: &[f32]| {
            let rows = self.rows[component].chunks_exact(self.dim).zip(&self.owners[component]);
            rows.filter(|(_, owner)| Some(**owner) != without).map(|(row, _)| dot(patch, row)).reduce(f32::max)
        };
        let distance = |patch: &[f32]| {
            let own = closest(self.clusters.nearest(patch), patch);
            let any = || (0..self.rows.len()).filter_map(|component| closest(component, patch)).reduce(f32::max);
            1.0 - own.or_else(any).unwrap_or(0.0)
        };
        patches.chunks_exact(self.dim.max(1)).map(distance).collect()
    }
}

impl Components {
    /// Whether they are those of these references.
    fn are_of(&self, ids: &[ReferenceId], banks: &[Bank]) -> bool {
        self.of == ids && banks.iter().all(|bank| self.levels.contains_key(bank))
    }

    /// Per level unit patch rows of a picture → per level their distances.
    pub(crate) fn distances(&self, bank: Bank, patches: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let levels = self.levels.get(&bank).into_iter().flatten();
        levels.zip(patches).map(|(level, patches)| level.distances(patches, None)).collect()
    }

    /// Per level the distances of one reference's own patches to the others; `None` if it was not left out.
    pub(crate) fn left_out(&self, id: ReferenceId, bank: Bank) -> Option<Vec<Vec<f32>>> {
        self.left_out.get(&(id, bank)).cloned()
    }
}

impl Engine {
    /// Finds the components of the references that are compared with, unless they are known.
    ///
    /// # Errors
    /// [`EngineError`]: stopped, or the device gave no answer.
    pub(super) async fn find_components(
        &mut self,
        banks: &[Bank],
        progress: Progress,
        pacer: &mut impl Pacer,
    ) -> Result<(), EngineError> {
        let ids: Vec<ReferenceId> = self.references.ids().collect();
        if self.references.components.are_of(&ids, banks) {
            return Ok(());
        }
        let left_out = if ids.len() > 1 { self.references.left_out() } else { Vec::new() };
        let mut components = Components { of: ids.clone(), ..Components::default() };
        for bank in banks {
            let mut reading = Reading::default();
            let mut dims = Vec::new();
            for id in &ids {
                let Some(rows) = self.references.searched(*id) else { continue };
                dims = rows.levels(*bank).iter().map(|level| level.dims()[1]).collect();
                rows.levels(*bank).iter().for_each(|level| reading.push(level.clone()));
            }
            for id in &left_out {
                let Some(rows) = self.references.rows(*id) else { continue };
                rows.original_patches(*bank).into_iter().for_each(|level| reading.push(level));
            }
            let mut values = pacer.wait(reading.read(&self.open)).await??;
            let mut take = || -> Vec<Vec<f32>> { values.by_ref().take(dims.len()).collect() };
            let of_references: Vec<Vec<Vec<f32>>> = ids.iter().map(|_| take()).collect();
            let of_left_out: Vec<Vec<Vec<f32>>> = left_out.iter().map(|_| take()).collect();

            let mut levels = Vec::with_capacity(dims.len());
            for (l, dim) in dims.iter().enumerate() {
                let parts: Vec<&[f32]> = of_references.iter().filter_map(|r| r.get(l).map(Vec::as_slice)).collect();
                let owner = |(n, part): (usize, &&[f32])| vec![n; part.len() / (*dim).max(1)];
                let owners: Vec<usize> = parts.iter().enumerate().flat_map(owner).collect();
                let rows = parts.concat();
                let mut clusters = Clusters::new(&rows, *dim, COMPONENTS);
                while clusters.step(&rows) {
                    pacer.step(progress).await?;
                }
                levels.push(Level::new(clusters, &rows, *dim, &owners));
            }
            for (id, patches) in left_out.iter().zip(&of_left_out) {
                let own = ids.iter().position(|other| other == id);
                let distances = levels.iter().zip(patches).map(|(level, patches)| level.distances(patches, own));
                components.left_out.insert((*id, *bank), distances.collect());
                pacer.step(progress).await?;
            }
            components.levels.insert(*bank, levels);
        }
        self.references.components = components;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(angle: f32) -> [f32; 2] {
        [angle.cos(), angle.sin()]
    }

    #[test]
    fn a_patch_is_compared_with_its_own_kind_only() {
        // Two kinds, around 0 and 1; the second has no row near where the two meet.
        let angles = [-0.2, -0.1, 0.0, 0.1, 0.45, 0.9, 1.0, 1.1];
        let rows: Vec<f32> = angles.iter().flat_map(|angle| unit(*angle)).collect();
        let clusters = Clusters::found(&rows, 2, 2);
        let level = Level::new(clusters, &rows, 2, &[0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(level.rows.iter().map(|rows| rows.len() / 2).collect::<Vec<_>>(), [5, 3]);
        let found = level.distances(&unit(0.6), None);
        let expected = 1.0 - 0.3_f32.cos();
        assert!((found[0] - expected).abs() < 1e-6, "0.9 is its own kind's nearest, 0.45 is nearer: {found:?}");
        // Without the second reference the kind around 1 has no row: any row counts.
        let found = level.distances(&unit(0.6), Some(1));
        assert!((found[0] - (1.0 - 0.5_f32.cos())).abs() < 1e-6, "{found:?}");
    }
}
