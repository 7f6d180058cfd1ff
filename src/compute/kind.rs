//! Which arithmetic computes a frozen tower.

/// What [`Tower`](crate::compute::Tower) is asked to compute with. A geometry that it has no kernels for is computed by
/// [`Kernels::Plain`], the whole tower with its adapters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kernels {
    /// Burn's tensor operations, on any device; gradients flow through them.
    #[default]
    Plain,
    /// Our own, on packed weights, for one core of a processor.
    Packed,
    /// As [`Kernels::Packed`], and weights stored as bytes are multiplied as bytes: faster where relaxed
    /// SIMD is compiled in, with tokens rounded to fourteen bits before each product. Weights of other types take the
    /// [`Kernels::Packed`] path.
    PackedBytes,
    /// Our own shaders on a graphics device.
    Gpu,
    /// As [`Kernels::Gpu`], with products of 16-bit floats summed in 32-bit floats.
    Gpu16,
}
