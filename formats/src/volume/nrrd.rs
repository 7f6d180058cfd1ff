//! NRRD (<https://teem.sourceforge.net/nrrd/format.html>), with its pixels inside or in another file.

use std::sync::Arc;

use super::Volume;
use super::element::Element;
use crate::bytes::{Order, text, unpack_counted, unpack_exactly};
use crate::geometry::Vector;
use crate::{FormatError, Limits, Series, ValueMap};

/// Name of the format, for messages.
pub(crate) const FORMAT: &str = "NRRD";

/// Longest header that is searched for its end.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// Fields of the header by name, and the place of the first byte after it.
struct Header {
    fields: Vec<(String, String)>,
    end: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let rest = bytes.get(at..bytes.len().min(MAX_HEADER_BYTES)).unwrap_or(&[]);
            let end = rest.iter().position(|&b| b == b'\n');
            let line = text(&rest[..end.unwrap_or(rest.len())]);
            let line = line.trim_end_matches('\r');
            at += end.map_or(rest.len(), |end| end + 1);
            // An empty line ends the header; a detached one may end with the file.
            if line.is_empty() || end.is_none() {
                if end.is_none() && at >= MAX_HEADER_BYTES {
                    return Err(FormatError::damaged(FORMAT, "its header has no end"));
                }
                add(&mut fields, line);
                return Ok(Self { fields, end: at });
            }
            add(&mut fields, line);
        }
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        self.fields.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
    }

    fn numbers<T: std::str::FromStr>(&self, name: &str) -> Vec<T> {
        self.get(&[name]).unwrap_or("").split_whitespace().map_while(|word| word.parse().ok()).collect()
    }
}

/// Keeps a line `field: value`; comments and `key:=value` are skipped.
fn add(fields: &mut Vec<(String, String)>, line: &str) {
    if let Some((name, value)) = line.split_once(": ").or_else(|| line.split_once(':'))
        && !line.starts_with('#')
        && !line.contains(":=")
    {
        fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Vectors like `(1,0,0) none (0,1,0)`.
fn vectors(text: &str) -> Vec<Option<Vec<f64>>> {
    let mut vectors = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('(') {
            let Some((numbers, tail)) = inner.split_once(')') else { break };
            vectors.push(Some(numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect()));
            rest = tail.trim_start();
        } else {
            let (_, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            vectors.push(None);
            rest = tail.trim_start();
        }
    }
    vectors
}

pub(crate) fn open(bytes: &Arc<[u8]>, pixels: Option<Arc<[u8]>>, limits: &Limits) -> Result<Series, FormatError> {
    let header = Header::read(bytes)?;
    let damaged = |reason: &str| FormatError::damaged(FORMAT, reason);
    let element = element(header.get(&["type"]).unwrap_or(""))?;
    let sizes: Vec<u64> = header.numbers("sizes");
    if sizes.is_empty() || sizes.len() > 8 || sizes.contains(&0) {
        return Err(damaged("its sizes are missing or zero"));
    }
    let samples = sizes.iter().try_fold(1u64, |product, &n| product.checked_mul(n)).unwrap_or(u64::MAX);
    let expected_bytes = samples.saturating_mul(element.bytes() as u64);
    limits.check_bytes(expected_bytes)?;
    let order = match header.get(&["endian"]).unwrap_or("little").to_ascii_lowercase().as_str() {
        "big" => Order::Big,
        _ => Order::Little,
    };
    let (bytes, start) = match (header.get(&["data file", "datafile"]), pixels) {
        (Some(file), None) => {
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(FormatError::Companion { format: FORMAT, file: format!("the file \"{shown}\"") });
        }
        (Some(_), Some(pixels)) => (pixels, 0),
        (None, _) => (Arc::clone(bytes), header.end),
    };
    let mut start = start;
    for _ in 0..header.numbers::<u64>("line skip").first().copied().unwrap_or(0) {
        let rest = bytes.get(start..).unwrap_or(&[]);
        start += rest.iter().position(|&b| b == b'\n').map(|n| n + 1).ok_or_else(|| damaged("it has too few lines"))?;
    }
    let skip = header.numbers::<i64>("byte skip").first().copied().unwrap_or(0);
    if skip < -1 {
        return Err(damaged(&format!("its byte skip is {skip}, expected -1 or more")));
    }
    let data = bytes.get(start..).unwrap_or(&[]);
    let (bytes, start): (Arc<[u8]>, usize) =
        match header.get(&["encoding"]).unwrap_or("raw").to_ascii_lowercase().as_str() {
            "raw" => (bytes, start),
            // Already unpacked where the file of the pixels was recognised as gzip.
            "gzip" | "gz" if !data.starts_with(b"\x1f\x8b") => (bytes, start),
            "gzip" | "gz" => {
                let unpacked = || flate2::read::MultiGzDecoder::new(data);
                let whole = match u64::try_from(skip) {
                    Ok(skip) => {
                        let count = expected_bytes.saturating_add(skip);
                        unpack_exactly(FORMAT, unpacked(), count, data.len(), limits)?
                    }
                    Err(_) => unpack_counted(FORMAT, unpacked, limits)?,
                };
                (whole, 0)
            }
            other => {
                let shown: String = other.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
                let found = format!("the encoding {shown}");
                return Err(FormatError::Unsupported {
                    format: FORMAT,
                    found,
                    instead: "save it with encoding raw or gzip",
                });
            }
        };
    let start = match usize::try_from(skip) {
        Ok(skip) => start.saturating_add(skip),
        // -1: the pixels are at the end.
        Err(_) => bytes.len().saturating_sub(usize::try_from(expected_bytes).unwrap_or(usize::MAX)),
    };
    let layout = Layout::of(&header, &sizes)?;
    let volume = Volume {
        format: FORMAT,
        size: layout.size,
        volumes: layout.volumes,
        channels: if layout.is_colour && element == Element::U8 { 3 } else { 1 },
        strides: layout.strides,
        element,
        order,
        start,
        bytes,
        map: ValueMap::STORED,
        axes: layout.axes,
        origin: layout.origin,
        is_placed: layout.is_placed,
        placement: None,
    };
    volume.into_series(limits)
}

fn element(name: &str) -> Result<Element, FormatError> {
    Ok(match name {
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Element::U8,
        "signed char" | "int8" | "int8_t" => Element::I8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Element::I16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Element::U16,
        "int" | "signed int" | "int32" | "int32_t" => Element::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Element::U32,
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => Element::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Element::U64,
        "float" => Element::F32,
        "double" => Element::F64,
        "" => return Err(FormatError::damaged(FORMAT, "its type is missing")),
        _ => {
            let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').take(24).collect();
            let found = format!("the type {shown}");
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: "save it as float" });
        }
    })
}

/// What the axes are.
struct Layout {
    size: [usize; 3],
    volumes: usize,
    is_colour: bool,
    strides: [usize; 5],
    axes: [Vector; 3],
    origin: Vector,
    is_placed: bool,
}

impl Layout {
    fn of(header: &Header, sizes: &[u64]) -> Result<Self, FormatError> {
        let kinds: Vec<String> =
            header.get(&["kinds"]).unwrap_or("").split_whitespace().map(str::to_ascii_lowercase).collect();
        let directions = vectors(header.get(&["space directions"]).unwrap_or(""));
        let is_space = |axis: usize| match (directions.get(axis), kinds.get(axis).map(String::as_str)) {
            (Some(direction), _) => direction.is_some(),
            (None, Some(kind)) => matches!(kind, "domain" | "space" | "???" | "none"),
            (None, None) => true,
        };
        // The first three axes in space are the volume's; the others hold colour, directions or time.
        let space: Vec<usize> = (0..sizes.len()).filter(|&axis| is_space(axis)).take(3).collect();
        let others: Vec<usize> = (0..sizes.len()).filter(|axis| !space.contains(axis)).collect();
        if space.is_empty() || others.iter().filter(|&&axis| sizes[axis] > 1).count() > 1 {
            let found = format!("{} axes that are not in space", others.len());
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: "save one volume of it" });
        }
        let mut strides = Vec::new();
        let mut stride = 1usize;
        for &n in sizes {
            strides.push(stride);
            stride = stride.saturating_mul(usize::try_from(n).unwrap_or(usize::MAX));
        }
        let other = others.iter().copied().find(|&axis| sizes[axis] > 1);
        let is_colour = other.is_some_and(|axis| {
            sizes[axis] == 3 && kinds.get(axis).is_some_and(|kind| kind == "rgb-color" || kind == "3-color")
        });
        let (other_stride, other_size) = other.map_or((0, 1), |axis| (strides[axis], sizes[axis] as usize));
        let mut layout = Self {
            size: [1; 3],
            volumes: if is_colour { 1 } else { other_size },
            is_colour,
            strides: [0, 0, 0, if is_colour { 0 } else { other_stride }, if is_colour { other_stride } else { 0 }],
            axes: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            origin: [0.0; 3],
            is_placed: false,
        };
        let signs = signs(header.get(&["space"]).unwrap_or(""));
        let spacings: Vec<f64> = header.numbers("spacings");
        for (i, &axis) in space.iter().enumerate() {
            layout.size[i] = usize::try_from(sizes[axis]).unwrap_or(usize::MAX);
            layout.strides[i] = strides[axis];
            if let Some(Some(direction)) = directions.get(axis)
                && direction.len() == 3
            {
                layout.axes[i] = [0, 1, 2].map(|part| direction[part] * signs.map_or(1.0, |s| s[part]));
            } else if let Some(&spacing) = spacings.get(axis).filter(|s| **s > 0.0 && s.is_finite()) {
                layout.axes[i] = layout.axes[i].map(|part| part * spacing);
            }
        }
        if let Some(Some(origin)) = vectors(header.get(&["space origin"]).unwrap_or("")).first()
            && origin.len() == 3
        {
            layout.origin = [0, 1, 2].map(|part| origin[part] * signs.map_or(1.0, |s| s[part]));
        }
        layout.is_placed = signs.is_some()
            && space.len() == 3
            && space.iter().all(|&axis| matches!(directions.get(axis), Some(Some(_))));
        Ok(layout)
    }
}

/// Signs that turn a space's axes into DICOM's; nothing for a space without patient.
fn signs(space: &str) -> Option<Vector> {
    match space.to_ascii_lowercase().as_str() {
        "left-posterior-superior" | "lps" | "left-posterior-superior-time" | "lpst" => Some([1.0, 1.0, 1.0]),
        "right-anterior-superior" | "ras" | "right-anterior-superior-time" | "rast" => Some([-1.0, -1.0, 1.0]),
        "left-anterior-superior" | "las" | "left-anterior-superior-time" | "last" => Some([1.0, -1.0, 1.0]),
        _ => None,
    }
}
