//! Connected regions of a mask.
//!
//! Comes in: 0 and 1, row by row. Goes out: regions with their sizes. Cannot fail.

/// Sizes of the 8-connected regions, and of each pixel its region (0 is none, else its number from 1).
pub fn regions(mask: &[u8], width_px: usize) -> (Vec<usize>, Vec<u32>) {
    let mut labels = vec![0_u32; mask.len()];
    let height_px = mask.len() / width_px.max(1);
    let mut sizes = Vec::new();
    let mut open = Vec::new();
    for start in 0..mask.len() {
        if mask[start] == 0 || labels[start] != 0 {
            continue;
        }
        let number = sizes.len() as u32 + 1;
        let mut size = 0;
        labels[start] = number;
        open.push(start);
        while let Some(at) = open.pop() {
            size += 1;
            let (x, y) = (at % width_px, at / width_px);
            for ny in y.saturating_sub(1)..=(y + 1).min(height_px.saturating_sub(1)) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width_px - 1) {
                    let next = ny * width_px + nx;
                    if mask.get(next) == Some(&1) && labels[next] == 0 {
                        labels[next] = number;
                        open.push(next);
                    }
                }
            }
        }
        sizes.push(size);
    }
    (sizes, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_connect() {
        let mask = [1, 0, 0, 0, /**/ 0, 1, 0, 1, /**/ 0, 0, 0, 1, /**/ 1, 0, 0, 0];
        let (sizes, labels) = regions(&mask, 4);
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(labels, [1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 3, 0, 0, 0]);
    }
}
