//! Values in 0..1 to colours.
//!
//! Each map is a row of anchor colours at equal distances, joined by straight lines in sRGB. Lightness
//! rises from end to end, so the order of values survives in grey print and for colour-blind readers.
//! The anchors are points of the published maps of the same names (viridis and inferno by van der Walt
//! and Smith, CC0; cividis by Nuñez, Anderton and Renslow, 2018).

use std::str::FromStr;

/// A way to colour values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourMap {
    /// Dark violet over green to yellow.
    Viridis,
    /// Black over red to pale yellow: the strongest contrast on grey pictures.
    #[default]
    Inferno,
    /// Dark blue over grey to yellow: nearly the same to all kinds of colour vision.
    Cividis,
    /// Black to white.
    Grey,
}

const VIRIDIS: [u32; 11] = [
    0x44_01_54, 0x48_24_75, 0x41_44_87, 0x35_5f_8d, 0x2a_78_8e, 0x21_91_8c, 0x22_a8_84, 0x44_bf_70, 0x7a_d1_51,
    0xbd_df_26, 0xfd_e7_25,
];
const INFERNO: [u32; 11] = [
    0x00_00_04, 0x16_0b_39, 0x42_0a_68, 0x6a_17_6e, 0x93_26_67, 0xbc_37_54, 0xdd_51_3a, 0xf3_78_19, 0xfc_a5_0a,
    0xf6_d7_46, 0xfc_ff_a4,
];
const CIVIDIS: [u32; 10] = [
    0x00_22_4e, 0x12_35_70, 0x3b_49_6c, 0x57_5d_6d, 0x70_71_73, 0x8a_86_78, 0xa5_9c_74, 0xc3_b3_69, 0xe1_cc_55,
    0xfe_e8_38,
];
const GREY: [u32; 2] = [0x00_00_00, 0xff_ff_ff];

impl ColourMap {
    /// All maps, in the order to offer them.
    pub const ALL: [Self; 4] = [Self::Inferno, Self::Viridis, Self::Cividis, Self::Grey];

    /// The name, as [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Inferno => "inferno",
            Self::Cividis => "cividis",
            Self::Grey => "grey",
        }
    }

    /// Red, green and blue of a value; below 0 and NaN give the first colour, above 1 the last.
    pub fn colour(self, value: f32) -> [u8; 3] {
        let anchors: &[u32] = match self {
            Self::Viridis => &VIRIDIS,
            Self::Inferno => &INFERNO,
            Self::Cividis => &CIVIDIS,
            Self::Grey => &GREY,
        };
        let last = anchors.len() - 1;
        let position = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) * last as f32 };
        let index = (position as usize).min(last);
        let share = position - index as f32;
        let [from, to] = [anchors[index], anchors[(index + 1).min(last)]].map(u32::to_be_bytes);
        [1, 2, 3].map(|i| {
            let (from, to) = (f32::from(from[i]), f32::from(to[i]));
            (from + (to - from) * share).round() as u8
        })
    }
}

impl FromStr for ColourMap {
    type Err = String;

    /// Reads a name; the error is a sentence with the names there are.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|map| map.name().eq_ignore_ascii_case(text.trim())).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no colour map {text:?}; use one of {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of sRGB (IEC 61966-2-1).
    fn luminance(rgb: [u8; 3]) -> f64 {
        let linear = rgb.map(|v| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn known_points() {
        for (map, value, expected) in [
            (ColourMap::Viridis, 0.0, [68, 1, 84]),
            (ColourMap::Viridis, 0.5, [33, 145, 140]),
            (ColourMap::Viridis, 1.0, [253, 231, 37]),
            (ColourMap::Inferno, 0.0, [0, 0, 4]),
            (ColourMap::Inferno, 1.0, [252, 255, 164]),
            (ColourMap::Cividis, 1.0, [254, 232, 56]),
            (ColourMap::Grey, 0.5, [128, 128, 128]),
            (ColourMap::Grey, -3.0, [0, 0, 0]),
            (ColourMap::Grey, f32::INFINITY, [255, 255, 255]),
            (ColourMap::Viridis, f32::NAN, [68, 1, 84]),
        ] {
            assert_eq!(map.colour(value), expected, "{map:?} at {value}");
        }
    }

    #[test]
    fn brighter_means_higher() {
        for map in ColourMap::ALL {
            let lights: Vec<f64> = (0..=255).map(|i| luminance(map.colour(i as f32 / 255.0))).collect();
            let rises = lights.windows(16).all(|w| w[15] > w[0]);
            assert!(rises && lights.windows(2).all(|w| w[1] > w[0] - 2e-3), "{map:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for map in ColourMap::ALL {
            assert_eq!(map.name().parse(), Ok(map));
        }
        assert!("jet".parse::<ColourMap>().unwrap_err().contains("viridis"));
    }

    #[test]
    fn the_package_knows_the_same_names() {
        let quoted = ColourMap::ALL.map(|map| format!("\"{}\"", map.name()));
        let union = format!("export type ColourMap = {};", quoted.join(" | "));
        assert!(include_str!("../../pkg/index.d.ts").contains(&union), "index.d.ts: expected {union}");
        let [first, second, third, last] = quoted.map(|name| format!("`{name}`"));
        let sentence = format!("`colourMap` is {first}, {second}, {third} or {last}");
        assert!(include_str!("../../pkg/README.md").contains(&sentence), "README.md: expected {sentence}");
    }
}
