//! Runs that are stopped, and what they leave behind.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::tools::{bundle, convert_tiny, mvfa, names, text, tiny};

fn send(child: &Child, signal: &str) {
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
}

/// Waits until something is there; false where the process ended first.
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

#[test]
fn results_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (folder.path().join("scans"), folder.path().join("out"));
    fs::create_dir(&scans).unwrap();
    for n in 0..300 {
        fs::copy(tiny("input_rgb.png"), scans.join(format!("{n:03}.png"))).unwrap();
    }
    let whole = folder.path().join("whole");
    let fixed = ["predict", "--bundle", &bundle(), "--object", "brain", "--npy", "--out"].map(str::to_owned);
    mvfa(fixed.iter().cloned().chain([text(&whole), text(&scans.join("000.png"))])).expect(0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(&fixed).arg(&out).arg(&scans).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    assert!(wait_for(&mut child, || out.is_dir() && names(&out).len() > 20), "it ended before it could be stopped");
    send(&child, "-TERM");
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    let left = names(&out);
    assert!(left.len() < 600, "all was done");
    for name in left {
        let (_, kind) = name.split_once('.').unwrap();
        assert!(["overlay.png", "zero.npy"].contains(&kind), "{name}");
        assert!(fs::read(out.join(&name)).unwrap() == fs::read(whole.join(format!("000.{kind}"))).unwrap(), "{name}");
    }
}
