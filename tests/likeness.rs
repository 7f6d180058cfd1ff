#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
mod common;
use common::{Straight, open_engine};
use mvfa_web::image::{Limits, WindowChoice, decode, resize_bicubic, to_planes};
use mvfa_web::mvfa::{Mode, Stage};
use std::io::Write;
#[test]
fn dump() {
    let Ok(list) = std::env::var("DUMP_LIST") else { return };
    let engine = open_engine(std::path::Path::new("models/default"));
    let mut out = std::fs::File::create(std::env::var("DUMP_OUT").unwrap()).unwrap();
    for line in std::fs::read_to_string(list).unwrap().lines() {
        let (how, path) = line.split_once(' ').unwrap();
        let mut rgb = decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap().to_rgb8(WindowChoice::Auto);
        match how {
            "inv" => rgb.bytes.iter_mut().for_each(|v| *v = 255 - *v),
            "black" => rgb.bytes.fill(0),
            "grey" => rgb.bytes.fill(128),
            "half" => rgb.bytes.iter_mut().for_each(|v| *v /= 2),
            "ud" => rgb.bytes.reverse(),
            _ => {}
        }
        let planes = to_planes(&resize_bicubic(&rgb, 240));
        let f = pollster::block_on(engine.encode(&planes, Mode::Few, Stage::Encode, (0, 1), &mut Straight)).unwrap();
        for level in f.segmentation {
            let [t, d] = level.dims();
            let v: Vec<f32> = level.into_data().try_into_vec().unwrap();
            let unit = |r: &[f32]| { let n = r.iter().map(|x| x * x).sum::<f32>().sqrt(); r.iter().map(|x| x / n).collect::<Vec<f32>>() };
            let class = unit(&v[..d]);
            let mut mean = vec![0.0; d];
            for r in v[d..].chunks_exact(d) { mean.iter_mut().zip(unit(r)).for_each(|(m, x)| *m += x / (t - 1) as f32); }
            for x in class.iter().chain(&mean) { out.write_all(&x.to_le_bytes()).unwrap(); }
        }
    }
}
