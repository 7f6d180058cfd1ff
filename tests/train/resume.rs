//! Runs that were cut off: killed, other settings, a full disk.

use std::fs;

use crate::tools::{Place, done, refused, stderr};

/// The line that a run says when it goes on from a saved state.
fn going_on((epochs, pictures): (u64, u64)) -> String {
    format!("going on in epoch {} of", epochs + 1) + &format!("|after {pictures} of its")
}

#[track_caller]
fn assert_goes_on(said: &str, saved: (u64, u64)) {
    assert!(going_on(saved).split('|').all(|part| said.contains(part)), "{saved:?} in\n{said}");
}

/// Kills a run twice, within an epoch after so many others, and compares its end with the run that was
/// left alone.
fn killed_and_whole(place: &Place, more: &[&str], moments: [u64; 2]) {
    done(&mut place.train("whole", more));
    let log = place.path("log");
    let mut within_an_epoch = 0;
    for epochs in moments {
        let before = place.saved("cut");
        assert!(place.cut("cut", more, epochs, &log), "the run ended before it could be killed");
        if let Some(saved) = before {
            assert_goes_on(&fs::read_to_string(&log).unwrap(), saved);
        }
        let saved = place.saved("cut").unwrap();
        println!("killed after {} epochs and {} pictures", saved.0, saved.1);
        // Between the look at the state and the kill an epoch may have ended.
        within_an_epoch += usize::from(saved.1 > 0);
    }
    assert!(within_an_epoch > 0);
    let saved = place.saved("cut").unwrap();
    let last = done(&mut place.train("cut", more));
    assert_goes_on(&stderr(&last), saved);
    assert!(place.tensors("whole") == place.tensors("cut"), "the weights differ");
    let [whole, cut] = ["whole", "cut"].map(|out| place.record(out));
    for field in ["curves", "best", "data", "pictures", "selected_on"] {
        assert_eq!(whole[field], cut[field], "{field}");
    }
    assert!(!place.path("cut.training").exists(), "a finished run cleans up");
}

#[test]
fn a_run_that_was_killed_ends_as_one_that_was_not() {
    killed_and_whole(&Place::new(), &["--epochs", "12", "--select-every", "4", "--save-every", "0"], [0, 5]);
}

#[test]
fn a_run_with_new_words_and_batches_goes_on_too() {
    let more = ["--epochs", "3", "--select-every", "1", "--save-every", "0", "--new-words", "--batch", "3"];
    killed_and_whole(&Place::new(), &more, [0, 1]);
}

/// Slices of volumes lie in another temporary folder each time.
#[test]
fn a_run_on_volumes_goes_on_too_and_notices_another_volume() {
    let place = Place::of_volumes();
    killed_and_whole(&place, &["--epochs", "6", "--select-every", "2", "--save-every", "0"], [0, 2]);

    let common = ["--epochs", "4", "--save-every", "0"];
    assert!(place.cut("other", &common, 0, &place.path("log")));
    let file = place.files("valid/good/img").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    let header = bytes.windows(6).position(|part| part == b"LOCAL\n").unwrap() + 6;
    bytes[header..].iter_mut().for_each(|value| *value = 255 - *value);
    fs::write(&file, bytes).unwrap();
    let said = refused(&mut place.train("other", &common));
    assert!(said.contains("has other contents") && said.contains("healthy slice"), "{said}");
    assert!(said.contains(&place.data.display().to_string()), "the data set is named, not a temporary folder: {said}");
}

#[test]
fn other_settings_do_not_go_on_with_a_run() {
    let place = Place::new();
    let common = ["--epochs", "4", "--save-every", "0"];
    assert!(place.cut("out", &common, 0, &place.path("log")));
    let other: [(&[&str], &str); 3] =
        [(&["--new-words"], "new_words"), (&["--lr", "0.01"], "learning_rate"), (&["--batch", "2"], "batch")];
    for (more, field) in other {
        let said = refused(&mut place.train("out", &[&common, more].concat()));
        assert!(said.contains(&format!("{field} differs")) && said.contains("remove the folder"), "{said}");
        assert!(!place.path("out").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_state_and_the_run_goes_on_when_there_is_room() {
    use std::process::Command;

    let place = Place::new();
    // A text tower that learns along makes the state larger than everything else.
    let more = ["--epochs", "2", "--save-every", "0", "--new-words"];
    done(&mut place.train("whole", &more));
    assert!(place.cut("cut", &more, 0, &place.path("log")));
    let state = place.state("cut", "state.safetensors");
    let before = fs::read(&state).unwrap();
    assert!(before.len() > 4_000_000, "{} bytes would fit", before.len());

    let full = place.train("cut", &more);
    // No file may grow beyond 1 or 2 MB, as the shell counts; writing more is an error then.
    let limited = "trap '' XFSZ; ulimit -f 2000; exec \"$@\"";
    let said = refused(Command::new("sh").args(["-c", limited, "sh"]).arg(full.get_program()).args(full.get_args()));
    assert!(said.contains("still there") && said.contains("run the same command again"), "{said}");
    assert!(fs::read(&state).unwrap() == before, "the state changed");
    let left = fs::read_dir(state.parent().unwrap()).unwrap().map(|e| e.unwrap().path());
    assert_eq!(left.filter(|f| f.extension().is_some_and(|e| e == "unfinished")).count(), 0);
    assert!(!place.path("cut").exists());

    let last = done(&mut place.train("cut", &more));
    assert!(stderr(&last).contains("going on in epoch"), "{}", stderr(&last));
    assert!(place.tensors("whole") == place.tensors("cut"), "the weights differ");
}
