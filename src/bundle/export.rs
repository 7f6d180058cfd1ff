//! Adapters as PyTorch saves them, so that the released code can load what was trained here.
//!
//! Comes in: matrices under canonical names. Goes out: the bytes of a `.pth` archive:
//! `{'seg_adapters': {'0.fc1.0.weight': ..}, 'det_adapters': {..}}` (spec §10), f32 on the CPU.
//! Fails with [`BundleError::Options`] if a name is no adapter's.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::bundle::error::BundleError;
use crate::bundle::names::BANKS;

/// Opcodes of pickle, protocol 2.
mod op {
    pub const PROTO: &[u8] = &[0x80, 2];
    pub const EMPTY_DICT: u8 = b'}';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const MARK: u8 = b'(';
    pub const TUPLE: u8 = b't';
    pub const SET_ITEMS: u8 = b'u';
    pub const UNICODE: u8 = b'X';
    pub const GLOBAL: u8 = b'c';
    pub const INT32: u8 = b'J';
    pub const FALSE: u8 = 0x89;
    pub const PERSISTENT_ID: u8 = b'Q';
    pub const REDUCE: u8 = b'R';
    pub const STOP: u8 = b'.';
}

/// One matrix `[rows, columns]` under its canonical name `adapters.{seg,det}.{n}.{fc1,fc2}`.
pub struct Matrix<'a> {
    /// Canonical name.
    pub name: &'a str,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Row-major values.
    pub values: &'a [f32],
}

/// The archive.
///
/// # Errors
/// [`BundleError::Options`] for a name that is no adapter's, [`BundleError::Io`].
pub fn adapters_pth(matrices: &[Matrix<'_>]) -> Result<Vec<u8>, BundleError> {
    let io = |e: zip::result::ZipError| BundleError::Options(format!("the archive cannot be written: {e}"));
    let write = |e: std::io::Error| BundleError::Options(format!("the archive cannot be written: {e}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Torch maps the data as it lies in the file.
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).map_err(io)?;
    zip.write_all(&pickle(matrices)?).map_err(write)?;
    for (n, matrix) in matrices.iter().enumerate() {
        zip.start_file(format!("archive/data/{n}"), stored).map_err(io)?;
        let bytes: Vec<u8> = matrix.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        zip.write_all(&bytes).map_err(write)?;
    }
    zip.start_file("archive/version", stored).map_err(io)?;
    zip.write_all(b"3\n").map_err(write)?;
    Ok(zip.finish().map_err(io)?.into_inner())
}

fn pickle(matrices: &[Matrix<'_>]) -> Result<Vec<u8>, BundleError> {
    let mut out = op::PROTO.to_vec();
    out.extend([op::EMPTY_DICT, op::MARK]);
    for bank in BANKS {
        text(&mut out, &format!("{bank}_adapters"));
        out.extend([op::EMPTY_DICT, op::MARK]);
        for (storage, matrix) in matrices.iter().enumerate() {
            let ["adapters", of, level, layer] = matrix.name.split('.').collect::<Vec<_>>()[..] else {
                return Err(BundleError::Options(format!("{} is no adapter's matrix", matrix.name)));
            };
            if of == bank {
                text(&mut out, &format!("{level}.{layer}.0.weight"));
                tensor(&mut out, storage, matrix.shape)?;
            }
        }
        out.push(op::SET_ITEMS);
    }
    out.extend([op::SET_ITEMS, op::STOP]);
    Ok(out)
}

/// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`
fn tensor(out: &mut Vec<u8>, storage: usize, [rows, columns]: [usize; 2]) -> Result<(), BundleError> {
    let int = |out: &mut Vec<u8>, value: usize| -> Result<(), BundleError> {
        let value = i32::try_from(value).map_err(|_| BundleError::Options("the adapters are too large".to_owned()))?;
        out.push(op::INT32);
        out.extend(value.to_le_bytes());
        Ok(())
    };
    global(out, "torch._utils", "_rebuild_tensor_v2");
    out.extend([op::MARK, op::MARK]);
    text(out, "storage");
    global(out, "torch", "FloatStorage");
    text(out, &storage.to_string());
    text(out, "cpu");
    int(out, rows * columns)?;
    out.extend([op::TUPLE, op::PERSISTENT_ID]);
    int(out, 0)?;
    for pair in [[rows, columns], [columns, 1]] {
        out.push(op::MARK);
        int(out, pair[0])?;
        int(out, pair[1])?;
        out.push(op::TUPLE);
    }
    out.push(op::FALSE);
    global(out, "collections", "OrderedDict");
    out.extend([op::EMPTY_TUPLE, op::REDUCE, op::TUPLE, op::REDUCE]);
    Ok(())
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(op::UNICODE);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn global(out: &mut Vec<u8>, module: &str, name: &str) {
    out.push(op::GLOBAL);
    out.extend(format!("{module}\n{name}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::import::AdapterFile;

    #[test]
    fn our_own_reader_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adapters.pth");
        let values: Vec<Vec<f32>> = (0..4).map(|n| (0..6).map(|k| (10 * n + k) as f32 - 7.5).collect()).collect();
        let names = ["adapters.seg.0.fc1", "adapters.seg.0.fc2", "adapters.det.0.fc1", "adapters.det.0.fc2"];
        let matrices: Vec<Matrix<'_>> = names
            .iter()
            .zip(&values)
            .map(|(name, values)| Matrix { name, shape: if name.ends_with("fc1") { [2, 3] } else { [3, 2] }, values })
            .collect();
        std::fs::write(&path, adapters_pth(&matrices).unwrap()).unwrap();
        let mut file = AdapterFile::open(&path).unwrap();
        assert_eq!((file.levels(), file.width(), file.bottleneck()), (1, 3, 2));
        for (name, values) in names.iter().zip(&values) {
            assert_eq!(file.read(name).unwrap().1, *values);
        }
    }
}
