//! Elements of a data set, and how they are written.

/// Elements of a data set or of a sequence's item, in any order.
#[derive(Default)]
pub(super) struct Item(Vec<Element>);

struct Element {
    tag: u32,
    vr: [u8; 2],
    value: Vec<u8>,
}

/// Lengths of these have 32 bits (PS3.5, 7.1.2).
const LONG: [[u8; 2]; 2] = [*b"OB", *b"SQ"];

/// Longest decimal string (PS3.5, 6.2).
const DECIMAL_BYTES: usize = 16;

impl Item {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn put(mut self, tag: u32, vr: &[u8; 2], value: Vec<u8>) -> Self {
        self.0.push(Element { tag, vr: *vr, value });
        self
    }

    /// Text: several values are separated by backslashes. No other characters than ASCII's are announced.
    pub(super) fn text(self, tag: u32, vr: &[u8; 2], value: &str) -> Self {
        let plain = |c: char| if c.is_ascii() && !c.is_control() { c as u8 } else { b'?' };
        let mut bytes: Vec<u8> = value.chars().map(plain).collect();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == b"UI" { 0 } else { b' ' });
        }
        self.put(tag, vr, bytes)
    }

    /// The elements that must be there and may be empty.
    pub(super) fn empty(self, elements: &[(u32, &[u8; 2])]) -> Self {
        elements.iter().fold(self, |item, (tag, vr)| item.put(*tag, vr, Vec::new()))
    }

    pub(super) fn numbers(self, tag: u32, values: &[f64]) -> Self {
        let texts: Vec<String> = values.iter().map(|v| decimal(*v)).collect();
        self.text(tag, b"DS", &texts.join("\\"))
    }

    pub(super) fn u16s(self, tag: u32, values: &[u16]) -> Self {
        self.put(tag, b"US", values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    pub(super) fn u32s(self, tag: u32, values: &[u32]) -> Self {
        self.put(tag, b"UL", values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// The tag of another element.
    pub(super) fn tag(self, tag: u32, target: u32) -> Self {
        let [group, element] = [(target >> 16) as u16, target as u16].map(u16::to_le_bytes);
        self.put(tag, b"AT", [group, element].concat())
    }

    pub(super) fn bytes(self, tag: u32, value: Vec<u8>) -> Self {
        self.put(tag, b"OB", value)
    }

    pub(super) fn items(self, tag: u32, items: Vec<Self>) -> Self {
        let mut value = Vec::new();
        for item in items {
            let bytes = item.encoded();
            value.extend([0xfe, 0xff, 0x00, 0xe0]);
            value.extend((bytes.len() as u32).to_le_bytes());
            value.extend(bytes);
        }
        self.put(tag, b"SQ", value)
    }

    /// A sequence with one item.
    pub(super) fn item(self, tag: u32, item: Self) -> Self {
        self.items(tag, vec![item])
    }

    /// A code with its meaning, as the only item of a sequence.
    pub(super) fn code(self, tag: u32, [value, scheme, meaning]: [&str; 3]) -> Self {
        let code = Self::new().text(0x0008_0100, b"SH", value).text(0x0008_0102, b"SH", scheme).text(
            0x0008_0104,
            b"LO",
            meaning,
        );
        self.item(tag, code)
    }

    /// These elements and those of another item.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// In the order of their tags, explicit little endian.
    pub(super) fn encoded(mut self) -> Vec<u8> {
        self.0.sort_by_key(|element| element.tag);
        let mut bytes = Vec::new();
        for Element { tag, vr, value } in self.0 {
            head(&mut bytes, tag, vr, value.len() as u32);
            bytes.extend(value);
        }
        bytes
    }
}

/// Tag, type and length of an element.
pub(super) fn head(bytes: &mut Vec<u8>, tag: u32, vr: [u8; 2], length: u32) {
    bytes.extend(((tag >> 16) as u16).to_le_bytes());
    bytes.extend((tag as u16).to_le_bytes());
    bytes.extend(vr);
    if LONG.contains(&vr) {
        bytes.extend([0, 0]);
        bytes.extend(length.to_le_bytes());
    } else {
        bytes.extend((length as u16).to_le_bytes());
    }
}

/// A number in at most sixteen characters, with as many digits as they hold.
fn decimal(value: f64) -> String {
    // No negative zero.
    let value = value + 0.0;
    let plain = value.to_string();
    if plain.len() <= DECIMAL_BYTES {
        return plain;
    }
    let fits = |text: &String| text.len() <= DECIMAL_BYTES;
    let best = (0..DECIMAL_BYTES).rev().flat_map(|digits| [format!("{value:.digits$}"), format!("{value:.digits$e}")]);
    let error = |text: &String| text.parse().map_or(f64::INFINITY, |v: f64| (v - value).abs());
    best.filter(fits).min_by(|a, b| error(a).total_cmp(&error(b))).unwrap_or_else(|| "0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_into_sixteen_characters() {
        for (value, expected) in [
            (-98.765_432_1, "-98.7654321"),
            (1.0 / 3.0, "0.33333333333333"),
            (-0.0, "0"),
            (-123_456.789_012_345_67, "-123456.78901235"),
            (1.234_567_890_123e-9, "1.234567890123e-9"),
        ] {
            let found = decimal(value);
            assert!(found.len() <= 16, "{found}");
            let near = (found.parse::<f64>().unwrap() - value).abs() <= value.abs() * 1e-10;
            assert!(near, "{found} for {value}, expected about {expected}");
        }
        assert_eq!(decimal(0.661_468), "0.661468");
    }

    #[test]
    fn elements_are_sorted_and_padded() {
        let bytes = Item::new().text(0x0008_0060, b"CS", "SEG").text(0x0008_0016, b"UI", "1.2").encoded();
        assert_eq!(bytes, b"\x08\x00\x16\x00UI\x04\x001.2\0\x08\x00\x60\x00CS\x04\x00SEG ");
    }
}
