//! Where a frame lies in the patient. Millimetres, DICOM's axes: x to the left, y to the back, z to the head.

/// A point or direction.
pub type Vector = [f64; 3];

/// Place and size of a frame's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geometry {
    /// Distance of two rows and of two columns.
    pub spacing_mm: Option<[f64; 2]>,
    /// Centre of the first pixel.
    pub position_mm: Option<Vector>,
    /// Directions along a row (to higher columns) and along a column (to higher rows), of length 1.
    pub orientation: Option<[Vector; 2]>,
    /// Thickness of the slice.
    pub thickness_mm: Option<f64>,
}

impl Geometry {
    /// Direction across the slice.
    pub fn normal(&self) -> Option<Vector> {
        self.orientation.map(|[row, column]| cross(row, column))
    }

    /// Place of the slice along its normal, in millimetres.
    pub fn depth_mm(&self) -> Option<f64> {
        Some(dot(self.normal()?, self.position_mm?))
    }

    /// The anatomical plane that the frame lies in, by its normal's longest part.
    pub fn plane(&self) -> Option<&'static str> {
        let normal = self.normal()?.map(f64::abs);
        let longest = normal.iter().copied().fold(0.0, f64::max);
        let name = ["sagittal", "coronal", "axial"].into_iter().zip(normal).find(|&(_, v)| v == longest)?.0;
        Some(name)
    }
}

pub(crate) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(crate) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Length of a vector.
pub(crate) fn length(a: Vector) -> f64 {
    dot(a, a).sqrt()
}
