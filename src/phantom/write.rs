//! A folder of phantoms in the BMAD layout that MVFA reads.
//!
//! In: [`Plan`] and an empty or new folder. Out: per object
//! `<Name>_AD/{valid,test}/{good,Ungood}/img/*.png` and `Ungood/anomaly_mask/*.png` (0 or 255, the same
//! file names), a `README.txt` and a `phantom.json`. Every file name and every PNG states that it is
//! synthetic. Fails with [`PhantomError`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use super::{Object, Phantom, make};
use crate::disk::write_whole;

/// Abnormal pictures have indices from here on, so that none shows the body of a normal one.
const FIRST_ABNORMAL: u64 = 1 << 32;

/// Sides that can be drawn, in pixels.
const SIZES_PX: std::ops::RangeInclusive<usize> = 64..=1024;

const README: &str = "\
Synthetic phantoms, drawn by `mvfa phantom`. No patient and no real picture is behind them.

For tests, teaching and pre-training only. A result on these pictures says nothing about medical worth.

Layout: <Name>_AD/{valid,test}/{good,Ungood}/img/*.png, masks (0 or 255) under Ungood/anomaly_mask with
the same file names. phantom.json holds what the pictures were made from; the same seed makes them again.
";

/// What to make.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Objects, one folder each.
    #[serde(serialize_with = "ids")]
    pub objects: Vec<Object>,
    /// Normal pictures of each object, both splits together.
    pub normal: usize,
    /// Abnormal pictures of each object, both splits together.
    pub abnormal: usize,
    /// Part of them that goes into `valid`, in 0..1; the first ones.
    pub valid_share: f64,
    /// Side of the pictures in pixels.
    pub size_px: usize,
    /// Seed of all pictures.
    pub seed: u64,
}

/// What was made for one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The object's id.
    pub object: &'static str,
    /// Name of its folder.
    pub folder: &'static str,
    /// Pictures in `valid/good`.
    pub valid_normal: usize,
    /// Pictures in `valid/Ungood`.
    pub valid_abnormal: usize,
    /// Pictures in `test/good`.
    pub test_normal: usize,
    /// Pictures in `test/Ungood`.
    pub test_abnormal: usize,
}

/// Phantoms that cannot be written.
#[derive(Debug, Error)]
pub enum PhantomError {
    /// Something lies where the pictures should go.
    #[error("{} is not an empty folder; name a new one, or empty it first", .0.display())]
    NotEmpty(PathBuf),
    /// The plan cannot be carried out.
    #[error("{0}")]
    Plan(String),
    /// An I/O error.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Writes the plan's pictures; `progress` gets the number done.
///
/// # Errors
/// A plan without pictures or of a size that cannot be drawn, a folder that is not empty, a full disk.
pub fn write(plan: &Plan, out: &Path, progress: &mut dyn FnMut(usize)) -> Result<Vec<Written>, PhantomError> {
    check(plan)?;
    let failed = |source| PhantomError::Io { path: out.to_owned(), source };
    if out.exists() && (!out.is_dir() || fs::read_dir(out).map_err(failed)?.next().is_some()) {
        return Err(PhantomError::NotEmpty(out.to_owned()));
    }
    let mut written = Vec::new();
    let mut done = 0;
    for &object in &plan.objects {
        let mut count = [[0; 2]; 2];
        for (kind, total) in [plan.normal, plan.abnormal].into_iter().enumerate() {
            let is_abnormal = kind == 1;
            let valid = (total as f64 * plan.valid_share).round() as usize;
            for number in 0..total {
                let split = usize::from(number >= valid);
                one(plan, object, number, is_abnormal, &out.join(object.folder()).join(["valid", "test"][split]))?;
                count[split][kind] += 1;
                done += 1;
                progress(done);
            }
        }
        written.push(Written {
            object: object.id(),
            folder: object.folder(),
            valid_normal: count[0][0],
            valid_abnormal: count[0][1],
            test_normal: count[1][0],
            test_abnormal: count[1][1],
        });
    }
    save(&out.join("README.txt"), README.as_bytes())?;
    // Last: a folder with this file is complete.
    save(&out.join("phantom.json"), description(plan, &written).as_bytes())?;
    Ok(written)
}

fn check(plan: &Plan) -> Result<(), PhantomError> {
    if plan.objects.is_empty() || plan.normal + plan.abnormal == 0 {
        return Err(PhantomError::Plan("there is nothing to make; ask for at least one picture".to_owned()));
    }
    if !SIZES_PX.contains(&plan.size_px) {
        let (low, high) = (SIZES_PX.start(), SIZES_PX.end());
        return Err(PhantomError::Plan(format!(
            "a side of {} pixels cannot be drawn; use {low} to {high}",
            plan.size_px
        )));
    }
    if !(0.0..=1.0).contains(&plan.valid_share) {
        return Err(PhantomError::Plan(format!("the share of valid is {}; use 0 to 1", plan.valid_share)));
    }
    Ok(())
}

/// Makes and saves one picture, and its mask where it has one.
fn one(plan: &Plan, object: Object, number: usize, is_abnormal: bool, split: &Path) -> Result<(), PhantomError> {
    let index = number as u64 + if is_abnormal { FIRST_ABNORMAL } else { 0 };
    let Phantom { picture, mask } = make(object, plan.seed, index, is_abnormal, plan.size_px);
    let (id, seed) = (object.id(), plan.seed);
    let (folder, kind) = if is_abnormal { ("Ungood", "abnormal") } else { ("good", "normal") };
    let name = format!("synthetic_{id}_{kind}_s{seed}_{number:06}.png");
    let note =
        format!("Synthetic phantom made by mvfa phantom, {id}, {kind}, seed {seed}, number {number}; no patient");
    save_png(&split.join(folder).join("img").join(&name), plan.size_px, png::ColorType::Rgb, &picture.bytes, &note)?;
    if is_abnormal {
        let note = format!("Mask of a synthetic phantom: {note}");
        save_png(
            &split.join(folder).join("anomaly_mask").join(&name),
            plan.size_px,
            png::ColorType::Grayscale,
            &mask,
            &note,
        )?;
    }
    Ok(())
}

fn save_png(path: &Path, side_px: usize, colour: png::ColorType, bytes: &[u8], note: &str) -> Result<(), PhantomError> {
    let encode = || -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let side = side_px as u32;
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(colour);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.add_text_chunk("Description".to_owned(), note.to_owned())?;
        encoder.write_header()?.write_image_data(bytes)?;
        Ok(file)
    };
    let file = encode().map_err(|e| PhantomError::Io { path: path.to_owned(), source: io::Error::other(e) })?;
    save(path, &file)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), PhantomError> {
    let failed = |source| PhantomError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    write_whole(path, bytes).map_err(failed)
}

fn description(plan: &Plan, written: &[Written]) -> String {
    let value = serde_json::json!({
        "synthetic": true,
        "made_by": format!("mvfa phantom {}", env!("CARGO_PKG_VERSION")),
        "plan": plan,
        "written": written,
    });
    format!("{value:#}\n")
}

fn ids<S: serde::Serializer>(objects: &[Object], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(objects.iter().map(|object| object.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            objects: vec![Object::Resc, Object::His],
            normal: 3,
            abnormal: 4,
            valid_share: 0.5,
            size_px: 64,
            seed: 9,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_layout_is_mvfas() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        let mut told = Vec::new();
        let written = write(&plan(), &out, &mut |done| told.push(done)).unwrap();
        assert_eq!(told, (1..=14).collect::<Vec<_>>());
        assert_eq!(names(&out), ["Histopathology_AD", "README.txt", "Retina_RESC_AD", "phantom.json"]);
        let Written { valid_normal, valid_abnormal, test_normal, test_abnormal, .. } = written[0];
        assert_eq!([valid_normal, valid_abnormal, test_normal, test_abnormal], [2, 2, 1, 2]);
        for (set, [good, bad]) in [("valid", [2, 2]), ("test", [1, 2])] {
            let set = out.join("Retina_RESC_AD").join(set);
            assert_eq!(names(&set.join("good/img")).len(), good);
            assert_eq!(names(&set.join("Ungood/img")).len(), bad);
            // Masks are found by the name of the picture.
            assert_eq!(names(&set.join("Ungood/img")), names(&set.join("Ungood/anomaly_mask")));
            assert!(names(&set.join("good/img")).iter().all(|name| name.starts_with("synthetic_resc_")));
            assert_eq!(names(&set.join("good")), ["img"]);
        }
        let told: serde_json::Value = serde_json::from_slice(&fs::read(out.join("phantom.json")).unwrap()).unwrap();
        assert_eq!(told["synthetic"], true);
        assert_eq!(told["plan"]["seed"], 9);
        assert_eq!(told["plan"]["objects"][1], "his");
        assert_eq!(told["written"][0]["test_abnormal"], 2);
        assert!(fs::read_to_string(out.join("README.txt")).unwrap().contains("No patient"));
    }

    #[test]
    fn files_hold_the_phantom_and_say_that_they_are_synthetic() {
        let folder = tempfile::tempdir().unwrap();
        write(&plan(), folder.path(), &mut |_| {}).unwrap();
        let name = "synthetic_resc_abnormal_s9_000003.png";
        let split = folder.path().join("Retina_RESC_AD/test/Ungood");
        let one = make(Object::Resc, 9, FIRST_ABNORMAL + 3, true, 64);
        for (part, bytes) in [("img", &one.picture.bytes), ("anomaly_mask", &one.mask)] {
            let file = io::BufReader::new(fs::File::open(split.join(part).join(name)).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let note = &reader.info().uncompressed_latin1_text[0];
            assert_eq!(note.keyword, "Description");
            assert!(
                note.text.contains("Synthetic phantom") || note.text.contains("synthetic phantom"),
                "{}",
                note.text
            );
            assert!(note.text.contains("seed 9") && note.text.ends_with("no patient"), "{}", note.text);
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert!(pixels == *bytes, "{part}");
        }
    }

    #[test]
    fn more_pictures_leave_the_first_ones_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, normal: usize, objects: Vec<Object>| {
            let plan = Plan { objects, normal, abnormal: 0, valid_share: 0.0, ..plan() };
            write(&plan, &folder.path().join(name), &mut |_| {}).unwrap();
            fs::read(folder.path().join(name).join("Retina_RESC_AD/test/good/img/synthetic_resc_normal_s9_000001.png"))
        };
        let few = write("few", 2, vec![Object::Resc]).unwrap();
        assert!(few == write("many", 5, vec![Object::His, Object::Resc]).unwrap());
    }

    #[test]
    fn what_cannot_be_done_is_said_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        let wrong = [
            Plan { normal: 0, abnormal: 0, ..plan() },
            Plan { objects: Vec::new(), ..plan() },
            Plan { size_px: 32, ..plan() },
            Plan { size_px: 5000, ..plan() },
            Plan { valid_share: f64::NAN, ..plan() },
            Plan { valid_share: 1.5, ..plan() },
        ];
        for plan in wrong {
            assert!(matches!(write(&plan, &out, &mut |_| {}), Err(PhantomError::Plan(_))), "{plan:?}");
            assert!(!out.exists());
        }
        fs::write(folder.path().join("mine.txt"), "x").unwrap();
        let error = write(&plan(), folder.path(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("is not an empty folder"), "{error}");
        assert_eq!(names(folder.path()), ["mine.txt"]);
        let error = write(&plan(), &folder.path().join("mine.txt"), &mut |_| {}).unwrap_err();
        assert!(matches!(error, PhantomError::NotEmpty(_)));
    }
}
