//! Pictures ready to be trained on, before the tower has seen them.
//!
//! Comes in: [`Source`]s, those of one picture after each other, and the run's grey window. Goes out: planes
//! of the model's size with a mask of 0 and 1. A picture is decoded once for all its views, and the last few
//! wait for synthetic anomalies. Fails with [`TrainError::Picture`] and [`TrainError::Data`], which name the file.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::disk::{RunWindow, picture_file};
use crate::eval::{Sample, read_mask};
use crate::image::{PixelHash, Planes, Rgb8, augment_mvfa, resize_bicubic, to_planes};
use crate::train::error::TrainError;
use crate::train::ledger::{FileNames, Ledger};
use crate::train::random::{Purpose, stream};
use crate::train::sample::{Change, Prepared, Source};
use crate::train::synthesis::synthesize;

/// Pictures that wait: 0.7 MB each at 240 pixels, more than one picture's anomalies take material from.
const WAITING: usize = 32;

/// Reads and prepares pictures, and keeps a list of the files.
pub struct Preparer {
    side_px: usize,
    window: RunWindow,
    seed: u64,
    /// Every file that was opened.
    pub ledger: Ledger,
    /// The pixels of every picture that was opened.
    pub pixels: HashMap<PathBuf, PixelHash>,
    waiting: VecDeque<(PathBuf, Rc<Planes>)>,
    views: Option<Views>,
}

/// One picture, and its views once they were asked for.
struct Views {
    sample: Sample,
    planes: Rc<Planes>,
    mask: Vec<u8>,
    augmented: Vec<(Planes, Vec<u8>)>,
}

impl Preparer {
    /// For a model of `side_px` pixels.
    pub fn new(side_px: usize, window: RunWindow, seed: u64, names: FileNames) -> Self {
        Self {
            side_px,
            window,
            seed,
            ledger: Ledger::new(names),
            pixels: HashMap::new(),
            waiting: VecDeque::new(),
            views: None,
        }
    }

    /// Reads and prepares one picture.
    ///
    /// # Errors
    /// [`TrainError::Picture`] and [`TrainError::Data`].
    pub fn prepare(&mut self, source: &Source) -> Result<Prepared, TrainError> {
        match &source.change {
            Change::View(view) => self.view(&source.sample, *view),
            Change::Synthetic { other, number } => {
                let planes = self.planes(&source.sample.image)?;
                let other = self.planes(other)?;
                let made = synthesize(&planes, &other, &mut stream(self.seed, Purpose::Synthesis, *number));
                let abnormal = made.mask.contains(&1);
                Ok(Prepared { planes: made.planes, mask: made.mask, abnormal })
            }
        }
    }

    fn view(&mut self, sample: &Sample, view: usize) -> Result<Prepared, TrainError> {
        let views = match self.views.take() {
            Some(views) if views.sample == *sample => views,
            _ => self.open_views(sample)?,
        };
        let views = self.views.insert(views);
        let abnormal = sample.abnormal;
        if view == 0 {
            return Ok(Prepared { planes: (*views.planes).clone(), mask: views.mask.clone(), abnormal });
        }
        if views.augmented.is_empty() {
            let values = views.mask.iter().map(|m| f32::from(*m)).collect();
            let masks = augment_mvfa(&Planes { side_px: self.side_px, values });
            let masks = masks.iter().map(|m| m.values.iter().map(|v| u8::from(*v > 0.5)).collect());
            views.augmented = augment_mvfa(&views.planes).into_iter().zip(masks).collect();
        }
        let (planes, mask) = views
            .augmented
            .get(view)
            .cloned()
            .ok_or_else(|| TrainError::Settings(format!("there is no view {view}")))?;
        Ok(Prepared { planes, mask, abnormal })
    }

    fn open_views(&mut self, sample: &Sample) -> Result<Views, TrainError> {
        let picture = self.open(&sample.image)?;
        let mask = match &sample.mask {
            Some(path) => self.mask(path, sample, &picture)?,
            None => vec![0; self.side_px * self.side_px],
        };
        let planes = self.wait(&sample.image, &picture);
        Ok(Views { sample: sample.clone(), planes, mask, augmented: Vec::new() })
    }

    fn mask(&mut self, path: &Path, sample: &Sample, picture: &Rgb8) -> Result<Vec<u8>, TrainError> {
        let bytes = std::fs::read(path).ok();
        self.ledger.opened(path, bytes.as_deref());
        Ok(read_mask(path, &sample.image, Some(picture), self.side_px)?)
    }

    /// A picture of the model's size, from those that wait or from its file.
    fn planes(&mut self, path: &Path) -> Result<Rc<Planes>, TrainError> {
        if let Some((_, planes)) = self.waiting.iter().find(|(waiting, _)| waiting == path) {
            return Ok(planes.clone());
        }
        let picture = self.open(path)?;
        Ok(self.wait(path, &picture))
    }

    fn wait(&mut self, path: &Path, picture: &Rgb8) -> Rc<Planes> {
        let planes = Rc::new(to_planes(&resize_bicubic(picture, self.side_px)));
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((path.to_owned(), planes.clone()));
        planes
    }

    fn open(&mut self, path: &Path) -> Result<Rgb8, TrainError> {
        let wrong = |reason: String| TrainError::Picture { path: path.display().to_string(), reason };
        let bytes = picture_file::read(path);
        self.ledger.opened(path, bytes.as_deref().ok());
        let bytes = bytes.map_err(|e| wrong(e.to_string()))?;
        let picture = picture_file::picture(&bytes).map_err(|e| wrong(e.to_string()))?;
        self.pixels.insert(path.to_owned(), PixelHash::of_picture(&picture));
        Ok(picture.to_rgb8(self.window.choice))
    }
}
