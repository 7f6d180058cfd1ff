//! stub
use crate::image::Planes;
/// t
#[derive(Clone, Copy, Debug)]
pub enum Task { /// i
 Identity }
/// s
pub struct Synthetic { /// p
 pub planes: Planes, /// m
 pub mask: Vec<u8>, /// t
 pub task: Task }
/// s
pub fn synthesize(normal: &Planes, _other: &Planes, _rng: &mut impl rand::Rng) -> Synthetic { Synthetic { planes: normal.clone(), mask: vec![0; normal.side_px*normal.side_px], task: Task::Identity } }
