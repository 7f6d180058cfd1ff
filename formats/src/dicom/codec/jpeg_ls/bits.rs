//! Bits of a JPEG-LS scan: after a byte of ones, the next one holds seven bits (T.87, A.1).

/// Bytes of the scan that `coded` begins with: up to the next marker.
pub(super) fn scan_length(coded: &[u8]) -> usize {
    coded.windows(2).position(|pair| pair[0] == 0xff && pair[1] >= 0x80).unwrap_or(coded.len())
}

pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits not handed out yet, the next one highest.
    cache: u64,
    cached: u32,
    after_ones: bool,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cache: 0, cached: 0, after_ones: false }
    }

    fn fill(&mut self) {
        while self.cached <= 56 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            let width = if self.after_ones { 7 } else { 8 };
            self.cache |= u64::from(byte) << (64 - width) >> self.cached;
            self.cached += width;
            self.after_ones = byte == 0xff;
            self.at += 1;
        }
    }

    /// The next `count` bits, up to 32; `None` where the data ends.
    pub(super) fn read(&mut self, count: u32) -> Option<u32> {
        if count == 0 {
            return Some(0);
        }
        if self.cached < count {
            self.fill();
            if self.cached < count {
                return None;
            }
        }
        let bits = (self.cache >> (64 - count)) as u32;
        self.cache <<= count;
        self.cached -= count;
        Some(bits)
    }

    /// Zeros before the next one, which is taken, too.
    pub(super) fn zeros(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            if self.cached == 0 {
                self.fill();
                if self.cached == 0 {
                    return None;
                }
            }
            let run = self.cache.leading_zeros().min(self.cached);
            zeros += run;
            if run < self.cached {
                // Two shifts: the run may have 63 bits.
                self.cache = self.cache << run << 1;
                self.cached -= run + 1;
                return Some(zeros);
            }
            self.cache = 0;
            self.cached = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bits_are_left_out() {
        let mut bits = BitReader::new(&[0xff, 0x7f, 0x80]);
        assert_eq!(bits.read(15), Some(0x7fff));
        assert_eq!(bits.read(8), Some(0x80));
        assert_eq!(bits.read(1), None);
        let mut bits = BitReader::new(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x80]);
        assert_eq!([bits.zeros(), bits.zeros(), bits.zeros()], [Some(79), Some(0), None]);
        assert_eq!(scan_length(&[1, 0xff, 0x7f, 0xff, 0xd9]), 3);
    }
}
