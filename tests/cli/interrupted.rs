//! Runs that are stopped, and what they leave behind.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::tools::{bundle, convert_tiny, names, text, tiny};

fn send(child: &Child, signal: &str) {
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
}

/// Waits until something is there; false if the process ended first.
fn wait_for(child: &mut Child, there: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    true
}

/// A conversion with so many objects that it takes a while.
fn long_conversion(out: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(["convert", "--size", "70", "--levels", "1,2,3,4", "--heads", "2"]);
    command.args(["--clip", &tiny("openai_jit.pt"), "--adapters", &tiny("adapters.pth"), "--out", &text(out)]);
    for n in 0..3000 {
        command.args(["--object", &format!("o{n}=thing number {n}:detection")]);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn is_writing(folder: &Path) -> bool {
    names(folder).iter().any(|name| name.starts_with(".made.writing-"))
}

#[test]
fn a_conversion_that_is_stopped_leaves_nothing() {
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("made");
        let mut child = long_conversion(&out);
        assert!(wait_for(&mut child, || is_writing(folder.path())), "it ended before it could be stopped");
        send(&child, name);
        let status = child.wait().unwrap();
        // As a shell expects it of a program that was stopped.
        assert_eq!(status.signal(), Some(number), "{status}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn what_a_killed_conversion_leaves_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    let mut child = long_conversion(&out);
    assert!(wait_for(&mut child, || is_writing(folder.path())), "it ended before it could be killed");
    // A second run into the same folder is told at once, and disturbs nothing.
    let busy = convert_tiny(&out, &[]).expect(1);
    assert!(busy.stderr.contains("another run is writing a bundle to"), "{}", busy.stderr);
    assert!(is_writing(folder.path()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_writing(folder.path()), "nobody can clean up then");
    convert_tiny(&out, &[]).expect(0);
    assert_eq!(names(folder.path()), ["made"]);
}

/// A picture without any order in it, so that its overlay is a large file.
fn large_picture(path: &Path, side_px: u32) {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    image::RgbImage::from_fn(side_px, side_px, |_, _| image::Rgb([next(), next(), next()])).save(path).unwrap();
}

#[test]
fn a_result_that_is_being_written_when_the_run_is_stopped_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (image, out) = (folder.path().join("a.png"), folder.path().join("out"));
    large_picture(&image, 3000);
    for _ in 0..10 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
        command.args(["predict", "--bundle", &bundle(), "--object", "brain", "--out", &text(&out), &text(&image)]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        wait_for(&mut child, || out.is_dir() && !names(&out).is_empty());
        send(&child, "-TERM");
        let status = child.wait().unwrap();
        if status.signal() == Some(15) && names(&out).is_empty() {
            return;
        }
        // The run was quicker than the signal; then the result is whole.
        assert_eq!(names(&out), ["a.overlay.png"]);
        image::open(out.join("a.overlay.png")).unwrap();
        fs::remove_dir_all(&out).unwrap();
    }
    panic!("the runs ended before they could be stopped");
}

#[test]
fn a_full_disk_leaves_no_half_results() {
    let folder = tempfile::tempdir().unwrap();
    let (image, out) = (folder.path().join("large.png"), folder.path().join("out"));
    large_picture(&image, 1200);
    let (bundle, small) = (bundle(), tiny("input_rgb.png"));
    let words =
        ["predict", "--bundle", &bundle, "--object", "brain", "--npy", "--out", &text(&out), &text(&image), &small];
    // No file may grow beyond 1 or 2 MB, as the shell counts; writing more is an error then.
    let limited = "trap '' XFSZ; ulimit -f 2000; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, "sh", env!("CARGO_BIN_EXE_mvfa")]).args(words);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("large.overlay.png") && said.lines().count() == 1, "{said}");
    assert_eq!(names(&out), ["input_rgb.overlay.png", "input_rgb.zero.npy"], "the others go on");
}
