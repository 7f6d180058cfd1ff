//! MetaImage, ITK's format (`.mha`, `.mhd` with `.raw` or `.zraw`).

use std::sync::Arc;

use super::Volume;
use super::element::Element;
use crate::bytes::{Order, text, unpack_exactly};
use crate::geometry::Vector;
use crate::{FormatError, Limits, Series, ValueMap};

/// Name of the format, for messages.
pub(crate) const FORMAT: &str = "MetaImage";

/// Longest header that is searched for its last line.
const MAX_HEADER_BYTES: usize = 1 << 18;

/// Fields in the order of the file; the last one is `ElementDataFile`.
struct Header {
    fields: Vec<(String, String)>,
    /// First byte after the header.
    end: usize,
}

pub(crate) fn is_meta_image(bytes: &[u8]) -> bool {
    let head = text(&bytes[..bytes.len().min(64)]).into_owned();
    let first = head.split(['=', '\n']).next().unwrap_or("").trim();
    matches!(first, "ObjectType" | "NDims" | "Comment" | "DimSize" | "BinaryData") && head.contains('=')
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut at = 0;
        while at < bytes.len().min(MAX_HEADER_BYTES) {
            let rest = &bytes[at..bytes.len().min(MAX_HEADER_BYTES)];
            let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            let line = text(&rest[..end]).into_owned();
            at += end + 1;
            if let Some((name, value)) = line.split_once('=') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                if fields.last().is_some_and(|(name, _)| name == "elementdatafile") {
                    return Ok(Self { fields, end: at.min(bytes.len()) });
                }
            }
        }
        Err(FormatError::damaged(FORMAT, "its header does not say where the pixels are (ElementDataFile)"))
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        self.fields.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
    }

    fn numbers<T: std::str::FromStr>(&self, names: &[&str]) -> Vec<T> {
        self.get(names).unwrap_or("").split_whitespace().map_while(|word| word.parse().ok()).collect()
    }

    fn is_true(&self, names: &[&str]) -> bool {
        self.get(names).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }
}

pub(crate) fn open(bytes: &Arc<[u8]>, pixels: Option<Arc<[u8]>>, limits: &Limits) -> Result<Series, FormatError> {
    let header = Header::read(bytes)?;
    let unsupported = |found: String, instead| FormatError::Unsupported { format: FORMAT, found, instead };
    let sizes: Vec<u64> = header.numbers(&["dimsize"]);
    if sizes.is_empty() || sizes.len() > 4 || sizes.contains(&0) {
        return Err(FormatError::damaged(FORMAT, "its DimSize is missing, zero or has more than four numbers"));
    }
    let element = element(header.get(&["elementtype"]).unwrap_or(""))?;
    let channels = header.numbers::<u64>(&["elementnumberofchannels"]).first().copied().unwrap_or(1);
    if !(channels == 1 || (channels == 3 && element == Element::U8)) {
        return Err(unsupported(format!("{channels} channels a voxel"), "save one channel of it"));
    }
    let samples = sizes.iter().try_fold(channels, |product, &n| product.checked_mul(n)).unwrap_or(u64::MAX);
    let expected_bytes = samples.saturating_mul(element.bytes() as u64);
    limits.check_bytes(expected_bytes)?;
    let is_big = header.is_true(&["binarydatabyteordermsb", "elementbyteordermsb"]);
    if header.get(&["binarydata"]).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        return Err(unsupported("pixels written as text".into(), "save it with BinaryData = True"));
    }
    let file = header.get(&["elementdatafile"]).unwrap_or("");
    let (bytes, start) = if file.eq_ignore_ascii_case("local") {
        (Arc::clone(bytes), header.end)
    } else if file.to_ascii_uppercase().starts_with("LIST") || file.contains('%') {
        return Err(unsupported("pixels in many files".into(), "save it as one .mha file"));
    } else if let Some(pixels) = pixels {
        (pixels, 0)
    } else {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(FormatError::Companion { format: FORMAT, file: format!("the file \"{shown}\"") });
    };
    let skip = header.numbers::<i64>(&["headersize"]).first().copied().unwrap_or(0);
    let (bytes, start): (Arc<[u8]>, usize) = if header.is_true(&["compresseddata"]) {
        let packed = bytes.get(start..).unwrap_or(&[]);
        let unpacked = if packed.starts_with(b"\x1f\x8b") {
            unpack_exactly(FORMAT, flate2::read::MultiGzDecoder::new(packed), expected_bytes, packed.len(), limits)?
        } else {
            unpack_exactly(FORMAT, flate2::read::ZlibDecoder::new(packed), expected_bytes, packed.len(), limits)?
        };
        (unpacked, 0)
    } else if skip == -1 {
        // The pixels are at the end.
        let start = bytes.len().saturating_sub(usize::try_from(expected_bytes).unwrap_or(usize::MAX));
        (bytes, start)
    } else {
        let start = start.saturating_add(usize::try_from(skip).unwrap_or(0));
        (bytes, start)
    };
    let size = [0, 1, 2].map(|i| sizes.get(i).map_or(1, |&n| n as usize));
    let channels = channels as usize;
    let row = channels.saturating_mul(size[0]);
    let plane = row.saturating_mul(size[1]);
    let (axes, origin) = affine(&header, sizes.len());
    let volume = Volume {
        format: FORMAT,
        size,
        volumes: sizes.get(3).map_or(1, |&n| n as usize),
        channels,
        strides: [channels, row, plane, plane.saturating_mul(size[2]), 1],
        element,
        order: if is_big { Order::Big } else { Order::Little },
        start,
        bytes,
        map: ValueMap::STORED,
        axes,
        origin,
        // ITK's axes are DICOM's.
        is_placed: sizes.len() >= 3,
        placement: None,
    };
    volume.into_series(limits)
}

/// Directions of the axes and origin. The rows of TransformMatrix are the directions.
fn affine(header: &Header, count: usize) -> ([Vector; 3], Vector) {
    let spacing: Vec<f64> = header.numbers(&["elementspacing", "elementsize"]);
    let matrix: Vec<f64> = header.numbers(&["transformmatrix", "rotation", "orientation"]);
    let offset: Vec<f64> = header.numbers(&["offset", "position", "origin"]);
    let axes = [0, 1, 2].map(|axis| {
        let spacing = spacing.get(axis).copied().filter(|s| *s > 0.0 && s.is_finite()).unwrap_or(1.0);
        let unit = |part: usize| if part == axis { 1.0 } else { 0.0 };
        let direction = |part: usize| {
            let is_inside = matrix.len() == count * count && axis < count && part < count;
            if is_inside { matrix[axis * count + part] } else { unit(part) }
        };
        [0, 1, 2].map(|part| direction(part) * spacing)
    });
    (axes, [0, 1, 2].map(|part| offset.get(part).copied().filter(|v| v.is_finite()).unwrap_or(0.0)))
}

fn element(name: &str) -> Result<Element, FormatError> {
    Ok(match name.trim_end_matches("_ARRAY") {
        "MET_UCHAR" => Element::U8,
        "MET_CHAR" => Element::I8,
        "MET_USHORT" => Element::U16,
        "MET_SHORT" => Element::I16,
        "MET_UINT" | "MET_ULONG" => Element::U32,
        "MET_INT" | "MET_LONG" => Element::I32,
        "MET_ULONG_LONG" => Element::U64,
        "MET_LONG_LONG" => Element::I64,
        "MET_FLOAT" => Element::F32,
        "MET_DOUBLE" => Element::F64,
        _ => {
            let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(24).collect();
            let found = format!("the type \"{shown}\"");
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: "save it as MET_FLOAT" });
        }
    })
}
