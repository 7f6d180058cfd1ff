//! Runs that find other pictures than they began with.

use std::fs;
use std::path::Path;

use crate::tools::{Place, done, refused};

/// All pictures of valid are shots or choose the epoch.
const RUN: [&str; 6] = ["--shots", "2", "--epochs", "3", "--save-every", "0"];

#[test]
fn other_pictures_do_not_go_on_with_a_run() {
    let place = Place::new();
    let (normal, abnormal) = (place.files("valid/good/img"), place.files("valid/Ungood/img"));
    let masks = place.files("valid/Ungood/anomaly_mask");
    let whole_picture = fs::read(&abnormal[1]).unwrap();
    fs::write(&abnormal[1], b"broken").unwrap();
    done(&mut place.train("whole", &RUN));
    assert!(place.cut("cut", &RUN, 0, &place.path("log")));
    let state = fs::read(place.state("cut", "state.safetensors")).unwrap();

    let other = |path: &Path| fs::read(path).unwrap();
    let changes = [
        ("a picture is mended", &abnormal[1], whole_picture),
        ("a picture is replaced", &normal[0], other(&normal[3])),
        ("a mask is replaced", &masks[0], other(&masks[3])),
    ];
    for (what, path, contents) in changes {
        let before = fs::read(path).unwrap();
        fs::write(path, contents).unwrap();
        let said = refused(&mut place.train("cut", &RUN));
        let name = path.file_name().unwrap().to_str().unwrap();
        let words = ["has other contents", "put them back", "remove the folder", name];
        assert!(words.iter().all(|word| said.contains(word)), "{what}: {said}");
        fs::write(path, before).unwrap();
        assert!(fs::read(place.state("cut", "state.safetensors")).unwrap() == state, "{what}: the state changed");
        assert!(!place.path("cut").exists(), "{what}");
    }
    let before = fs::read(&normal[2]).unwrap();
    fs::remove_file(&normal[2]).unwrap();
    let said = refused(&mut place.train("cut", &RUN));
    assert!(said.contains("differs"), "{said}");
    fs::write(&normal[2], before).unwrap();

    done(&mut place.train("cut", &RUN));
    assert!(place.tensors("whole") == place.tensors("cut"), "the weights differ");
}

#[test]
fn tokens_of_another_length_are_not_used() {
    let place = Place::new();
    assert!(place.cut("cut", &RUN, 0, &place.path("log")));
    let tokens = place.state("cut", "tokens.f32");
    let bytes = fs::read(&tokens).unwrap();
    fs::write(&tokens, &bytes[..bytes.len() - 4]).unwrap();
    let said = refused(&mut place.train("cut", &RUN));
    assert!(said.contains("tokens.f32") && said.contains("remove it"), "{said}");
    fs::remove_file(&tokens).unwrap();
    done(&mut place.train("cut", &RUN));
}
