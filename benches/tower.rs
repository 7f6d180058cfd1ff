//! Time of one picture through the frozen blocks of a tower, natively.
//!
//! `cargo bench --bench tower -- --geometry vit-l --device gpu` prints the first and the median time,
//! and how far the result is from the plain operations of the same device. Weights are formulas:
//! what they are makes no difference to the time.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use half::f16;
use mvfa_web::bundle::config::{Activation, Family, VisionConfig};
use mvfa_web::bundle::{ScaledRows, TensorPart, Values};
use mvfa_web::clip::vision::VisionTower;
use mvfa_web::compute::{Kernels, OpenDevice, Weights, open_cpu, open_gpu};

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Geometry {
    Tiny,
    VitS,
    VitB,
    VitL,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum DeviceName {
    Cpu,
    Gpu,
}

/// How linear weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Dtype {
    F32,
    F16,
    I8,
}

#[derive(Parser)]
struct Args {
    /// Tower to build
    #[arg(long, value_enum, default_value = "vit-s")]
    geometry: Geometry,
    /// Side of the picture
    #[arg(long, default_value_t = 240)]
    size_px: usize,
    /// Blocks of the tower [default: those of the paper's last level]
    #[arg(long)]
    blocks: Option<usize>,
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// How linear weights are stored
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Dtype,
    /// 32-bit arithmetic, also where the graphics device has 16-bit floats in shaders
    #[arg(long)]
    f32_arithmetic: bool,
    /// Timed runs after the first
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Burn's own operations instead of the fast blocks
    #[arg(long)]
    plain: bool,
    /// Leave the comparison with the plain blocks out
    #[arg(long)]
    no_check: bool,
    /// Cargo adds this
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    pollster::block_on(run(&args))
}

async fn run(args: &Args) -> Result<()> {
    let config = config(args)?;
    let open = match args.device {
        DeviceName::Cpu => open_cpu("asked for"),
        DeviceName::Gpu => open_gpu().await?,
    };
    let kind = match open.kernels() {
        _ if args.plain => Kernels::Plain,
        Kernels::Gpu16 if args.f32_arithmetic => Kernels::Gpu,
        kind => kind,
    };
    println!(
        "{:?} at {} px, {} blocks, {} tokens, {:?} weights, {:?} on {}",
        args.geometry,
        args.size_px,
        config.layers,
        config.tokens(),
        args.dtype,
        kind,
        open.name
    );
    let side = args.size_px;
    let pixels: Vec<f32> = formula(7, 3 * side * side, 1.0);
    let tower = tower(&config, args.dtype, &open, kind)?;
    let encode = async |tower: &VisionTower| -> Result<Vec<f32>> {
        let mut walk = tower.start(pixels.clone());
        while walk.block() {}
        walk.rows()
            .into_data_async()
            .await
            .context("the device gave no answer")?
            .try_into_vec::<f32>()
            .context("not f32")
    };
    let start = Instant::now();
    let answer = encode(&tower).await?;
    let first_ms = start.elapsed().as_secs_f64() * 1e3;
    let mut times_ms = Vec::new();
    for _ in 0..args.runs {
        let start = Instant::now();
        let again = encode(&tower).await?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        if again != answer {
            bail!("the device gave two answers for one picture");
        }
    }
    times_ms.sort_by(f64::total_cmp);
    let median_ms = times_ms.get(times_ms.len() / 2).copied().unwrap_or(f64::NAN);
    let flop = flop(&config);
    println!(
        "first {first_ms:.1} ms, then median {median_ms:.2} ms ({:.2} to {:.2}), {:.2} TFLOP/s",
        times_ms.first().unwrap_or(&f64::NAN),
        times_ms.last().unwrap_or(&f64::NAN),
        flop / median_ms / 1e9
    );
    if !args.no_check && kind != Kernels::Plain {
        drop(tower);
        let plain = encode(&self::tower(&config, args.dtype, &open, Kernels::Plain)?).await?;
        let largest = plain.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let off = answer.iter().zip(&plain).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
        println!("furthest from the plain blocks: {:.1e} of the largest value", off / largest);
        let allowed = if kind == Kernels::Gpu16 { 2e-2 } else { 1e-3 };
        if off.is_nan() || off > allowed * largest {
            bail!("the fast blocks are wrong");
        }
    }
    Ok(())
}

fn config(args: &Args) -> Result<VisionConfig> {
    let (width, heads, layers, patch_px) = match args.geometry {
        Geometry::Tiny => (64, 4, 4, 14),
        Geometry::VitS => (384, 6, 11, 14),
        Geometry::VitB => (768, 12, 12, 16),
        Geometry::VitL => (1024, 16, 24, 14),
    };
    let clip = args.geometry == Geometry::VitB || args.geometry == Geometry::VitL;
    Ok(VisionConfig {
        family: if clip { Family::Clip } else { Family::Dinov2 },
        image_px: args.size_px,
        patch_px,
        width,
        heads,
        layers: args.blocks.unwrap_or(layers),
        mlp_width: 4 * width,
        activation: if clip { Activation::QuickGelu } else { Activation::Gelu },
        pre_norm: clip,
        patch_bias: !clip,
        registers: 0,
        layer_scale: !clip,
        norm_eps: 1e-5,
        levels: vec![args.blocks.unwrap_or(layers)],
    })
}

/// Multiplications and additions of the blocks, for one picture.
fn flop(config: &VisionConfig) -> f64 {
    let (tokens, width, mlp) = (config.tokens() as f64, config.width as f64, config.mlp_width as f64);
    config.layers as f64 * 2.0 * (tokens * width * (4.0 * width + 2.0 * mlp) + 2.0 * tokens * tokens * width)
}

fn tower(config: &VisionConfig, dtype: Dtype, open: &OpenDevice, kind: Kernels) -> Result<VisionTower> {
    let mut weights = Weights::on(&open.device);
    let width = config.width;
    let mut add = |name: String, shape: &[usize], scale: f32, base: f32| -> Result<()> {
        let seed = name.bytes().fold(17_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
        let values: Vec<f32> = formula(seed, shape.iter().product(), scale).into_iter().map(|v| base + v).collect();
        let values = if shape.len() == 2 { stored(values, shape, dtype) } else { Values::F32(values) };
        Ok(weights.insert(TensorPart::whole(name, shape.to_vec(), values))?)
    };
    let fan = |inputs: usize| (inputs as f32).powf(-0.5) * 1.7;
    let patch = 3 * config.patch_px * config.patch_px;
    add("vision.patch.weight".into(), &[width, patch], fan(patch), 0.0)?;
    if config.patch_bias {
        add("vision.patch.bias".into(), &[width], 0.1, 0.0)?;
    }
    add("vision.class_embedding".into(), &[width], 0.5, 0.0)?;
    add("vision.position_embedding".into(), &[config.tokens(), width], 0.5, 0.0)?;
    if config.pre_norm {
        add("vision.ln_pre.weight".into(), &[width], 0.1, 1.0)?;
        add("vision.ln_pre.bias".into(), &[width], 0.1, 0.0)?;
    }
    for block in 0..config.layers {
        let at = |leaf: &str| format!("vision.blocks.{block}.{leaf}");
        for norm in ["ln1", "ln2"] {
            add(at(&format!("{norm}.weight")), &[width], 0.1, 1.0)?;
            add(at(&format!("{norm}.bias")), &[width], 0.1, 0.0)?;
        }
        for (layer, outputs, inputs) in [
            ("attn.qkv", 3 * width, width),
            ("attn.out", width, width),
            ("mlp.fc1", config.mlp_width, width),
            ("mlp.fc2", width, config.mlp_width),
        ] {
            add(at(&format!("{layer}.weight")), &[outputs, inputs], fan(inputs), 0.0)?;
            add(at(&format!("{layer}.bias")), &[outputs], 0.1, 0.0)?;
        }
        if config.layer_scale {
            add(at("ls1"), &[width], 0.1, 0.5)?;
            add(at("ls2"), &[width], 0.1, 0.5)?;
        }
    }
    Ok(VisionTower::take(&mut weights, config, kind, open.runner)?)
}

fn stored(values: Vec<f32>, shape: &[usize], dtype: Dtype) -> Values {
    match dtype {
        Dtype::F32 => Values::F32(values),
        Dtype::F16 => Values::F16(values.into_iter().map(f16::from_f32).collect()),
        Dtype::I8 => {
            let rows = values.chunks_exact(shape[1]);
            let scales: Vec<f32> =
                rows.clone().map(|row| row.iter().fold(0.0_f32, |m, v| m.max(v.abs())) / 127.0).collect();
            let integers = rows.zip(&scales).flat_map(|(row, scale)| row.iter().map(move |v| (v / scale) as i8));
            Values::I8(ScaledRows { integers: integers.collect(), scales })
        }
    }
}

/// Evenly spread values in `-scale..scale`.
fn formula(seed: u32, count: usize, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state as f32 / u32::MAX as f32 * 2.0 - 1.0) * scale
        })
        .collect()
}
