//! stub
use std::path::{Path, PathBuf};
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
/// e
pub struct DatasetError(String);
/// s
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split { /// v
 Valid, /// t
 Test }
/// s
#[derive(Clone, Debug)]
pub struct Sample { /// i
 pub image: PathBuf, /// m
 pub mask: Option<PathBuf>, /// a
 pub abnormal: bool }
/// d
pub struct Dataset { root: PathBuf }
impl Dataset {
/// o
pub fn open(root: &Path) -> Result<Self, DatasetError> { Ok(Self { root: root.to_owned() }) }
/// r
pub fn root(&self) -> &Path { &self.root }
/// s
pub fn split(&self, split: Split) -> Result<Vec<Sample>, DatasetError> {
  let base = self.root.join(if split == Split::Test { "test" } else { "valid" });
  let mut out = Vec::new();
  for (name, abnormal) in [("good", false), ("Ungood", true)] {
    let Ok(dir) = std::fs::read_dir(base.join(name).join("img")) else { continue };
    let mut files: Vec<PathBuf> = dir.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    for image in files {
      let mask = base.join(name).join("anomaly_mask").join(image.file_name().unwrap_or_default());
      out.push(Sample { mask: mask.exists().then_some(mask), image, abnormal });
    }
  }
  Ok(out)
}
}
/// m
pub fn read_mask(path: &Path, side_px: usize) -> Result<Vec<u8>, DatasetError> {
  let bytes = std::fs::read(path).map_err(|e| DatasetError(e.to_string()))?;
  let p = crate::image::decode(&bytes, &Default::default()).map_err(|e| DatasetError(e.to_string()))?.to_rgb8(crate::image::WindowChoice::Auto);
  let source = |i: usize, n: usize| ((i as f64 + 0.5) * n as f64 / side_px as f64) as usize;
  Ok((0..side_px * side_px).map(|i| u8::from(p.bytes[3 * (source(i / side_px, p.height_px) * p.width_px + source(i % side_px, p.width_px))] >= 128)).collect())
}
/// a
pub fn auroc(scores: &[f32], labels: &[bool]) -> Option<f64> {
    let mut scored: Vec<(f32, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scored.iter().filter(|s| s.1).count() as f64;
    let negatives = scored.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 { return None; }
    let (mut rank_sum, mut i) = (0.0, 0);
    while i < scored.len() {
        let end = scored[i..].iter().take_while(|s| s.0 == scored[i].0).count() + i;
        let rank = (i + 1 + end) as f64 / 2.0;
        rank_sum += rank * scored[i..end].iter().filter(|s| s.1).count() as f64;
        i = end;
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}
