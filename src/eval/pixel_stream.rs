//! Exact pixel metrics of any number of pictures in bounded memory.
//!
//! Comes in: one map and mask at a time. Goes out: [`PixelMetrics`]. Pixels are sorted in pieces that
//! fit into memory, the pieces wait in a temporary file and are merged at the end: nothing is rounded.
//! Held at most: one piece of [`PIECE`] pixels while pictures come in, then a block of each piece
//! (128 KB for every 4 million pixels), 36 bytes a picture and region and 2 bytes a picture and round
//! of the bootstrap. For 3 715 pictures of 240 x 240 and 1000 rounds: 32 MB, then 15 MB; on disk
//! 8 bytes a pixel, 1.7 GB. Fails on an I/O error.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use crate::eval::regions::regions;
use crate::eval::resample::{Group, PixelIntervals, Resampled};
use crate::eval::sweep::Sweep;

/// Pixels sorted at a time: 32 MB.
const PIECE: usize = 4 << 20;
/// Bytes of one pixel on disk.
const RECORD_BYTES: usize = size_of::<u64>();

/// Metrics over all pixels; `None` if a class is missing.
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
    /// How sure the figures are; what [`PixelStream::push_of`] calls a person counts as independent.
    pub intervals: PixelIntervals,
}

/// How figures are resampled.
#[derive(Clone, Copy, Debug)]
pub struct Resampling {
    /// Draws; none gives no intervals.
    pub rounds: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Collects pixels.
pub struct PixelStream {
    side_px: usize,
    piece_limit: usize,
    piece: Vec<u64>,
    file: BufWriter<File>,
    /// Pixels of each piece in the file.
    pieces: Vec<usize>,
    /// What pixels belong to: one a picture and one a region.
    groups: Vec<Group>,
    pictures: usize,
}

/// A pixel that sorts as its score does: the score's order in the high half, its group in the low.
fn record(score: f32, group: u32) -> u64 {
    // Zeros of both signs are one score.
    let bits = (score + 0.0).to_bits();
    let rank = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(rank) << 32 | u64::from(group)
}

/// The parts of a [`record`]: order of the score, group.
fn parts(record: u64) -> (u32, u32) {
    ((record >> 32) as u32, record as u32)
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
            groups: Vec::new(),
            pictures: 0,
        })
    }

    /// Adds a picture: its map and its mask of 0 and 1, `[side, side]`.
    ///
    /// # Errors
    /// The temporary file cannot grow.
    pub fn push(&mut self, map: &[f32], mask: &[u8]) -> io::Result<()> {
        self.push_of(self.pictures, map, mask)
    }

    /// The same, as one of the pictures of a person by number, which intervals draw together.
    ///
    /// # Errors
    /// The temporary file cannot grow.
    pub fn push_of(&mut self, person: usize, map: &[f32], mask: &[u8]) -> io::Result<()> {
        let (sizes, labels) = regions(mask, self.side_px);
        let first = u32::try_from(self.groups.len()).map_err(io::Error::other)?;
        let picture = person;
        self.pictures += 1;
        let normal = labels.len() - sizes.iter().sum::<usize>();
        self.groups.push(Group { picture, region_px: None, pixels: normal });
        self.groups.extend(sizes.iter().map(|size| Group { picture, region_px: Some(*size), pixels: *size }));
        for (score, label) in map.iter().zip(&labels) {
            self.piece.push(record(*score, first + label));
            if self.piece.len() >= self.piece_limit {
                self.store()?;
            }
        }
        Ok(())
    }

    fn store(&mut self) -> io::Result<()> {
        self.piece.sort_unstable_by(|a, b| b.cmp(a));
        for record in &self.piece {
            self.file.write_all(&record.to_le_bytes())?;
        }
        self.pieces.push(self.piece.len());
        self.piece.clear();
        Ok(())
    }

    /// The figures, without intervals.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn finish(self) -> io::Result<PixelMetrics> {
        self.finish_with(Resampling { rounds: 0, seed: 0 })
    }

    /// The figures and how sure they are.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn finish_with(mut self, resampling: Resampling) -> io::Result<PixelMetrics> {
        self.store()?;
        self.piece = Vec::new();
        self.file.flush()?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut merge = Merge::new(&file, &self.pieces)?;

        let pixels = |class: bool| -> f64 {
            self.groups.iter().filter(|g| g.region_px.is_some() == class).map(|g| g.pixels as f64).sum()
        };
        let regions = self.groups.iter().filter(|g| g.region_px.is_some()).count();
        let mut sweep = Sweep::new(pixels(true), pixels(false), regions as f64);
        let mut resampled = Resampled::new(&self.groups, resampling.rounds, resampling.seed);
        let (mut hits, mut misses, mut overlap) = (0.0, 0.0, 0.0);
        let mut next = merge.next()?;
        while let Some(record) = next {
            next = merge.next()?;
            let (rank, group) = parts(record);
            match self.groups.get(group as usize).and_then(|g| g.region_px) {
                Some(region_px) => {
                    hits += 1.0;
                    overlap += 1.0 / region_px as f64;
                }
                None => misses += 1.0,
            }
            let ends = next.is_none_or(|next| parts(next).0 != rank);
            resampled.count(group, ends);
            if ends {
                sweep.lower(hits, misses, overlap);
                (hits, misses, overlap) = (0.0, 0.0, 0.0);
            }
        }
        Ok(PixelMetrics {
            auroc: sweep.auroc(),
            average_precision: sweep.average_precision(),
            pro: sweep.pro(),
            f1_max: sweep.f1_max(),
            intervals: resampled.finish(),
        })
    }
}

/// All pieces as one, the highest record first.
struct Merge<'a> {
    file: &'a File,
    readers: Vec<PieceReader>,
    heads: BinaryHeap<(u64, usize)>,
}

impl<'a> Merge<'a> {
    fn new(file: &'a File, pieces: &[usize]) -> io::Result<Self> {
        let mut this = Self { file, readers: Vec::with_capacity(pieces.len()), heads: BinaryHeap::new() };
        let mut next_byte = 0;
        for (n, pixels) in pieces.iter().enumerate() {
            let mut reader = PieceReader { block: Vec::new().into_iter(), next_byte, left: *pixels };
            next_byte += (pixels * RECORD_BYTES) as u64;
            this.heads.extend(reader.next(file)?.map(|record| (record, n)));
            this.readers.push(reader);
        }
        Ok(this)
    }

    fn next(&mut self) -> io::Result<Option<u64>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let (record, n) = *head;
        match self.readers.get_mut(n).map(|reader| reader.next(self.file)).transpose()?.flatten() {
            // One move in the heap instead of two.
            Some(next) => *head = (next, n),
            None => {
                PeekMut::pop(head);
            }
        }
        Ok(Some(record))
    }
}

/// Reads one piece in blocks; all pieces share the file.
struct PieceReader {
    block: std::vec::IntoIter<u64>,
    next_byte: u64,
    left: usize,
}

impl PieceReader {
    /// Pixels read at a time.
    const BLOCK: usize = 1 << 14;

    fn next(&mut self, mut file: &File) -> io::Result<Option<u64>> {
        if self.block.len() == 0 && self.left > 0 {
            let count = self.left.min(Self::BLOCK);
            let mut bytes = vec![0; count * RECORD_BYTES];
            file.seek(SeekFrom::Start(self.next_byte))?;
            file.read_exact(&mut bytes)?;
            self.next_byte += bytes.len() as u64;
            self.left -= count;
            let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
            self.block = records.iter().map(|b| u64::from_le_bytes(*b)).collect::<Vec<_>>().into_iter();
        }
        Ok(self.block.next())
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::eval::bootstrap::middle;
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
            assert_eq!(found.intervals, PixelIntervals::default());
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
        let ranks = [-2.0, -1.0, -0.0, 0.0, 0.5, 3.0].map(|score| parts(record(score, 7)).0);
        assert!(ranks.is_sorted());
        assert_eq!(ranks[2], ranks[3]);
    }

    #[test]
    fn intervals_hold_the_figures_and_are_those_of_resampled_sets() {
        let resampling = Resampling { rounds: 400, seed: 3 };
        let mut stream = PixelStream::with_pieces(8, 100).unwrap();
        for (map, mask) in pictures() {
            stream.push(&map, &mask).unwrap();
        }
        let found = stream.finish_with(resampling).unwrap();
        let figures = [found.auroc, found.average_precision, found.pro];
        let intervals = [found.intervals.auroc, found.intervals.average_precision, found.intervals.pro];
        for (figure, interval) in figures.iter().zip(intervals) {
            let (figure, interval) = (figure.unwrap(), interval.unwrap());
            assert!(interval.lo < figure && figure < interval.hi, "{figure} {interval:?}");
        }
        // The same by drawing whole pictures and measuring each draw.
        let mut rng = Pcg64::seed_from_u64(99);
        let (abnormal, normal): (Vec<_>, Vec<_>) = pictures().into_iter().partition(|(_, mask)| mask.contains(&1));
        let draws = (0..400).map(|_| {
            let mut stream = PixelStream::with_pieces(8, 1000).unwrap();
            for class in [&abnormal, &normal] {
                for _ in 0..class.len() {
                    let (map, mask) = &class[rng.random_range(0..class.len())];
                    stream.push(map, mask).unwrap();
                }
            }
            stream.finish().unwrap()
        });
        let draws: Vec<PixelMetrics> = draws.collect();
        let of = |figure: fn(&PixelMetrics) -> Option<f64>| middle(draws.iter().filter_map(figure).collect()).unwrap();
        let expected = [of(|m| m.auroc), of(|m| m.average_precision), of(|m| m.pro)];
        for (found, expected) in intervals.iter().zip(expected) {
            let found = found.unwrap();
            let width = expected.hi - expected.lo;
            let off = (found.lo - expected.lo).abs().max((found.hi - expected.hi).abs());
            assert!(off < 0.25 * width, "{found:?} {expected:?}");
        }
    }
}
