//! One shard: bytes whose hash is right become tensors.
//!
//! Comes in: a manifest's [`FileEntry`] and the file's bytes. Goes out: the tensors it lists, each
//! in the type it is stored in. Fails before anything is used: [`BundleError::Size`], [`BundleError::Hash`],
//! then [`BundleError::Shard`] or [`BundleError::NotFinite`]. Does no input or output itself.

use bytemuck::Pod;
use half::f16;
use half::vec::HalfBitsVecExt;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as FileDtype, TensorView};
use sha2::{Digest, Sha256};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Dtype, FileEntry, TensorEntry};
use crate::bundle::source::TensorPart;
use crate::bundle::values::{ScaledRows, Values};

/// Checks a shard and gives all its tensors.
///
/// # Errors
/// As in the module's description.
pub fn decode_shard(entry: &FileEntry, bytes: &[u8]) -> Result<Vec<TensorPart>, BundleError> {
    let mut parts = Vec::with_capacity(entry.tensors.len());
    visit_shard(entry, bytes, |part| {
        parts.push(part);
        Ok(())
    })?;
    Ok(parts)
}

/// Checks a shard and gives its tensors one after the other, so that only one is held beside the bytes.
///
/// # Errors
/// As in the module's description, and the errors of `visit`.
pub fn visit_shard(
    entry: &FileEntry,
    bytes: &[u8],
    visit: impl FnMut(TensorPart) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    check_bytes(entry, bytes, None)?;
    visit_tensors(entry, bytes, visit)
}

/// The tensors of a shard that [`check_bytes`] found right, one after the other.
///
/// # Errors
/// [`BundleError::Shard`], [`BundleError::NotFinite`], and whatever `visit` answers.
pub(crate) fn visit_tensors(
    entry: &FileEntry,
    bytes: &[u8],
    mut visit: impl FnMut(TensorPart) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    let wrong = |reason: String| BundleError::Shard { path: entry.path.clone(), reason };
    let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
    for tensor in &entry.tensors {
        let values = values(&file, tensor).map_err(wrong)?;
        if let Some(index) = values.first_not_finite() {
            return Err(BundleError::NotFinite { name: tensor.name.clone(), index });
        }
        visit(TensorPart { name: tensor.name.clone(), shape: tensor.shape.clone(), rows: tensor.rows, values })?;
    }
    Ok(())
}

/// Checks size, then hash, which the caller may have computed already.
///
/// # Errors
/// [`BundleError::Size`] or [`BundleError::Hash`].
pub(crate) fn check_bytes(entry: &FileEntry, bytes: &[u8], hash: Option<String>) -> Result<(), BundleError> {
    if bytes.len() as u64 != entry.bytes {
        return Err(BundleError::Size { path: entry.path.clone(), expected: entry.bytes, found: bytes.len() as u64 });
    }
    let found = hash.unwrap_or_else(|| sha256_hex(bytes));
    if found != entry.sha256 {
        return Err(BundleError::Hash { path: entry.path.clone(), expected: entry.sha256.clone(), found });
    }
    Ok(())
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Key of the row scales of an i8 tensor.
pub fn scale_key(key: &str) -> String {
    format!("{key}.scale")
}

/// The values of one listed tensor, or what is wrong with it.
fn values(file: &SafeTensors<'_>, entry: &TensorEntry) -> Result<Values, String> {
    let key = entry.key();
    let shape = entry.stored_shape();
    let file_dtype = match entry.dtype {
        Dtype::F32 => FileDtype::F32,
        Dtype::F16 => FileDtype::F16,
        Dtype::I8 => FileDtype::I8,
    };
    let bytes = find(file, &key, file_dtype, &shape)?.data();
    match entry.dtype {
        Dtype::F32 => Ok(Values::F32(numbers(bytes))),
        Dtype::F16 => Ok(Values::F16(numbers::<u16>(bytes).reinterpret_into::<f16>())),
        Dtype::I8 => {
            let rows = shape.first().copied().unwrap_or(0);
            let scales = numbers(find(file, &scale_key(&key), FileDtype::F32, &[rows])?.data());
            Ok(Values::I8(ScaledRows { integers: numbers(bytes), scales }))
        }
    }
}

fn find<'a>(file: &SafeTensors<'a>, key: &str, dtype: FileDtype, shape: &[usize]) -> Result<TensorView<'a>, String> {
    let view = file.tensor(key).map_err(|_| format!("no tensor {key} in it"))?;
    if view.dtype() != dtype {
        return Err(format!("{key} has type {}, expected {dtype}", view.dtype()));
    }
    if view.shape() != shape {
        return Err(format!("{key} has shape {:?}, expected {shape:?}", view.shape()));
    }
    Ok(view)
}

/// Little-endian numbers, copied in one piece.
fn numbers<T: Pod>(bytes: &[u8]) -> Vec<T> {
    const { assert!(cfg!(target_endian = "little"), "the bytes of each number would have to be turned round") };
    bytemuck::pod_collect_to_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::manifest::Group;

    /// A file with the given header and data.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn entry(bytes: &[u8], dtype: Dtype, shape: &[usize], rows: Option<[usize; 2]>) -> FileEntry {
        FileEntry {
            path: "vision-000.safetensors".to_owned(),
            bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
            group: Group::Vision,
            tensors: vec![TensorEntry { name: "w".to_owned(), shape: shape.to_vec(), dtype, rows }],
        }
    }

    fn f32_file(values: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let n = values.len();
        file(&format!(r#"{{"w":{{"dtype":"F32","shape":[{n}],"data_offsets":[0,{}]}}}}"#, 4 * n), &data)
    }

    #[test]
    fn hash_of_a_known_text() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn scales_rows_of_i8() {
        let mut data = Vec::new();
        data.extend(0.5f32.to_le_bytes());
        data.extend(2.0f32.to_le_bytes());
        data.extend([1u8, 0xff, 127, 0x81]);
        let header = r#"{"w[3:5].scale":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w[3:5]":{"dtype":"I8","shape":[2,2],"data_offsets":[8,12]}}"#;
        let bytes = file(header, &data);
        let parts = decode_shard(&entry(&bytes, Dtype::I8, &[9, 2], Some([3, 5])), &bytes).unwrap();
        let rows = ScaledRows { integers: vec![1, -1, 127, -127], scales: vec![0.5, 2.0] };
        assert_eq!(parts[0].values, Values::I8(rows));
        assert_eq!(parts[0].values.clone().into_f32(), [0.5, -0.5, 254.0, -254.0]);
        assert_eq!(parts[0].row_range(), [3, 5]);
    }

    #[test]
    fn checks_size_then_hash() {
        let bytes = f32_file(&[1.0, 2.0]);
        let entry = entry(&bytes, Dtype::F32, &[2], None);
        assert_eq!(decode_shard(&entry, &bytes).unwrap()[0].values, Values::F32(vec![1.0, 2.0]));
        assert!(matches!(decode_shard(&entry, &bytes[1..]), Err(BundleError::Size { .. })));
        for n in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[n] ^= 1;
            assert!(matches!(decode_shard(&entry, &flipped), Err(BundleError::Hash { .. })));
        }
    }

    #[test]
    fn a_right_hash_over_wrong_content_is_an_error() {
        let bytes = f32_file(&[1.0, f32::NAN]);
        let found = decode_shard(&entry(&bytes, Dtype::F32, &[2], None), &bytes);
        assert!(matches!(found, Err(BundleError::NotFinite { index: 1, .. })));
        let bytes = f32_file(&[1.0, 2.0]);
        for (dtype, shape) in [(Dtype::F16, vec![2]), (Dtype::F32, vec![1, 2]), (Dtype::I8, vec![2])] {
            let found = decode_shard(&entry(&bytes, dtype, &shape, None), &bytes);
            assert!(matches!(found, Err(BundleError::Shard { .. })));
        }
        for bytes in [file("{", &[]), file("{}", &[]), vec![0xff; 20], Vec::new()] {
            let found = decode_shard(&entry(&bytes, Dtype::F32, &[2], None), &bytes);
            assert!(matches!(found, Err(BundleError::Shard { .. })));
        }
    }
}
