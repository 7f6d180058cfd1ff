//! Geometry of a block, and the error for values that do not fit it.

use crate::raw::PANEL;

/// Geometry of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the hidden layer.
    pub mlp_width: usize,
    /// `x · σ(1.702 x)` instead of GELU with the exact error function.
    pub quick_gelu: bool,
    /// Added to variances.
    pub eps: f32,
}

impl Shape {
    /// Whether blocks of this geometry can be run: all widths are multiples of the packed panel.
    pub fn is_supported(&self) -> bool {
        let fits = |n: usize| n > 0 && n.is_multiple_of(PANEL);
        self.heads > 0
            && self.width.is_multiple_of(self.heads)
            && [self.width, self.width / self.heads, self.mlp_width].into_iter().all(fits)
    }
}

/// Values that do not fit the geometry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// Which.
    pub what: &'static str,
    /// How many values it should have; 0 if the geometry itself cannot be run.
    pub expected: usize,
    /// How many it has.
    pub found: usize,
}

impl core::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} has {} values, expected {}", self.what, self.found, self.expected)
    }
}

impl core::error::Error for ShapeError {}

pub(crate) fn check(what: &'static str, expected: usize, found: usize) -> Result<(), ShapeError> {
    if expected == found { Ok(()) } else { Err(ShapeError { what, expected, found }) }
}
