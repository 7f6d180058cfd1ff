//! Which axis of an array runs along which axis of the patient.

use crate::geometry::Vector;

/// An axis of the patient, across the slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// From right to left.
    Sagittal,
    /// From front to back.
    Coronal,
    /// From feet to head.
    Axial,
}

/// For each axis of the patient (x to the left, y to the back, z to the head): the array's axis closest to it, and
/// whether that runs against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation {
    pub(super) axis: [usize; 3],
    pub(super) reversed: [bool; 3],
}

impl Orientation {
    /// Of an array whose axes run in these directions.
    pub(super) fn of(directions: [Vector; 3]) -> Self {
        let mut orientation = Self { axis: [0, 1, 2], reversed: [false; 3] };
        let (mut free_axes, mut free_patient) = (vec![0, 1, 2], vec![0, 1, 2]);
        while !free_axes.is_empty() {
            // The pair that fits best goes first.
            let mut best = (free_axes[0], free_patient[0], -1.0);
            for &axis in &free_axes {
                let size = directions[axis].iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
                for &patient in &free_patient {
                    let share = directions[axis][patient].abs() / size;
                    if share > best.2 {
                        best = (axis, patient, share);
                    }
                }
            }
            let (axis, patient, _) = best;
            orientation.axis[patient] = axis;
            orientation.reversed[patient] = directions[axis][patient] < 0.0;
            free_axes.retain(|&a| a != axis);
            free_patient.retain(|&p| p != patient);
        }
        orientation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oblique_axes_go_to_the_closest() {
        let o = Orientation::of([[0.0, 2.0, 0.1], [0.0, 0.3, -1.0], [-3.0, 0.0, 0.0]]);
        assert_eq!(o, Orientation { axis: [2, 0, 1], reversed: [true, false, true] });
    }
}
