//! The converter over files and an output that are no disk: the same bytes, also after it was stopped anywhere.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::rc::Rc;

use mvfa_web::bundle::error::BundleError;
use mvfa_web::bundle::import::files::{Files, ReadSeek};
use mvfa_web::bundle::manifest::Dtype;
use mvfa_web::bundle::objects::known_object;
use mvfa_web::bundle::writer::{Kept, Output};
use mvfa_web::convert::{Conversion, ConvertOptions, Sources, Stage, Told, bundle_bytes, convert, plan};
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
        let expected: Content = fs::read_dir(&native.out)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
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
