//! Exact pixel metrics of any number of pictures in bounded memory.
//!
//! Comes in: one map and mask at a time. Goes out: [`PixelMetrics`]. Pixels are sorted in pieces that
//! fit into memory, the pieces wait in a temporary file and are merged at the end: nothing is rounded
//! and no more than one piece is ever held ([`PIECE`] pixels of 8 bytes). Fails when the disk does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use crate::eval::mask::regions;
use crate::eval::sweep::Sweep;

/// Pixels sorted at a time: 32 MB.
const PIECE: usize = 4 << 20;
/// Bytes of one pixel on disk: its score, and the size of its region or 0.
const RECORD_BYTES: usize = 8;

/// Metrics over all pixels; `None` where a class is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PixelMetrics {
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// Per-region overlap up to a false-positive rate of 0.3.
    pub pro: Option<f64>,
    /// Largest F1.
    pub f1_max: Option<f64>,
}

/// Collects pixels.
pub struct PixelStream {
    side_px: usize,
    piece_limit: usize,
    piece: Vec<Pixel>,
    file: BufWriter<File>,
    /// Pixels of each piece in the file.
    pieces: Vec<usize>,
    positives: u64,
    negatives: u64,
    regions: u64,
}

/// Score as an integer that sorts as the score does, and the size of the abnormal region it is in,
/// 0 outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pixel {
    rank: u32,
    region_px: u32,
}

impl Pixel {
    fn new(score: f32, region_px: u32) -> Self {
        // Zeros of both signs are one score.
        let bits = (score + 0.0).to_bits();
        let rank = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Self { rank, region_px }
    }
}

impl PixelStream {
    /// For maps of `side_px²` pixels.
    ///
    /// # Errors
    /// There is no room for a temporary file.
    pub fn new(side_px: usize) -> io::Result<Self> {
        Self::with_pieces(side_px, PIECE)
    }

    fn with_pieces(side_px: usize, piece_limit: usize) -> io::Result<Self> {
        Ok(Self {
            side_px,
            piece_limit,
            piece: Vec::new(),
            file: BufWriter::new(tempfile::tempfile()?),
            pieces: Vec::new(),
            positives: 0,
            negatives: 0,
            regions: 0,
        })
    }

    /// Adds a picture: its map and its mask of 0 and 1, `[side, side]`.
    ///
    /// # Errors
    /// The temporary file cannot grow.
    pub fn push(&mut self, map: &[f32], mask: &[u8]) -> io::Result<()> {
        let (sizes, labels) = regions(mask, self.side_px);
        self.regions += sizes.len() as u64;
        for (score, label) in map.iter().zip(&labels) {
            let size = (*label as usize).checked_sub(1).and_then(|n| sizes.get(n)).copied().unwrap_or(0);
            if size > 0 {
                self.positives += 1;
            } else {
                self.negatives += 1;
            }
            self.piece.push(Pixel::new(*score, size as u32));
            if self.piece.len() >= self.piece_limit {
                self.store()?;
            }
        }
        Ok(())
    }

    fn store(&mut self) -> io::Result<()> {
        self.piece.sort_unstable_by(|a, b| b.cmp(a));
        for pixel in &self.piece {
            self.file.write_all(&pixel.rank.to_le_bytes())?;
            self.file.write_all(&pixel.region_px.to_le_bytes())?;
        }
        self.pieces.push(self.piece.len());
        self.piece.clear();
        Ok(())
    }

    /// Merges the pieces.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn finish(mut self) -> io::Result<PixelMetrics> {
        self.store()?;
        self.file.flush()?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut readers = Vec::with_capacity(self.pieces.len());
        let mut start = 0;
        for pixels in self.pieces {
            readers.push(PieceReader::new(start, pixels));
            start += (pixels * RECORD_BYTES) as u64;
        }
        let mut heap = BinaryHeap::new();
        for (n, reader) in readers.iter_mut().enumerate() {
            if let Some(pixel) = reader.next(&file)? {
                heap.push((pixel, Reverse(n)));
            }
        }
        let mut sweep = Sweep::new(self.positives, self.negatives, self.regions);
        let mut group: Option<(u32, u64, u64, f64)> = None;
        while let Some((pixel, Reverse(n))) = heap.pop() {
            if let Some(next) = readers.get_mut(n).map(|r| r.next(&file)).transpose()?.flatten() {
                heap.push((next, Reverse(n)));
            }
            let hit = u64::from(pixel.region_px > 0);
            let weight = if hit == 1 { 1.0 / f64::from(pixel.region_px) } else { 0.0 };
            group = Some(match group {
                Some((rank, hits, misses, sum)) if rank == pixel.rank => {
                    (rank, hits + hit, misses + 1 - hit, sum + weight)
                }
                other => {
                    if let Some((_, hits, misses, sum)) = other {
                        sweep.lower(hits, misses, sum);
                    }
                    (pixel.rank, hit, 1 - hit, weight)
                }
            });
        }
        if let Some((_, hits, misses, sum)) = group {
            sweep.lower(hits, misses, sum);
        }
        Ok(PixelMetrics {
            auroc: sweep.auroc(),
            average_precision: sweep.average_precision(),
            pro: sweep.pro(),
            f1_max: sweep.f1_max(),
        })
    }
}

/// Reads one piece in blocks; all pieces share the file.
struct PieceReader {
    block: Vec<u8>,
    at: usize,
    next_byte: u64,
    left: usize,
}

impl PieceReader {
    /// Pixels read at a time.
    const BLOCK: usize = 1 << 14;

    fn new(start: u64, pixels: usize) -> Self {
        Self { block: Vec::new(), at: 0, next_byte: start, left: pixels }
    }

    fn next(&mut self, mut file: &File) -> io::Result<Option<Pixel>> {
        if self.at == self.block.len() {
            let count = self.left.min(Self::BLOCK);
            self.block.resize(count * RECORD_BYTES, 0);
            file.seek(SeekFrom::Start(self.next_byte))?;
            file.read_exact(&mut self.block)?;
            self.next_byte += self.block.len() as u64;
            self.left -= count;
            self.at = 0;
        }
        let record = self.block.get(self.at..self.at + RECORD_BYTES);
        let Some(&[a, b, c, d, e, f, g, h]) = record else { return Ok(None) };
        self.at += RECORD_BYTES;
        Ok(Some(Pixel { rank: u32::from_le_bytes([a, b, c, d]), region_px: u32::from_le_bytes([e, f, g, h]) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{auroc, average_precision, f1_max};

    /// Coarse values, so that there are ties within and between pictures.
    fn pictures() -> Vec<(Vec<f32>, Vec<u8>)> {
        (0..7)
            .map(|n| {
                let mask: Vec<u8> = (0..64).map(|i| u8::from(n > 1 && (i / 8) < 3 && (i % 8) > 4 + n / 4)).collect();
                let map = (0..64).map(|i| ((i * 37 + n * 11) % 9) as f32 - 4.0 + f32::from(mask[i])).collect();
                (map, mask)
            })
            .collect()
    }

    #[test]
    fn pieces_of_any_size_give_what_memory_gives() {
        let (mut scores, mut labels) = (Vec::new(), Vec::new());
        for (map, mask) in pictures() {
            scores.extend(map);
            labels.extend(mask.iter().map(|m| *m == 1));
        }
        let mut pro = None;
        for piece in [1, 10, 64, 1000] {
            let mut stream = PixelStream::with_pieces(8, piece).unwrap();
            for (map, mask) in pictures() {
                stream.push(&map, &mask).unwrap();
                assert!(stream.piece.len() < piece.max(1), "never more than a piece in memory");
            }
            let found = stream.finish().unwrap();
            let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
            assert!(close(found.auroc, auroc(&scores, &labels)));
            assert!(close(found.average_precision, average_precision(&scores, &labels)));
            assert!(close(found.f1_max, f1_max(&scores, &labels)));
            assert!(close(found.pro, pro.or(found.pro)));
            pro = found.pro;
        }
    }

    #[test]
    fn one_class_has_no_figures() {
        let mut stream = PixelStream::new(2).unwrap();
        stream.push(&[0.1, 0.2, 0.3, 0.4], &[0; 4]).unwrap();
        assert_eq!(stream.finish().unwrap(), PixelMetrics::default());
    }

    #[test]
    fn negative_scores_and_zeros_sort_as_numbers() {
        let ranks: Vec<u32> = [-2.0, -1.0, -0.0, 0.0, 0.5, 3.0].map(|v| Pixel::new(v, 0).rank).to_vec();
        assert!(ranks.is_sorted());
        assert_eq!(ranks[2], ranks[3]);
    }
}
