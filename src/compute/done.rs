//! When a device has done what it was asked.
//!
//! Comes in: a device. Goes out: a future. Cannot fail: whoever reads from a lost device hears of that.

use burn::tensor::Device;

use crate::compute::gpu;

/// Knows when everything is done; a processor has always done it.
pub(crate) struct Done(Option<gpu::Queue>);

impl Done {
    /// Of a device.
    pub(crate) fn of(device: &Device) -> Self {
        Self(gpu::Queue::of(device))
    }

    /// Ends when everything that was asked of the device is done; `None` where there is nothing to wait for.
    pub(crate) fn wait(&self) -> Option<impl Future<Output = ()> + use<>> {
        self.0.as_ref().map(gpu::Queue::done)
    }
}
