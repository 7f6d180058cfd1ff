//! Labelled pictures in folders.
//!
//! Comes in: a folder. Goes out: [`Sample`]s of its parts, normal ones first, in the order of their paths. What lies where
//! is read by [`Layout`]. Fails with [`DatasetError`]. Source: spec §10.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mvfa_formats::SlicePlace;
use thiserror::Error;

use crate::dataset::{Entry, Finding, Layout, Part, counted, is_set_folder, part_of};
use crate::disk::overlay_mark::without_overlays;
use crate::disk::path_text::slashed;
use crate::eval::check::Subject;
use crate::eval::volumes::Sliced;
use crate::image::SUPPORTED_FORMATS;

/// Folders inside each other that are looked into.
const DEEPEST: usize = 16;

/// A data set that cannot be used.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// The folder has none of the expected parts.
    #[error(
        "{path} has no {expected} folder with pictures; a data set holds valid and test, each with good and Ungood (mvfa check shows what is understood)"
    )]
    Layout {
        /// Where it was looked for.
        path: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// There is no picture.
    #[error("there is no picture in {path}; put {SUPPORTED_FORMATS} files into good/img and Ungood/img{passed}")]
    Empty {
        /// The folder.
        path: String,
        /// The folders in it that were not read, as a clause.
        passed: String,
    },
    /// There are no two classes to compare.
    #[error("{path} has {found} pictures only; figures need normal ones in good and abnormal ones in Ungood{passed}")]
    OneClass {
        /// The folder.
        path: String,
        /// The class that is there.
        found: &'static str,
        /// The folders in it that were not read, as a clause.
        passed: String,
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
        "the mask {path} is a grey ramp with no pixel above half of white (its largest is {largest}); write abnormal pixels as 255"
    )]
    DarkMask {
        /// The mask.
        path: String,
        /// Its largest value.
        largest: f32,
    },
    /// A mask that cannot be read.
    #[error("the mask {path} cannot be read: {reason}; export it as an 8-bit PNG")]
    Mask {
        /// The mask.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A volume whose slices cannot be told apart, or not be read.
    #[error("the volume {path} cannot be used: {reason}")]
    Volume {
        /// The file.
        path: String,
        /// What is wrong with it, and what to do.
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
    /// Folder of the person it shows, if the set has such folders.
    pub person: Option<String>,
}

/// A data set in a folder.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What was named.
    named: PathBuf,
    /// The same, or the folder with its volumes in slices.
    root: PathBuf,
    /// Keeps that folder.
    sliced: Option<Arc<Sliced>>,
    /// Relative to `root`, as the layout numbers them.
    files: Vec<PathBuf>,
    layout: Layout,
    overlays: usize,
}

impl Dataset {
    /// Looks for the parts of a set in a folder.
    ///
    /// # Errors
    /// [`DatasetError::Layout`], [`DatasetError::Io`].
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        if !Self::is_at(root) {
            return Err(DatasetError::Layout { path: root.display().to_string(), expected: "test or valid" });
        }
        let (files, overlays) = files_of(root)?;
        let layout = layout_of(&files);
        let at = |file: usize| files.get(file).map(|path| root.join(path)).unwrap_or_default();
        let named = root.to_owned();
        let Some(sliced) = Sliced::of(&layout, at)? else {
            return Ok(Self { root: named.clone(), named, sliced: None, files, layout, overlays });
        };
        let root = sliced.path().to_owned();
        let (files, _) = files_of(&root)?;
        let of_slices = layout_of(&files);
        // What is odd about names and folders stands in the set itself, which classes there are in the slices.
        let is_of_slices = |finding: &Finding| finding.code == "one-class";
        let mut findings: Vec<Finding> = layout.findings.into_iter().filter(|one| !is_of_slices(one)).collect();
        findings.extend(of_slices.findings.iter().filter(|one| is_of_slices(one)).cloned());
        findings.push(Finding::warning(
            "volumes",
            format!(
                "{} with {} in all; each slice counts as a picture, one of an abnormal volume without a mark as a normal \
                 one, and a volume counts as a person",
                counted(sliced.volumes, "volume"),
                counted(of_slices.entries.len(), "slice")
            ),
        ));
        let layout = Layout { findings, unknown: layout.unknown, ..of_slices };
        Ok(Self { named, root, sliced: Some(Arc::new(sliced)), files, layout, overlays })
    }

    /// Whether the folder itself has parts or classes in it.
    pub fn is_at(root: &Path) -> bool {
        let names: Vec<String> = folders_in(root).iter().map(|path| slashed(path)).collect();
        is_set_folder(&names)
    }

    /// The folder in which its pictures are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that was named.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// How many files are volumes, whose slices are its pictures.
    pub fn volumes(&self) -> usize {
        self.sliced.as_ref().map_or(0, |sliced| sliced.volumes)
    }

    /// Where a slice lies in its volume; `None` for what is no slice of one.
    pub fn place(&self, image: &Path) -> Option<&SlicePlace> {
        self.sliced.as_ref()?.places.get(image)
    }

    /// What was taken for what.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where a file of the layout is.
    pub(crate) fn path(&self, file: usize) -> PathBuf {
        self.files.get(file).map(|path| self.root.join(path)).unwrap_or_default()
    }

    /// The samples of a part, normal ones first.
    ///
    /// # Errors
    /// [`DatasetError::Layout`], [`DatasetError::Empty`], [`DatasetError::MissingMask`].
    pub fn split(&self, split: Split) -> Result<Vec<Sample>, DatasetError> {
        self.samples(split, |image, folder| {
            Err(DatasetError::MissingMask { image: image.display().to_string(), folder: folder.display().to_string() })
        })
    }

    /// The same, for those who leave out what cannot be used: a missing mask is named as if it were there.
    ///
    /// # Errors
    /// [`DatasetError::Layout`], [`DatasetError::Empty`].
    pub fn split_unchecked(&self, split: Split) -> Result<Vec<Sample>, DatasetError> {
        self.samples(split, |image, folder| Ok(folder.join(image.file_name().unwrap_or_default())))
    }

    /// The part that a split stands for: without a valid part, shots come from train.
    pub fn part(&self, split: Split) -> Part {
        let has = |part| self.layout.of_part(part).next().is_some();
        match split {
            Split::Test => Part::Test,
            Split::Valid if !has(Part::Valid) && has(Part::Train) => Part::Train,
            Split::Valid => Part::Valid,
        }
    }

    /// `absent` is asked for the mask of a picture that has none where others have theirs.
    fn samples(
        &self,
        split: Split,
        absent: impl Fn(&Path, &Path) -> Result<PathBuf, DatasetError>,
    ) -> Result<Vec<Sample>, DatasetError> {
        let part = self.part(split);
        let entries: Vec<&Entry> = self.layout.of_part(part).collect();
        if entries.is_empty() {
            let folder = folders_in(&self.root).into_iter().find(|folder| part_of(&slashed(folder)) == Some(part));
            let path = |path: &Path| path.display().to_string();
            return Err(match folder {
                Some(folder) => DatasetError::Empty { path: path(&self.named.join(folder)), passed: self.passed() },
                None => DatasetError::Layout { path: path(&self.named), expected: part.name() },
            });
        }
        let some_mask = entries.iter().filter(|entry| entry.abnormal).find_map(|entry| entry.mask);
        let mask_folder = some_mask.map(|mask| self.path(mask)).and_then(|mask| mask.parent().map(Path::to_owned));
        let mut samples = Vec::with_capacity(entries.len());
        for entry in entries {
            let image = self.path(entry.file);
            let mask = match (entry.abnormal, entry.mask, &mask_folder) {
                (true, Some(mask), _) => Some(self.path(mask)),
                (true, None, Some(folder)) => Some(absent(&image, folder)?),
                _ => None,
            };
            samples.push(Sample { image, mask, abnormal: entry.abnormal, person: entry.person.clone() });
        }
        Ok(samples)
    }

    /// The folders that were not read, as a clause.
    fn passed(&self) -> String {
        let names: Vec<&str> = self.layout.unknown.iter().map(|taken| taken.folder.as_str()).collect();
        match names.as_slice() {
            [] => String::new(),
            some => format!("; the names of these folders say nothing and they were not read: {}", some.join(", ")),
        }
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
        Err(DatasetError::OneClass { path: self.named.display().to_string(), found, passed: self.passed() })
    }

    /// How many overlays of earlier runs lie among the pictures; they are passed over.
    pub fn overlays(&self) -> usize {
        self.overlays
    }
}

impl Dataset {
    /// The labelled pictures of some parts, to be looked at: `None` for all.
    pub fn subjects(&self, part: Option<Part>) -> Vec<Subject> {
        let entries = self.layout.entries.iter().filter(|entry| part.is_none_or(|part| entry.part == part));
        entries
            .map(|entry| Subject {
                name: self.files.get(entry.file).map(|path| slashed(path)).unwrap_or_default(),
                image: self.path(entry.file),
                mask: entry.mask.map(|mask| self.path(mask)),
                part: entry.part,
                abnormal: Some(entry.abnormal),
            })
            .collect()
    }
}

fn layout_of(files: &[PathBuf]) -> Layout {
    let names: Vec<String> = files.iter().map(|path| slashed(path)).collect();
    Layout::at("", &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Names of the folders in a folder; none if it cannot be read.
fn folders_in(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.is_dir()).filter_map(|path| path.file_name().map(PathBuf::from)).collect()
}

/// All files below a folder, relative to it and sorted, without overlays of an earlier run; and how many those were.
///
/// # Errors
/// [`DatasetError::Io`].
pub(crate) fn files_of(root: &Path) -> Result<(Vec<PathBuf>, usize), DatasetError> {
    let mut files = Vec::new();
    let mut above = Vec::new();
    walk(root, &mut above, &mut files)?;
    let (files, overlays) = without_overlays(files);
    let relative = files.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_owned());
    let mut files: Vec<PathBuf> = relative.collect();
    files.sort();
    Ok((files, overlays))
}

/// Links are followed, but not around in a circle. Hidden folders are nobody's pictures.
fn walk(folder: &Path, above: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) -> Result<(), DatasetError> {
    let io = |source| DatasetError::Io { path: folder.display().to_string(), source };
    let real = folder.canonicalize().map_err(io)?;
    if above.contains(&real) || above.len() > DEEPEST {
        return Ok(());
    }
    above.push(real);
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !is_hidden {
            walk(&path, above, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    above.pop();
    Ok(())
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
        let set = || Dataset::open(folder.path()).unwrap();
        let whole = set().split(Split::Test).unwrap();
        assert_eq!(whole[1].mask, Some(masks.join("a.JPG")), "another ending");
        assert_eq!(whole[2].mask, Some(masks.join("b.png")), "its own ending");
        assert_eq!(set().split_unchecked(Split::Test).unwrap(), whole);
        fs::remove_file(masks.join("b.jpg")).unwrap();
        fs::remove_file(masks.join("b.png")).unwrap();
        assert!(matches!(set().split(Split::Test), Err(DatasetError::MissingMask { .. })));
        assert_eq!(set().split_unchecked(Split::Test).unwrap(), whole);
        assert!(set().split_unchecked(Split::Valid).is_err());
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
        let set = || Dataset::open(folder.path()).unwrap();
        assert!(matches!(set().split(Split::Test), Err(DatasetError::Empty { .. })));
        assert!(matches!(set().split(Split::Valid), Err(DatasetError::Layout { expected: "valid", .. })));
        touch(folder.path().join("test/good/img/n.png"));
        let message = set().check_classes(&set().split(Split::Test).unwrap()).unwrap_err().to_string();
        assert!(message.contains("normal pictures only"), "{message}");
        touch(folder.path().join("test/Ungood/img/a.png"));
        assert!(set().check_classes(&set().split(Split::Test).unwrap()).is_ok());
        touch(folder.path().join("test/Ungood/img/b.png"));
        touch(folder.path().join("test/Ungood/anomaly_mask/b.png"));
        let error = set().split(Split::Test).unwrap_err().to_string();
        assert!(error.contains("a.png has no mask"), "{error}");
    }
}
