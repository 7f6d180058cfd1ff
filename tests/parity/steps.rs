//! The converter over files and an output that are no disk: the same bytes, also after it was stopped anywhere.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mvfa_web::bundle::error::BundleError;
use mvfa_web::bundle::import::files::{Files, ReadSeek};
use mvfa_web::bundle::manifest::Dtype;
use mvfa_web::bundle::objects::known_object;
use mvfa_web::bundle::writer::{CARD, Kept, MANIFEST, Output};
use mvfa_web::convert::{
    ChangeOptions, Conversion, ConvertOptions, Sources, Stage, Told, bundle_bytes, change, convert, plan,
};
use tempfile::tempdir;

use crate::{LAYOUTS, options, tiny};

type Content = BTreeMap<String, Vec<u8>>;

/// Files by name, without a place.
struct Memory(Content);

impl Files for Memory {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadSeek>> {
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes.clone())))
    }

    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

#[derive(Clone, Default)]
struct Shelf(Rc<RefCell<Content>>);

impl Output for Shelf {
    fn write(&mut self, name: &str, pieces: &[&[u8]]) -> Result<(), BundleError> {
        self.0.borrow_mut().insert(name.to_owned(), pieces.concat());
        Ok(())
    }

    fn complete(&mut self) -> Result<(), BundleError> {
        Ok(())
    }
}

fn memory(names: &[&str]) -> Memory {
    Memory(names.iter().map(|name| ((*name).to_owned(), fs::read(tiny(name)).unwrap())).collect())
}

fn choices(dtype: Dtype) -> ConvertOptions {
    let mut choices = options(String::new().into(), String::new().into());
    choices.dtype = dtype;
    choices.objects =
        vec![known_object("brain").unwrap(), known_object("resc").unwrap(), known_object("oct17").unwrap()];
    choices
}

/// Converts; stops when so many files are finished.
fn run(files: &Memory, dtype: Dtype, shelf: &Shelf, kept: Kept, most: usize) -> Result<Option<Kept>, BundleError> {
    let mut options = choices(dtype);
    let sources = Sources::find(files, &mut options)?;
    let mut conversion = Conversion::new(options, sources, shelf.clone(), kept)?;
    while conversion.step()? {
        if let Stage::Tensors { done, total, .. } = conversion.stage() {
            assert!(done <= total);
        }
        if conversion.kept().files.len() >= most {
            return Ok(Some(conversion.kept().clone()));
        }
    }
    while let Some(file) = conversion.wanted().cloned() {
        let bytes = shelf.0.borrow()[&file.path].clone();
        conversion.give(&bytes)?;
    }
    conversion.finish()?;
    Ok(None)
}

#[test]
fn without_a_disk_the_bytes_are_the_same() {
    for (layout, dtype) in [(LAYOUTS[0], Dtype::F16), (LAYOUTS[1], Dtype::I8), (LAYOUTS[2], Dtype::F32)] {
        let folder = tempdir().unwrap();
        let mut native = choices(dtype);
        native.clip = tiny(layout);
        native.adapters = Some(tiny("adapters.pth"));
        native.out = folder.path().join("bundle");
        convert(&native, &mut |_, _, _| {}, &mut |_| {}).unwrap();
        let expected = content(&native.out);
        let files = memory(&["adapters.pth", layout]);
        let whole = Shelf::default();
        assert_eq!(run(&files, dtype, &whole, Kept::default(), usize::MAX).unwrap(), None);
        let found = whole.0.borrow().clone();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &expected {
            assert!(found[name] == *bytes, "{layout}: {name}");
        }
        for most in 1..=4 {
            let shelf = Shelf::default();
            let kept = run(&files, dtype, &shelf, Kept::default(), most).unwrap();
            // What waits is kept as text.
            let kept = kept.map(|kept| serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap());
            run(&files, dtype, &shelf, kept.unwrap_or_default(), usize::MAX).unwrap();
            assert!(*shelf.0.borrow() == expected, "{layout}, stopped after {most} files");
        }
    }
}

#[test]
fn files_are_known_by_what_they_hold() {
    let mut options = choices(Dtype::F16);
    let mut files = memory(&["adapters.pth", LAYOUTS[0]]);
    files.0.insert("README.md".to_owned(), b"# A model".to_vec());
    let sources = Sources::find(&files, &mut options).unwrap();
    assert_eq!((options.clip.to_str(), options.adapters.as_deref()), (Some(LAYOUTS[0]), Some("adapters.pth".as_ref())));
    let mut told = Vec::new();
    sources.tell(&options, &mut |what| told.push(matches!(what, Told::Taken(what) if what.contains("CLIP"))));
    assert!(told.contains(&true));
    let manifest = plan(&options, &sources).unwrap();
    let sizes = [Dtype::I8, Dtype::F16, Dtype::F32].map(|dtype| bundle_bytes(&manifest, dtype));
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");

    let error = |files: &Memory| Sources::find(files, &mut choices(Dtype::F16)).err().unwrap().to_string();
    assert!(error(&memory(&["adapters.pth"])).contains("a CLIP checkpoint beside it"));
    files.0.insert("more.pth".to_owned(), files.0["adapters.pth"].clone());
    assert!(error(&files).contains("both adapters.pth and more.pth hold adapters"));
    assert!(error(&memory(&[LAYOUTS[0], LAYOUTS[1]])).contains("give one of them"));
    assert!(error(&Memory(Content::new())).contains("without a file that ends in"));
}

#[test]
fn an_index_leads_to_files_of_the_set_alone() {
    for name in ["other.safetensors", "../secret.safetensors", "/etc/passwd"] {
        let index = format!(r#"{{"weight_map":{{"visual.conv1.weight":"{name}"}}}}"#);
        let files = Memory([("model.safetensors.index.json".to_owned(), index.into_bytes())].into());
        let error = Sources::find(&files, &mut choices(Dtype::F16)).err().unwrap();
        assert!(matches!(&error, BundleError::Index { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

const PROMPTS: &str = "prompts-000.safetensors";

/// The numbers of a file of text features, which are f32 behind a header.
fn features(file: &[u8]) -> Vec<f32> {
    let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    file[8 + header..].chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// The files of a bundle in a folder.
fn content(folder: &Path) -> Content {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn adapters_that_come_later_give_the_model_that_they_would_have_given_at_once() {
    for (layout, dtype) in [(LAYOUTS[0], Dtype::F32), (LAYOUTS[1], Dtype::I8), (LAYOUTS[2], Dtype::F16)] {
        let folder = tempdir().unwrap();
        let make = |name: &str, adapters: Option<PathBuf>| {
            let mut native = choices(dtype);
            native.clip = tiny(layout);
            native.adapters = adapters;
            native.out = folder.path().join(name);
            convert(&native, &mut |_, _, _| {}, &mut |_| {}).unwrap();
            native.out
        };
        let whole = make("whole", Some(tiny("adapters.pth")));
        let plain = make("plain", None);
        let to = |bundle: &Path, name: &str, adapters: Option<PathBuf>| {
            let out = folder.path().join(name);
            let bundle = bundle.to_owned();
            let options = ChangeOptions { bundle, adapters, out: out.clone(), objects: Vec::new(), name: None };
            let (mut last, mut calls) = ((0, 0), 0);
            change(&options, &mut |done, total, _| (last, calls) = ((done, total), calls + 1)).unwrap();
            assert!(calls > 2 && last.0 == last.1, "{last:?}");
            out
        };
        let same = |found: &Path, expected: &Path| {
            let (mut found, mut expected) = (content(found), content(expected));
            let card = String::from_utf8(found.remove(CARD).unwrap()).unwrap();
            let origin = String::from_utf8(expected.remove(CARD).unwrap()).unwrap();
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            // Words that come later are encoded by the tower as it is stored; the checkpoints hold 16-bit floats.
            if dtype == Dtype::I8 && found.contains_key(PROMPTS) {
                let pair = [&found, &expected].map(|all| features(&all[PROMPTS]));
                let apart = pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                // One step of an 8-bit weight.
                assert!(apart > 0.0 && apart < 1.0 / 127.0, "{layout}: {apart}");
                for all in [&mut found, &mut expected] {
                    all.retain(|name, _| name != PROMPTS && name != MANIFEST);
                }
            }
            found.iter().for_each(|(name, bytes)| assert!(expected[name] == *bytes, "{layout}: {name}"));
            (card, origin)
        };
        let added = to(&plain, "added", Some(tiny("adapters.pth")));
        let (card, origin) = same(&added, &whole);
        assert!(card.contains("MVFA adapters from `adapters.pth`") && card.contains(layout), "{card}");
        assert!(origin.contains(layout));
        // Taken away again, and from one that was made at once.
        let (card, _) = same(&to(&added, "again", None), &plain);
        assert_eq!(card.matches("card of the model").count(), 1, "one origin, whatever was done since: {card}");
        same(&to(&whole, "less", None), &plain);
        // Others in the place of those that are there.
        same(&to(&whole, "other", Some(tiny("adapters.pth"))), &whole);

        let refused = |adapters: Option<PathBuf>, bundle: &Path, out: PathBuf| {
            let options = ChangeOptions { bundle: bundle.to_owned(), adapters, out, objects: Vec::new(), name: None };
            change(&options, &mut |_, _, _| {}).unwrap_err().to_string()
        };
        let nowhere = folder.path().join("nowhere");
        assert!(refused(None, &plain, nowhere.clone()).contains("has no adapters"));
        assert!(refused(Some(tiny(layout)), &plain, nowhere.clone()).contains("no MVFA adapters"));
        assert!(refused(None, &whole, whole.clone()).contains("would be replaced"));
        let shard = plain.join("vision-000.safetensors");
        let mut bytes = fs::read(&shard).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&shard, bytes).unwrap();
        assert!(refused(Some(tiny("adapters.pth")), &plain, nowhere.clone()).contains("SHA-256"));
        assert!(!nowhere.exists());
    }
}
