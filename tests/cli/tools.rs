//! Running the program and looking at what it left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// What a run answered.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Standard output as one JSON value a line.
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
    }

    /// Fails with everything that was said when the exit code is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs `mvfa` in an empty folder, so that nothing is found by chance.
pub fn mvfa<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_mvfa")).args(arguments).current_dir(folder.path()).output().unwrap();
    Answer {
        code: status.code().expect("the program was killed"),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// A file of the tiny model.
pub fn tiny(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/tiny").join(name);
    path.to_str().unwrap().to_owned()
}

/// `path` as an argument.
pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Converts the tiny checkpoint, with what `more` adds.
pub fn convert_tiny(out: &Path, more: &[&str]) -> Answer {
    let (clip, out) = (tiny("openai_jit.pt"), text(out));
    let fixed = ["convert", "--clip", &clip, "--out", &out, "--size", "70", "--levels", "1,2,3,4", "--heads", "2"];
    mvfa(fixed.iter().chain(more))
}

/// A tiny bundle with adapters and two objects, made once for all tests.
pub fn bundle() -> String {
    static MADE: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("tiny");
        let adapters = tiny("adapters.pth");
        let more = ["--adapters", &adapters, "--dtype", "f32", "--objects", "brain,chest"];
        convert_tiny(&out, &more).expect(0);
        (folder, out)
    });
    text(&MADE.1)
}

/// A copy of that bundle in `folder`, changed.
pub fn changed_bundle(folder: &Path, change: impl FnOnce(&mut Value, &Path)) -> String {
    let out = folder.join("changed");
    std::fs::create_dir(&out).unwrap();
    for entry in std::fs::read_dir(bundle()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, out.join(path.file_name().unwrap())).unwrap();
    }
    let path = out.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut manifest, &out);
    std::fs::write(&path, manifest.to_string()).unwrap();
    text(&out)
}

/// Names of the files in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = files.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The values and the shape of a NumPy file of format 1.0.
pub fn read_npy(path: &Path) -> (String, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..start].to_vec()).unwrap();
    let values = bytes[start..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    (header, values)
}
