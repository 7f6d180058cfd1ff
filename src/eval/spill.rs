//! Maps on disk between two passes: the whole set's minimum and maximum are known only after the
//! last picture, and no more than one map is in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Maps of one size, in the order they came.
pub(crate) struct Spill {
    file: BufWriter<File>,
    map_len: usize,
    count: usize,
    /// Smallest and largest value of all.
    pub(crate) range: (f32, f32),
}

impl Spill {
    pub(crate) fn new(map_len: usize) -> io::Result<Self> {
        let range = (f32::INFINITY, f32::NEG_INFINITY);
        Ok(Self { file: BufWriter::new(tempfile::tempfile()?), map_len, count: 0, range })
    }

    pub(crate) fn push(&mut self, map: &[f32]) -> io::Result<()> {
        for value in map {
            self.range = (self.range.0.min(*value), self.range.1.max(*value));
            self.file.write_all(&value.to_le_bytes())?;
        }
        self.count += 1;
        Ok(())
    }

    /// From the first map on.
    pub(crate) fn into_reader(mut self) -> io::Result<SpillReader> {
        self.file.flush()?;
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(SpillReader { file: BufReader::new(file), map_len: self.map_len })
    }

    /// Visits all maps, one at a time.
    pub(crate) fn for_each(self, mut visit: impl FnMut(usize, Vec<f32>) -> io::Result<()>) -> io::Result<()> {
        let count = self.count;
        let mut reader = self.into_reader()?;
        (0..count).try_for_each(|n| visit(n, reader.next_map()?))
    }
}

/// Gives the maps back in order.
pub(crate) struct SpillReader {
    file: BufReader<File>,
    map_len: usize,
}

impl SpillReader {
    pub(crate) fn next_map(&mut self) -> io::Result<Vec<f32>> {
        let mut bytes = vec![0; self.map_len * size_of::<f32>()];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}
