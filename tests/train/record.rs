//! What a run says of itself: JSON lines, training.json, and by what the best epoch was chosen.

use serde_json::Value;

use crate::tools::{Place, done, json_lines, stderr};

#[test]
fn json_lines_carry_losses_places_and_the_time_left() {
    let place = Place::new();
    let lines = json_lines(&done(&mut place.train("out", &["--epochs", "2"])));
    let (last, lines) = lines.split_last().unwrap();
    let steps: Vec<&Value> = lines.iter().filter(|line| line.get("step").is_some()).collect();
    assert!(!steps.is_empty());
    for line in steps {
        for field in ["step", "steps", "epoch", "loss", "focal", "dice", "bce", "eta_s"] {
            assert!(line[field].as_f64().is_some_and(|v| v >= 0.0), "{field} in {line}");
        }
        assert_eq!(line["steps"], 44);
        let sum: f64 = ["focal", "dice", "bce"].iter().map(|f| line[*f].as_f64().unwrap()).sum();
        assert!((sum - line["loss"].as_f64().unwrap()).abs() < 1e-6, "{line}");
    }
    let epochs: Vec<&Value> = lines.iter().filter(|line| line.get("losses").is_some()).collect();
    assert_eq!(epochs.iter().map(|e| e["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert!(epochs.iter().all(|e| e["losses"]["total"].as_f64().is_some_and(|v| v > 0.0)));
    for field in ["bundle", "name", "revision", "best_epoch", "validation", "seconds"] {
        assert!(last.get(field).is_some(), "{field} in {last}");
    }
}

#[test]
fn the_record_holds_data_seed_settings_and_curves() {
    let place = Place::new();
    let settings = ["--epochs", "2", "--seed", "9", "--batch", "4", "--lr", "0.002", "--shots", "2"];
    done(&mut place.train("out", &settings));
    let record = place.record("out");
    assert!(record["program"].as_str().unwrap().starts_with("mvfa "));
    assert_eq!(record["protocol"], "few");
    assert_eq!((&record["seed"], &record["epochs"], &record["batch"]), (&9.into(), &2.into(), &4.into()));
    assert_eq!(record["learning_rate"], 0.002);
    assert_eq!(record["pictures"], 44);
    assert_eq!(record["left_out"], serde_json::json!([]));
    let data = &record["data"][0];
    assert_eq!((&data["object"], &data["folder"]), (&"brain".into(), &"Brain_AD".into()));
    assert_eq!(data["used"], "2 normal and 2 abnormal pictures of the valid folder");
    let files = data["files"].as_array().unwrap();
    assert!(files.len() == 4 && files.iter().all(|f| f.as_str().unwrap().starts_with("synthetic_brain_")));
    assert_eq!(record["selected_on"], "2 normal and 2 abnormal pictures of the valid folder beside the shots");
    assert_eq!(record["curves"].as_array().unwrap().len(), 2);
    assert!(record["best"]["validation"]["pixel_auroc"].as_f64().is_some());
    // The record is published with the model.
    assert!(!record.to_string().contains(place.path("").to_str().unwrap()), "{record}");
}

/// The epoch with the highest score of a record's curves, the later of equals.
fn highest(record: &Value) -> u64 {
    let of = |epoch: &&Value| epoch["validation"]["selection"].as_f64().unwrap();
    let curves = record["curves"].as_array().unwrap();
    curves.iter().max_by(|a, b| of(a).total_cmp(&of(b))).unwrap()["epoch"].as_u64().unwrap()
}

#[test]
fn the_best_epoch_on_valid_is_the_model() {
    let place = Place::new();
    done(&mut place.train("out", &["--epochs", "6", "--select-every", "1", "--lr", "0.02"]));
    let record = place.record("out");
    let best = record["best"]["epoch"].as_u64().unwrap();
    println!("best epoch {best} of {}", record["curves"]);
    assert_eq!(best, highest(&record));
    // Training does not know how long it will go on, so a shorter run ends where that epoch did.
    let epochs = best.to_string();
    done(&mut place.train("short", &["--epochs", &epochs, "--select", "last", "--lr", "0.02"]));
    let pth = |out: &str| std::fs::read(place.path(out).join("adapters.pth")).unwrap();
    assert!(pth("out") == pth("short"), "the model is not that of epoch {best}");
}

#[test]
fn choosing_on_the_test_set_takes_all_of_it_and_is_named() {
    let place = Place::new();
    let output = done(&mut place.train("out", &["--epochs", "2", "--select", "test"]));
    assert!(stderr(&output).contains("figures on them are no test"), "{}", stderr(&output));
    let record = place.record("out");
    let words = "4 normal and 4 abnormal pictures of the test folder, as the released code does: figures on them \
                 are no test";
    assert_eq!(record["selected_on"], words);
    let curves = record["curves"].as_array().unwrap();
    assert!(curves.iter().all(|epoch| epoch["validation"]["image_auroc"].as_f64().is_some()), "{curves:?}");
    assert_eq!(record["best"]["epoch"], highest(&record));
    done(&mut place.train("some", &["--epochs", "1", "--select", "test", "--select-limit", "1"]));
    assert!(place.record("some")["selected_on"].as_str().unwrap().starts_with("1 normal and 1 abnormal pictures"));
}

#[test]
fn without_a_choice_the_last_epoch_is_the_model_and_the_record_says_so() {
    let place = Place::new();
    done(&mut place.train("out", &["--epochs", "2", "--select", "last"]));
    let record = place.record("out");
    assert_eq!((&record["selected_on"], &record["best"]["epoch"]), (&"nothing; it is the last".into(), &2.into()));
    // All pictures of valid are shots: none is left to choose by.
    let output = done(&mut place.train("all", &["--epochs", "2", "--shots", "4"]));
    assert!(stderr(&output).contains("chosen by nothing, for there is no picture"), "{}", stderr(&output));
    assert_eq!(place.record("all")["best"]["epoch"], 2);
}
