//! A smaller memory bank: centres in place of rows.
//!
//! Comes in: unit rows. Goes out: fewer unit rows, by spherical k-means with seeded starting rows
//! (k-means++). Cannot fail. Fewer rows are faster to search and blur what is normal.

use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Rounds of k-means; centres hardly move after these.
const ROUNDS: usize = 8;

/// At most `rows` unit rows that stand for `bank` `[n, dim]`; the bank itself where it is no larger.
pub fn compress(bank: Tensor<2>, rows: usize, seed: u64) -> Tensor<2> {
    let [count, dim] = bank.dims();
    if rows == 0 || count <= rows {
        return bank;
    }
    let device = bank.device();
    let Ok(values) = bank.clone().try_into_vec_as::<f32>() else { return bank };
    let row = |n: usize| values.get(n * dim..(n + 1) * dim).unwrap_or_default();
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut centres: Vec<f32> = row(rng.random_range(0..count)).to_vec();
    let mut far = vec![f32::INFINITY; count];
    for _ in 1..rows {
        let last = centres.get(centres.len() - dim..).unwrap_or_default().to_vec();
        for (n, far) in far.iter_mut().enumerate() {
            let cosine: f32 = row(n).iter().zip(&last).map(|(a, b)| a * b).sum();
            *far = far.min((1.0 - cosine).max(0.0));
        }
        // A row is taken with a chance that grows with its distance to the rows taken before.
        let mut left = rng.random::<f32>() * far.iter().sum::<f32>();
        let next = far.iter().position(|d| {
            left -= d;
            left <= 0.0
        });
        centres.extend_from_slice(row(next.unwrap_or(count - 1)));
    }
    for _ in 0..ROUNDS {
        let tensor = Tensor::<2>::from_data(TensorData::new(centres.clone(), [rows, dim]), &device);
        let nearest = bank.clone().matmul(tensor.transpose()).argmax(1).reshape([count]);
        let Ok(nearest) = nearest.try_into_vec_as::<i32>() else { break };
        let mut sums = vec![0.0_f32; rows * dim];
        for (n, centre) in nearest.iter().enumerate() {
            let sum = sums.get_mut(*centre as usize * dim..(*centre as usize + 1) * dim).unwrap_or_default();
            sum.iter_mut().zip(row(n)).for_each(|(s, v)| *s += v);
        }
        for (centre, sum) in centres.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)) {
            let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
            if length > 0.0 {
                // A centre that nothing is nearest to stays where it was.
                centre.iter_mut().zip(sum).for_each(|(c, s)| *c = s / length);
            }
        }
    }
    Tensor::from_data(TensorData::new(centres, [rows, dim]), &device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn finds_the_directions_rows_lie_in() {
        let device = Device::flex();
        let mut values = Vec::new();
        for n in 0..60 {
            let angle = [0.0_f32, 2.0, 4.0][n % 3] + 0.02 * (n as f32 / 60.0 - 0.5);
            values.extend([angle.cos(), angle.sin()]);
        }
        let bank = Tensor::<2>::from_data(TensorData::new(values.clone(), [60, 2]), &device);
        let small = compress(bank.clone(), 3, 1);
        assert_eq!(small.dims(), [3, 2]);
        let nearest: Vec<f32> = bank.clone().matmul(small.transpose()).max_dim(1).into_data().try_to_vec().unwrap();
        assert!(nearest.iter().all(|cosine| *cosine > 0.999), "{nearest:?}");
        assert_eq!(compress(bank, 100, 1).dims(), [60, 2]);
    }
}
