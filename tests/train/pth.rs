//! `adapters.pth`: read back here, and by PyTorch, if present.

use std::path::Path;
use std::process::Command;

use mvfa_web::bundle::manifest::Group;
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Weights, open_cpu};

use crate::common::fixture;
use crate::tools::{Place, done, mvfa, text};

/// Names, shapes and values of a bundle's adapters.
fn adapters(folder: &Path) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let bundle = BundleFolder::open(folder).unwrap();
    let device = open_cpu("test").device;
    let mut weights = Weights::load(&bundle, &[Group::Adapters], &device).unwrap();
    let tensors = bundle.manifest().files.iter().filter(|f| f.group == Group::Adapters).flat_map(|f| &f.tensors);
    tensors
        .map(|t| {
            let shape = [t.shape[0], t.shape[1]];
            let values = weights.take(&t.name, shape).unwrap().into_data().try_to_vec().unwrap();
            (t.name.clone(), shape.to_vec(), values)
        })
        .collect()
}

#[test]
fn trained_adapters_read_back_are_those_of_the_bundle() {
    let place = Place::new();
    done(&mut place.train("out", &["--epochs", "1"]));
    let pth = place.path("out").join("adapters.pth");
    let back = place.path("back");
    let clip = fixture("reference/tiny/openclip_state_dict.pt");
    let mut convert = mvfa(&["convert", "--size", "70", "--levels", "1,2,3,4", "--heads", "2", "--dtype", "f32"]);
    done(convert.args(["--clip", text(&clip), "--adapters", text(&pth), "--out", text(&back)]));
    let trained = adapters(&place.path("out"));
    assert_eq!(trained.len(), 16);
    assert!(trained == adapters(&back), "the adapters differ");
    assert!(trained != adapters(&place.bundle), "nothing was learned");
    torch_reads(&pth, &trained);
}

/// Prints one line a matrix: name, rows, columns, sum, first and last value.
const SCRIPT: &str = "
import sys, torch
for bank, tensors in torch.load(sys.argv[1], weights_only=True).items():
    for name, t in tensors.items():
        print(bank, name, *t.shape, t.double().sum().item(), t.flatten()[0].item(), t.flatten()[-1].item())
";

fn torch_reads(pth: &Path, expected: &[(String, Vec<usize>, Vec<f32>)]) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", "import torch"]).output();
    let missing = match &probe {
        Err(error) => Some(format!("{python} does not start: {error}")),
        Ok(probe) if !probe.status.success() => {
            let said = String::from_utf8_lossy(&probe.stderr);
            Some(said.lines().last().unwrap_or("it says nothing").to_owned())
        }
        Ok(_) => None,
    };
    if let Some(reason) = missing {
        println!("not checked with PyTorch: {reason} (PYTHON names another interpreter)");
        return;
    }
    let output = done(Command::new(&python).args(["-c", SCRIPT, text(pth)]));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), expected.len(), "{printed}");
    for (name, shape, values) in expected {
        let parts: Vec<&str> = name.split('.').collect();
        let start = format!("{}_adapters {}.{}.0.weight {} {} ", parts[1], parts[2], parts[3], shape[0], shape[1]);
        let line = printed.lines().find_map(|line| line.strip_prefix(&start));
        let line = line.unwrap_or_else(|| panic!("no line begins with {start:?} in\n{printed}"));
        let found: Vec<f64> = line.split(' ').map(|v| v.parse().unwrap()).collect();
        let sum: f64 = values.iter().map(|v| f64::from(*v)).sum();
        let wanted = [sum, f64::from(values[0]), f64::from(values[values.len() - 1])];
        assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{name}: {found:?} {wanted:?}");
    }
    println!("PyTorch read {} matrices", expected.len());
}
