//! Outlines and regions of a map as JSON.
//!
//! Comes in: lines in pixels of the picture (the centre of the first pixel is 0.5, 0.5) and [`Region`]s. Goes out: one JSON
//! object. Numbers that are not finite become `null`. Own code: no text of a file is among it, so nothing is escaped.

use super::Region;

/// What is written.
#[derive(Debug, Clone)]
pub struct Outlines<'a> {
    /// Size of the picture.
    pub width_px: usize,
    /// Size of the picture.
    pub height_px: usize,
    /// Slice of its series, from 1.
    pub slice: Option<usize>,
    /// Value that the outlines follow.
    pub threshold: f32,
    /// Distance of rows and of columns.
    pub spacing_mm: Option<[f64; 2]>,
    /// Points (x, y).
    pub lines: &'a [Vec<[f32; 2]>],
    /// What reaches the threshold.
    pub regions: &'a [Region],
}

/// The object, with a line break at its end.
pub fn contours(outlines: &Outlines<'_>) -> String {
    let pixel_mm2 = outlines.spacing_mm.map(|[row, column]| row * column);
    let lines = outlines.lines.iter().map(|line| {
        let points = joined(line.iter().map(|[x, y]| format!("[{},{}]", number(*x), number(*y))));
        let is_closed = line.len() > 2 && line.first() == line.last();
        format!(r#"{{"closed":{is_closed},"points":[{points}]}}"#)
    });
    let regions = outlines.regions.iter().map(|region| {
        let area_mm2 = pixel_mm2.map_or_else(|| "null".to_owned(), |area| number(area * region.area_px as f64));
        let ([x, y, width, height], [peak_x, peak_y]) = (region.bounds, region.peak_at);
        format!(
            r#"{{"area_px":{},"area_mm2":{area_mm2},"peak":{},"peak_at":[{peak_x},{peak_y}],"mean":{},"bounds":[{x},{y},{width},{height}]}}"#,
            region.area_px,
            number(region.peak),
            number(region.mean),
        )
    });
    let (lines, regions) = (joined(lines), joined(regions));
    let slice = outlines.slice.map_or_else(|| "null".to_owned(), |slice| slice.to_string());
    let spacing = outlines.spacing_mm.map_or_else(
        || "null".to_owned(),
        |[row, column]| format!(r#"{{"row":{},"column":{}}}"#, number(row), number(column)),
    );
    format!(
        r#"{{"program":"mvfa","width":{},"height":{},"slice":{slice},"threshold":{},"spacing_mm":{spacing},"lines":[{lines}],"regions":[{regions}]}}"#,
        outlines.width_px,
        outlines.height_px,
        number(outlines.threshold),
    ) + "\n"
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// A number that JSON has, or `null`.
fn number<T: std::fmt::Display + Copy + Into<f64>>(value: T) -> String {
    if value.into().is_finite() { value.to_string() } else { "null".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_json() {
        let line = vec![[1.0, 1.5], [1.5, 1.0], [2.0, 1.5], [1.0, 1.5]];
        let regions = crate::write::regions(&[0.25, 1.0], 2, 0.5);
        let mut outlines = Outlines {
            width_px: 2,
            height_px: 1,
            slice: Some(3),
            threshold: 0.5,
            spacing_mm: Some([2.0, 0.5]),
            lines: &[line],
            regions: &regions,
        };
        let found: serde_json::Value = serde_json::from_str(&contours(&outlines)).unwrap();
        assert_eq!(found["regions"][0]["area_mm2"], 1.0);
        assert_eq!(found["regions"][0]["bounds"], serde_json::json!([1, 0, 1, 1]));
        assert_eq!((&found["lines"][0]["closed"], &found["lines"][0]["points"][1][0]), (&true.into(), &1.5.into()));
        outlines.threshold = f32::INFINITY;
        outlines.spacing_mm = None;
        let found: serde_json::Value = serde_json::from_str(&contours(&outlines)).unwrap();
        assert!(found["threshold"].is_null() && found["regions"][0]["area_mm2"].is_null());
    }
}
