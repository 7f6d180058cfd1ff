//! Medical files: what `info` says of them, and `predict` on one frame.

use std::path::Path;

use crate::tools::{bundle, mvfa};

fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/tests/files").join(name).display().to_string()
}

#[test]
fn info_describes_a_series_without_the_patient() {
    let path = sample("dicom/pydicom/CT_small.dcm");
    let answer = mvfa(["info", "--json", path.as_str()]).expect(0);
    // Planted by the sample's makers: name, identifier, dates of birth and study.
    for secret in ["CompressedSamples", "1CT1", "20040119", "JFK IMAGING"] {
        assert!(!answer.stdout.contains(secret), "{secret} is in {}", answer.stdout);
    }
    let series = &answer.json_lines()[0];
    assert_eq!(
        (&series["format"], &series["modality"], &series["units"]),
        (&"DICOM".into(), &"CT".into(), &"HU".into())
    );
    assert_eq!((&series["width"], &series["height"], &series["frames"]), (&128.into(), &128.into(), &1.into()));
    assert_eq!(series["pixel_spacing_mm"], serde_json::json!([0.661468, 0.661468]));
    let path = sample("nifti/anatomical.nii");
    let answer = mvfa(["info", path.as_str()]).expect(0);
    assert!(answer.stdout.contains("NIfTI, 25 frames") && answer.stdout.contains("axial"), "{}", answer.stdout);
}

#[test]
fn predict_takes_a_frame_of_dicom_and_a_slice_of_a_volume() {
    let bundle = bundle();
    let predict = |more: &[&str]| {
        mvfa(["predict", "--bundle", &bundle, "--object", "brain", "--mode", "zero", "--json"].iter().chain(more))
    };
    let (frames, volume) = (sample("dicom/dcm_qa_enh/6_1.dcm"), sample("nifti/anatomical.nii"));
    let first = &predict(&[frames.as_str()]).expect(0).json_lines()[0];
    assert_eq!((&first["width"], &first["height"]), (&64.into(), &64.into()));
    let same = &predict(&["--frame", "1", frames.as_str()]).expect(0).json_lines()[0];
    let other = &predict(&["--frame", "4", frames.as_str()]).expect(0).json_lines()[0];
    assert_eq!(first["score"], same["score"]);
    assert_ne!(first["score"], other["score"]);
    let slice = &predict(&["--slice", "13", volume.as_str()]).expect(0).json_lines()[0];
    assert_eq!((&slice["width"], &slice["height"]), (&33.into(), &41.into()));
    let middle = &predict(&[volume.as_str()]).expect(0).json_lines()[0];
    assert_eq!(slice["score"], middle["score"]);
    let answer = predict(&["--frame", "7", frames.as_str()]).expect(1);
    assert!(answer.stderr.contains("there is no frame 7: the file has 6; choose 1 to 6"), "{}", answer.stderr);
}
