//! Labelled pictures in the layout of BMAD and MVFA.
//!
//! Comes in: a folder with `{valid,test}/{good,Ungood}/{img,anomaly_mask}`. Goes out: [`Sample`]s,
//! normal ones first, each class sorted by name. `val` may stand for `valid`, and pictures may lie in
//! `good` and `Ungood` themselves. Fails with [`DatasetError`]. Source: spec §10.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::disk::overlay_mark::without_overlays;
use crate::disk::picture_file::is_picture;
use crate::image::SUPPORTED_FORMATS;

/// A data set that cannot be used.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// The folder has none of the expected parts.
    #[error("{path} has no {expected} folder; a data set holds valid and test, each with good and Ungood")]
    Layout {
        /// Where it was looked for.
        path: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// There is no picture.
    #[error("there is no picture in {path}; put {SUPPORTED_FORMATS} files into good/img and Ungood/img")]
    Empty {
        /// The folder.
        path: String,
    },
    /// There are no two classes to compare.
    #[error("{path} has {found} pictures only; figures need normal ones in good and abnormal ones in Ungood")]
    OneClass {
        /// The folder.
        path: String,
        /// The class that is there.
        found: &'static str,
    },
    /// Some abnormal pictures have masks and this one has not.
    #[error(
        "{image} has no mask in {folder}, others there have one; add it, or remove all masks to score pictures only"
    )]
    MissingMask {
        /// The picture.
        image: String,
        /// Where its mask should be.
        folder: String,
    },
    /// A mask of another size than its picture.
    #[error("the mask {path} has {found} pixels, its picture has {expected}; export both at one size")]
    MaskSize {
        /// The mask.
        path: String,
        /// Size of the picture.
        expected: String,
        /// Size of the mask.
        found: String,
    },
    /// A mask whose values would all count as nothing.
    #[error(
        "the mask {path} has no pixel above half of white (its largest is {largest} of 255); write abnormal pixels as 255"
    )]
    DarkMask {
        /// The mask.
        path: String,
        /// Its largest value.
        largest: u8,
    },
    /// A mask that cannot be read.
    #[error("the mask {path} cannot be read: {reason}; export it as an 8-bit PNG")]
    Mask {
        /// The mask.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An I/O error.
    #[error("{path}: {source}")]
    Io {
        /// File or folder.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What shots are drawn from.
    Valid,
    /// What is measured on.
    Test,
}

/// One labelled picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The picture.
    pub image: PathBuf,
    /// Its mask, if it is abnormal and the set has masks.
    pub mask: Option<PathBuf>,
    /// The label.
    pub abnormal: bool,
}

/// A data set in a folder.
#[derive(Clone, Debug)]
pub struct Dataset {
    root: PathBuf,
}

impl Dataset {
    /// Looks for `test` or `valid` in a folder.
    ///
    /// # Errors
    /// [`DatasetError::Layout`].
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        let this = Self { root: root.to_owned() };
        if this.split_folder(Split::Test).is_none() && this.split_folder(Split::Valid).is_none() {
            return Err(DatasetError::Layout { path: root.display().to_string(), expected: "test or valid" });
        }
        Ok(this)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The samples of a part, normal ones first.
    ///
    /// # Errors
    /// [`DatasetError::Layout`], [`DatasetError::Empty`], [`DatasetError::MissingMask`],
    /// [`DatasetError::Io`].
    pub fn split(&self, split: Split) -> Result<Vec<Sample>, DatasetError> {
        self.samples(split, |image, folder| {
            Err(DatasetError::MissingMask { image: image.display().to_string(), folder: folder.display().to_string() })
        })
    }

    /// The same, for those who leave out what cannot be used: a missing mask is named as if it were there.
    ///
    /// # Errors
    /// [`DatasetError::Layout`], [`DatasetError::Empty`], [`DatasetError::Io`].
    pub fn split_unchecked(&self, split: Split) -> Result<Vec<Sample>, DatasetError> {
        self.samples(split, |image, folder| Ok(folder.join(image.file_name().unwrap_or_default())))
    }

    /// `absent` is asked for the mask of a picture that has none in the folder where others have theirs.
    fn samples(
        &self,
        split: Split,
        absent: impl Fn(&Path, &Path) -> Result<PathBuf, DatasetError>,
    ) -> Result<Vec<Sample>, DatasetError> {
        let expected = if split == Split::Test { "test" } else { "valid" };
        let folder = self
            .split_folder(split)
            .ok_or_else(|| DatasetError::Layout { path: self.root.display().to_string(), expected })?;
        let mut samples: Vec<Sample> = pictures(&folder.join("good"))?
            .into_iter()
            .map(|image| Sample { image, mask: None, abnormal: false })
            .collect();
        let mask_folder = folder.join("Ungood").join("anomaly_mask");
        let masks = Masks::in_folder(&mask_folder)?;
        for image in pictures(&folder.join("Ungood"))? {
            let mask = match masks.of(&image) {
                Some(mask) => Some(mask.to_owned()),
                None if masks.0.is_empty() => None,
                None => Some(absent(&image, &mask_folder)?),
            };
            samples.push(Sample { image, mask, abnormal: true });
        }
        if samples.is_empty() {
            return Err(DatasetError::Empty { path: folder.display().to_string() });
        }
        Ok(samples)
    }

    /// Checks that samples of both classes are there, as figures need.
    ///
    /// # Errors
    /// [`DatasetError::OneClass`].
    pub fn check_classes(&self, samples: &[Sample]) -> Result<(), DatasetError> {
        let abnormal = samples.iter().filter(|s| s.abnormal).count();
        if abnormal > 0 && abnormal < samples.len() {
            return Ok(());
        }
        let found = if abnormal > 0 { "abnormal" } else { "normal" };
        Err(DatasetError::OneClass { path: self.root.display().to_string(), found })
    }

    /// How many overlays of earlier runs lie among the pictures; they are passed over.
    ///
    /// # Errors
    /// [`DatasetError::Io`].
    pub fn overlays(&self) -> Result<usize, DatasetError> {
        let splits = [Split::Valid, Split::Test].into_iter().filter_map(|split| self.split_folder(split));
        let classes = splits.flat_map(|split| ["good", "Ungood"].map(|class| folder_of(&split.join(class))));
        classes.filter(|folder| folder.is_dir()).map(|folder| Ok(without_overlays(files(&folder)?).1)).sum()
    }

    fn split_folder(&self, split: Split) -> Option<PathBuf> {
        let names: &[&str] = if split == Split::Test { &["test"] } else { &["valid", "val"] };
        names.iter().map(|name| self.root.join(name)).find(|path| path.is_dir())
    }
}

/// Masks by name without ending.
struct Masks(HashMap<OsString, Vec<PathBuf>>);

impl Masks {
    /// Empty if there is no such folder.
    fn in_folder(folder: &Path) -> Result<Self, DatasetError> {
        let mut masks = HashMap::<_, Vec<_>>::new();
        for path in if folder.is_dir() { list(folder)? } else { Vec::new() } {
            masks.entry(path.file_stem().unwrap_or_default().to_owned()).or_default().push(path);
        }
        Ok(Self(masks))
    }

    /// The mask of the same name, whatever its ending; the one with the picture's own, if there are several.
    fn of(&self, image: &Path) -> Option<&Path> {
        let masks = self.0.get(image.file_stem()?)?;
        let own = masks.iter().find(|mask| mask.extension() == image.extension());
        own.or(masks.first()).map(PathBuf::as_path)
    }
}

/// The pictures of a class, from `img`, if present. A class without a folder is empty.
fn pictures(class: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let folder = folder_of(class);
    if folder.is_dir() { list(&folder) } else { Ok(Vec::new()) }
}

fn folder_of(class: &Path) -> PathBuf {
    let inner = class.join("img");
    if inner.is_dir() { inner } else { class.to_owned() }
}

/// The pictures of a folder; overlays of an earlier run are none.
fn list(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    Ok(without_overlays(files(folder)?).0)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let io = |source| DatasetError::Io { path: folder.display().to_string(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_file() && is_picture(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn lists_both_classes_with_masks() {
        let folder = tempfile::tempdir().unwrap();
        let test = folder.path().join("test");
        touch(test.join("good/img/b.png"));
        touch(test.join("good/img/a.png"));
        touch(test.join("Ungood/img/c.jpeg"));
        touch(test.join("Ungood/anomaly_mask/c.png"));
        let samples = Dataset::open(folder.path()).unwrap().split(Split::Test).unwrap();
        let names: Vec<_> = samples.iter().map(|s| s.image.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.png", "b.png", "c.jpeg"]);
        assert_eq!(samples[2].mask, Some(test.join("Ungood/anomaly_mask/c.png")));
        assert!(samples[2].abnormal && !samples[1].abnormal);
    }

    #[test]
    fn a_missing_mask_stops_or_is_named_as_if_it_were_there() {
        let folder = tempfile::tempdir().unwrap();
        let test = folder.path().join("test");
        for name in ["good/img/n.png", "Ungood/img/a.png", "Ungood/img/b.png", "Ungood/img/.c.png"] {
            touch(test.join(name));
        }
        let masks = test.join("Ungood/anomaly_mask");
        for name in ["a.JPG", "b.jpg", "b.png"] {
            touch(masks.join(name));
        }
        let set = Dataset::open(folder.path()).unwrap();
        let whole = set.split(Split::Test).unwrap();
        assert_eq!(whole[1].mask, Some(masks.join("a.JPG")), "another ending");
        assert_eq!(whole[2].mask, Some(masks.join("b.png")), "its own ending");
        assert_eq!(set.split_unchecked(Split::Test).unwrap(), whole);
        fs::remove_file(masks.join("b.jpg")).unwrap();
        fs::remove_file(masks.join("b.png")).unwrap();
        assert!(matches!(set.split(Split::Test), Err(DatasetError::MissingMask { .. })));
        assert_eq!(set.split_unchecked(Split::Test).unwrap(), whole);
        assert!(set.split_unchecked(Split::Valid).is_err());
    }

    #[test]
    fn other_spellings_are_read() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path().join("val/good/a.png"));
        touch(folder.path().join("val/Ungood/b.png"));
        let samples = Dataset::open(folder.path()).unwrap().split(Split::Valid).unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples.iter().all(|s| s.mask.is_none()));
    }

    #[test]
    fn says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Dataset::open(folder.path()), Err(DatasetError::Layout { .. })));
        fs::create_dir_all(folder.path().join("test/good/img")).unwrap();
        let set = Dataset::open(folder.path()).unwrap();
        assert!(matches!(set.split(Split::Test), Err(DatasetError::Empty { .. })));
        assert!(matches!(set.split(Split::Valid), Err(DatasetError::Layout { expected: "valid", .. })));
        touch(folder.path().join("test/good/img/n.png"));
        let message = set.check_classes(&set.split(Split::Test).unwrap()).unwrap_err().to_string();
        assert!(message.contains("normal pictures only"), "{message}");
        touch(folder.path().join("test/Ungood/img/a.png"));
        assert!(set.check_classes(&set.split(Split::Test).unwrap()).is_ok());
        touch(folder.path().join("test/Ungood/img/b.png"));
        touch(folder.path().join("test/Ungood/anomaly_mask/b.png"));
        let error = set.split(Split::Test).unwrap_err().to_string();
        assert!(error.contains("a.png has no mask"), "{error}");
    }
}
