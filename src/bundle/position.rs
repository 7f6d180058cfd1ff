//! Position tables of another grid: antialiased bicubic resizing (spec §2).
//!
//! Comes in: `[1 + n·n, width]`, class row first, patches row-major. Goes out: `[1 + g·g, width]`
//! with the class row as it was. Fails with [`BundleError::Shape`] if the table is no such square.

use crate::bundle::error::BundleError;
use crate::image::{KEYS_SUPPORT, keys};

/// Resizes a table to `to` cells a side.
///
/// # Errors
/// [`BundleError::Shape`] if `table` is not `[1 + from², width]`.
pub fn resize_position_table(table: &[f32], from: usize, to: usize, width: usize) -> Result<Vec<f32>, BundleError> {
    if width == 0 || from == 0 || to == 0 || table.len() != (1 + from * from) * width {
        return Err(BundleError::Shape {
            name: "vision.position_embedding".to_owned(),
            expected: vec![1 + from * from, width],
            found: vec![table.len() / width.max(1), width],
            hint: "the table must have one row for the class token and one for each patch of a square grid".to_owned(),
        });
    }
    if from == to {
        return Ok(table.to_vec());
    }
    let weights = axis_weights(from, to);
    let (class_row, grid) = table.split_at(width);
    // Columns first: [from, to, width], then rows: [to, to, width], in f64 between.
    let mut columns = vec![0.0f64; from * to * width];
    for (source_row, target_row) in grid.chunks_exact(from * width).zip(columns.chunks_exact_mut(to * width)) {
        for (taps, target) in weights.iter().zip(target_row.chunks_exact_mut(width)) {
            for (weight, source) in taps.iter().zip(source_row.chunks_exact(width)) {
                if *weight != 0.0 {
                    target.iter_mut().zip(source).for_each(|(t, s)| *t += weight * f64::from(*s));
                }
            }
        }
    }
    let mut resized = Vec::with_capacity((1 + to * to) * width);
    resized.extend_from_slice(class_row);
    let mut row = vec![0.0f64; to * width];
    for taps in &weights {
        row.fill(0.0);
        for (weight, source) in taps.iter().zip(columns.chunks_exact(to * width)) {
            if *weight != 0.0 {
                row.iter_mut().zip(source).for_each(|(t, s)| *t += weight * s);
            }
        }
        resized.extend(row.iter().map(|v| *v as f32));
    }
    Ok(resized)
}

/// Weights of one axis: `to` rows of `from` taps, each row summing to 1. Computed in f64 and
/// rounded to f32, as the reference's table is.
fn axis_weights(from: usize, to: usize) -> Vec<Vec<f64>> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = KEYS_SUPPORT * stretch;
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let last = ((centre + support + 0.5) as usize).min(from);
            let mut taps = vec![0.0; from];
            for (j, tap) in taps.iter_mut().enumerate().take(last).skip(first) {
                *tap = keys((j as f64 + 0.5 - centre) / stretch);
            }
            let sum: f64 = taps.iter().sum();
            taps.iter().map(|tap| f64::from((tap / sum) as f32)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_constant_table_and_the_class_row() {
        let mut table = vec![9.0; 3];
        table.extend(vec![0.25; 5 * 5 * 3]);
        for to in [2, 4, 5, 8] {
            let resized = resize_position_table(&table, 5, to, 3).unwrap();
            assert_eq!(resized.len(), (1 + to * to) * 3);
            assert_eq!(resized[..3], [9.0; 3]);
            assert!(resized[3..].iter().all(|v| (v - 0.25).abs() < 1e-6));
        }
    }

    #[test]
    fn keeps_rows_and_columns_apart() {
        // A table that only changes along rows must not change along columns afterwards.
        let mut table = vec![0.0];
        table.extend((0..36).map(|k| (k / 6) as f32));
        let resized = resize_position_table(&table, 6, 4, 1).unwrap();
        let row = |r: usize| &resized[1 + r * 4..5 + r * 4];
        assert!(row(0)[0] < row(1)[0] && row(2)[0] < row(3)[0]);
        assert!((row(2)[0] - row(2)[3]).abs() < 1e-6);
    }

    #[test]
    fn refuses_another_shape() {
        assert!(resize_position_table(&[0.0; 36], 6, 5, 1).is_err());
        assert!(resize_position_table(&[0.0; 37], 6, 5, 0).is_err());
    }
}
