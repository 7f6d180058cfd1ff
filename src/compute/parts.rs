//! A tower taken apart, the same way on every tier: embedding, blocks, and two adapters a level.
//!
//! Comes in: what a tier built from the weights. Goes out: the same, shared by all towers that are made of it.

use std::sync::Arc;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::AdapterConfig;

/// A tower of embeddings `E`, blocks `B` and adapters `A`. A clone shares all weights.
#[derive(Debug)]
pub(crate) struct Parts<E, B, A> {
    pub(super) embedding: Arc<E>,
    pub(super) blocks: Arc<[B]>,
    /// `None`: raw block tokens are the features.
    pub(super) adapters: Option<Arc<Banks<A>>>,
}

/// Both banks.
#[derive(Debug)]
pub(crate) struct Banks<A> {
    /// Per level the adapter of the segmentation and of the detection bank.
    pub(super) levels: Vec<[A; 2]>,
    /// Shares of the tokens as they were and of what each bank feeds back.
    pub(super) mix: [f32; 3],
}

impl<E, B, A> Clone for Parts<E, B, A> {
    fn clone(&self) -> Self {
        Self { embedding: self.embedding.clone(), blocks: self.blocks.clone(), adapters: self.adapters.clone() }
    }
}

impl<E, B, A> Parts<E, B, A> {
    /// A tower without adapters. `block` makes the block whose tensors begin with a prefix.
    pub(super) fn new(
        embedding: E,
        blocks: usize,
        mut block: impl FnMut(&str) -> Result<B, BundleError>,
    ) -> Result<Self, BundleError> {
        let blocks = (0..blocks).map(|n| block(&format!("vision.blocks.{n}"))).collect::<Result<_, _>>()?;
        Ok(Self { embedding: Arc::new(embedding), blocks, adapters: None })
    }

    /// The same tower with adapters after `levels` blocks. `adapter` makes the one whose tensors begin with a prefix.
    pub(super) fn with_adapters(
        &self,
        levels: usize,
        config: &AdapterConfig,
        mut adapter: impl FnMut(&str) -> Result<A, BundleError>,
    ) -> Result<Self, BundleError> {
        let mut bank = |name: &str| -> Result<Vec<A>, BundleError> {
            (0..levels).map(|n| adapter(&format!("adapters.{name}.{n}"))).collect()
        };
        let (segmentation, detection) = (bank("seg")?, bank("det")?);
        let levels = segmentation.into_iter().zip(detection).map(|(seg, det)| [seg, det]).collect();
        Ok(Self { adapters: Some(Arc::new(Banks { levels, mix: config.mix })), ..self.clone() })
    }

    /// The same embedding and adapters with one block.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(super) fn with_only_block(&self, block: B) -> Self {
        Self { blocks: Arc::new([block]), ..self.clone() }
    }

    /// The same tower without adapters.
    pub(super) fn without_adapters(&self) -> Self {
        Self { adapters: None, ..self.clone() }
    }

    /// The adapters that sit at a level, and the mix.
    pub(super) fn adapters_at(&self, level: usize) -> Option<(&[A; 2], [f32; 3])> {
        let banks = self.adapters.as_deref()?;
        Some((banks.levels.get(level)?, banks.mix))
    }
}
