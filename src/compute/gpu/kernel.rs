//! One shader: its text, and how it is put in the queue.
//!
//! Comes in: WGSL with every size written into it, so that a launch needs neither uniforms nor
//! uploads. Goes out: a dispatch in burn's own queue, on burn's own buffers. A shader that a device
//! refuses fails its pipeline; the self-test after loading catches what comes of that.

use burn_wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate};
use cubecl::prelude::{CubeCount, ExecutionMode, KernelId};
use cubecl::server::KernelArguments;
use std::sync::Arc;

/// A shader with its sizes.
#[derive(Clone)]
pub(crate) struct Kernel {
    /// Tells pipelines apart: two kernels of one key have the same text.
    key: Arc<str>,
    workgroup: [u32; 3],
    /// Asked for once a key.
    text: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Kernel {
    /// `key` names everything that `text` depends on; `workgroup` is its `@workgroup_size`.
    pub(crate) fn new(key: String, workgroup: [u32; 3], text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { key: key.into(), workgroup, text: Arc::new(text) }
    }

    /// Runs on `buffers`, bound in this order.
    pub(crate) fn launch(&self, groups: [u32; 3], buffers: &[&CubeTensor]) {
        let Some(first) = buffers.first() else { return };
        let [x, y, z] = self.workgroup;
        let arguments =
            buffers.iter().fold(KernelArguments::new(), |a, tensor| a.with_buffer(tensor.handle.clone().binding()));
        let kernel = SourceKernel::new(self.clone(), CubeDim::new_3d(x, y, z));
        let [x, y, z] = groups;
        first.client.launch(Box::new(kernel), CubeCount::Static(x, y, z), arguments);
    }
}

impl KernelSource for Kernel {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new((self.text)())
    }

    fn id(&self) -> KernelId {
        let [x, y, z] = self.workgroup;
        // Unchecked: the texts bound their own loops and indices.
        KernelId::new::<Self>()
            .info(self.key.clone())
            .mode(ExecutionMode::Unchecked)
            .cube_dim(CubeDim::new_3d(x, y, z).into())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// Declares storage buffers `names`, bound in this order. Each is `(name, element type)`.
///
/// All are `read_write`: natively several tensors share a buffer, and a buffer may not be bound for
/// reading and for writing in one dispatch.
pub(crate) fn declare(buffers: &[(&str, &str)]) -> String {
    buffers
        .iter()
        .enumerate()
        .map(|(n, (name, element))| {
            format!("@group(0) @binding({n}) var<storage, read_write> {name}: array<{element}>;\n")
        })
        .collect()
}
