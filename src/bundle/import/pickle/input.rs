//! The bytes of a pickle, read from front to back.
//!
//! Fails with a sentence if they end before what was asked for.

/// Bytes and how far they are read.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| "its pickle ends too early".to_owned())?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    pub(super) fn little_endian(&mut self, count: usize) -> Result<u64, String> {
        Ok(self.take(count)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// Bytes after their length.
    pub(super) fn sized(&mut self, length_bytes: usize) -> Result<&'a [u8], String> {
        let length = self.little_endian(length_bytes)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(super) fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n').ok_or("its pickle ends within a line")?;
        let line = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.take(1)?;
        Ok(line)
    }

    /// A memo number as a line of digits.
    pub(super) fn slot(&mut self) -> Result<u64, String> {
        let line = self.line()?;
        line.parse().map_err(|_| format!("{line:?} is no memo number"))
    }
}
