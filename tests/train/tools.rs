//! A tiny model, a few phantoms, and the program run on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::tiny_bundle;

pub fn mvfa(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(args);
    command
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must succeed.
#[track_caller]
pub fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

/// Runs a command that must fail; what it says.
#[track_caller]
pub fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stderr(&output)
}

/// Standard output as one JSON value a line.
pub fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

/// Draws phantoms.
pub fn phantoms(out: &Path, more: &[&str]) {
    done(mvfa(&["phantom", "--out", text(out)]).args(more));
}

/// A tiny model, and a data set of brain phantoms: four of each class in valid, four in test.
pub struct Place {
    folder: TempDir,
    pub bundle: PathBuf,
    pub data: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (bundle, data) = (folder.path().join("tiny"), folder.path().join("data"));
        tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
        let counts = ["--normal", "8", "--abnormal", "8", "--valid-share", "0.5", "--size", "70", "--seed", "5"];
        phantoms(&data, &[["--object", "brain"].as_slice(), &counts].concat());
        Self { folder, bundle, data }
    }

    /// The same with the slices of each folder as one volume.
    pub fn of_volumes() -> Self {
        let place = Self::new();
        for part in ["valid", "test"] {
            for rest in ["good/img", "Ungood/img", "Ungood/anomaly_mask"] {
                let files = place.files(&format!("{part}/{rest}"));
                let slices: Vec<_> = files.iter().map(|file| image::open(file).unwrap().to_luma8()).collect();
                let (width, height) = slices[0].dimensions();
                let mut bytes = format!(
                    "ObjectType = Image\nNDims = 3\nDimSize = {width} {height} {}\nElementType = MET_UCHAR\n\
                     ElementDataFile = LOCAL\n",
                    slices.len()
                )
                .into_bytes();
                slices.iter().for_each(|slice| bytes.extend(slice.as_raw()));
                files.iter().for_each(|file| fs::remove_file(file).unwrap());
                let name = if rest.starts_with("good") { "healthy.mha" } else { "ill.mha" };
                fs::write(files[0].with_file_name(name), bytes).unwrap();
            }
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The pictures or masks of a part, sorted.
    pub fn files(&self, part: &str) -> Vec<PathBuf> {
        let folder = self.data.join("Brain_AD").join(part);
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Training with one shot, unless `more` says otherwise.
    pub fn train(&self, out: &str, more: &[&str]) -> Command {
        let mut command = mvfa(&["train", "few", "--object", "brain", "--json"]);
        command.args(["--bundle", text(&self.bundle), "--data", text(&self.data), "--out", text(&self.path(out))]);
        if !more.contains(&"--shots") {
            command.args(["--shots", "1"]);
        }
        command.args(more);
        command
    }

    /// A file of the run that is to become `out`.
    pub fn state(&self, out: &str, name: &str) -> PathBuf {
        self.path(&format!("{out}.training")).join(name)
    }

    /// Finished epochs and pictures of the next, as the saved state has them.
    pub fn saved(&self, out: &str) -> Option<(u64, u64)> {
        let bytes = fs::read(self.state(out, "state.safetensors")).ok()?;
        let (_, head) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let progress: Value = serde_json::from_str(&head.metadata().as_ref().unwrap()["progress"]).unwrap();
        Some((progress["epochs"].as_array().unwrap().len() as u64, progress["done_in_epoch"].as_u64().unwrap()))
    }

    /// Starts a run and kills it once it has saved something new within an epoch, after so many others.
    /// False if it ended by itself.
    pub fn cut(&self, out: &str, more: &[&str], epochs: u64, stderr: &Path) -> bool {
        let before = self.saved(out);
        let log = fs::File::create(stderr).unwrap();
        let mut child = self.train(out, more).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut running = true;
        while running && !self.saved(out).is_some_and(|s| Some(s) != before && s.0 >= epochs && s.1 > 0) {
            sleep(Duration::from_millis(5));
            running = child.try_wait().unwrap().is_none();
        }
        kill(&mut child);
        running && self.state(out, "state.safetensors").exists()
    }

    pub fn record(&self, out: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(out).join("training.json")).unwrap()).unwrap()
    }

    /// Every tensor of a finished bundle, as bytes.
    pub fn tensors(&self, out: &str) -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(self.path(out)).unwrap().map(|e| e.unwrap().path());
        let shards = files.filter(|f| f.extension().is_some_and(|e| e == "safetensors" || e == "pth"));
        let mut all: Vec<(String, Vec<u8>)> =
            shards.map(|f| (f.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&f).unwrap())).collect();
        all.sort();
        all
    }
}

fn kill(child: &mut Child) {
    // It may have ended by now.
    let _ = child.kill();
    child.wait().unwrap();
}
