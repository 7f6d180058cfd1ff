//! The text of a linear layer's shader.
//!
//! Comes in: a [`Recipe`]. Goes out: WGSL. Sums live in named vectors, because an indexed array
//! would live in slow memory.

use std::fmt::Write;

use super::kernel::declare;
use super::matmul::{Activation, Arithmetic, OntoKind, Recipe};
use super::matrix::Packing;
use crate::compute::NEGATIVE_SLOPE;

pub(super) fn text(recipe: &Recipe) -> String {
    let Recipe { tile, rows, inner, cols, .. } = *recipe;
    let [threads_x, threads_y, splits] = tile.workgroup();
    let threads = threads_x * threads_y * splits;
    let step = tile.inner * splits;
    let (tile4, pitch) = (tile.cols / 4, step / 4 + 1);
    let (enable, element) = match recipe.arithmetic {
        Arithmetic::F32 => ("", "f32"),
        Arithmetic::F16 => ("enable f16;\n", "f16"),
    };
    let loads = loads(recipe, threads);
    let shared_w = step * tile4;
    let shared_sums = if splits > 1 { tile.rows * tile4 } else { 0 };
    // The teams' sums go through the memory of the weight's tile if that holds the same type.
    let (shared_w, sums_name, sums_memory) = match recipe.arithmetic {
        Arithmetic::F32 => (shared_w.max(shared_sums), "tile_w", String::new()),
        Arithmetic::F16 if splits == 1 => (shared_w, "", String::new()),
        Arithmetic::F16 => (shared_w, "sums", format!("var<workgroup> sums: array<vec4<f32>, {shared_sums}>;\n")),
    };
    format!(
        "{enable}{buffers}
var<workgroup> tile_x: array<vec4<{element}>, {shared_x}>;
var<workgroup> tile_w: array<vec4<{element}>, {shared_w}>;
{sums_memory}{activation}
@compute @workgroup_size({threads_x}, {threads_y}, {splits})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {{
{first}{sums}
    for (var k = 0u; k < {inner}u; k = k + {step}u) {{
{keep}        workgroupBarrier();
        if (k + {step}u < {inner}u) {{
{load}        }}
        for (var q = 0u; q < {quads}u; q = q + 1u) {{
{multiply}        }}
        workgroupBarrier();
    }}
{join}    let row = group.y * {tile_rows}u + local.y;
    let col = group.x * {tile4}u + local.x;
{store}}}
",
        buffers = buffers(recipe),
        shared_x = tile.rows * pitch,
        activation = activation(recipe.activation),
        first = loads.first,
        sums = each(recipe, &|r, c| format!("    var s{r}_{c} = vec4<f32>();\n")),
        keep = loads.keep,
        load = loads.load,
        quads = tile.inner / 4,
        multiply = multiply(recipe, element),
        join = join(recipe, sums_name),
        tile_rows = tile.rows,
        store = store(recipe, rows, cols),
    )
}

fn buffers(recipe: &Recipe) -> String {
    let word = if recipe.packing == Packing::F32 { "vec4<f32>" } else { "vec4<u32>" };
    let mut buffers = vec![("x", "vec4<f32>"), ("weight", word)];
    if recipe.packing == Packing::I8 {
        buffers.push(("weight_scale", "vec4<f32>"));
    }
    if recipe.has_bias {
        buffers.push(("bias", "vec4<f32>"));
    }
    match recipe.onto {
        OntoKind::Nothing => {}
        OntoKind::Residual | OntoKind::Mix(_) => buffers.push(("residual", "vec4<f32>")),
        OntoKind::Scaled => buffers.extend([("residual", "vec4<f32>"), ("scale", "vec4<f32>")]),
    }
    buffers.push(("result", "vec4<f32>"));
    declare(&buffers)
}

/// How values come from the buffers to the tiles, one step ahead of the arithmetic.
#[derive(Default)]
struct Loads {
    /// Before the first step.
    first: String,
    /// Of the next step.
    load: String,
    /// From registers to the tiles.
    keep: String,
}

fn loads(recipe: &Recipe, threads: usize) -> Loads {
    let Recipe { tile, rows, pitch, cols, packing, .. } = *recipe;
    let step = tile.inner * tile.splits;
    let (pitch4, cols4, step4, tile4) = (pitch / 4, cols / 4, step / 4, tile.cols / 4);
    let pitch = step4 + 1;
    let element = if recipe.arithmetic == Arithmetic::F16 { "f16" } else { "f32" };
    let mut text = Loads::default();
    // Writing to a string cannot fail.
    for n in 0..tile.rows * step4 / threads {
        let i = format!("(lane + {}u)", n * threads);
        // Rows past the last repeat it; what comes of them is not stored.
        let _ = writeln!(
            text.first,
            "    let at_x{n} = min(group.y * {tr}u + {i} / {step4}u, {last}u) * {pitch4}u + {i} % {step4}u;\n    var next_x{n} = x[at_x{n}];",
            tr = tile.rows,
            last = rows - 1,
        );
        let _ = writeln!(text.load, "            next_x{n} = x[at_x{n} + (k + {step}u) / 4u];");
        let _ = writeln!(
            text.keep,
            "        tile_x[{i} / {step4}u * {pitch}u + {i} % {step4}u] = vec4<{element}>(next_x{n});"
        );
    }
    let values = packing.values_a_word();
    let words = step / values * tile4;
    for n in 0..words.div_ceil(threads) {
        let i = format!("(lane + {}u)", n * threads);
        // Invocations without a share read the last one's and keep nothing.
        let share = if (n + 1) * threads > words { format!("min({i}, {}u)", words - 1) } else { i.clone() };
        let _ = writeln!(
            text.first,
            "    let at_w{n} = {share} / {tile4}u * {cols4}u + group.x * {tile4}u + {share} % {tile4}u;\n    var next_w{n} = weight[at_w{n}];"
        );
        let _ = writeln!(text.load, "            next_w{n} = weight[at_w{n} + (k + {step}u) / {values}u * {cols4}u];");
        let rows = unpacked(packing, &format!("next_w{n}"));
        let to = |row: usize| format!("tile_w[({i} / {tile4}u * {values}u + {row}u) * {tile4}u + {i} % {tile4}u]");
        let kept: String = rows
            .iter()
            .enumerate()
            .map(|(row, value)| format!("            {} = vec4<{element}>({value});\n", to(row)))
            .collect();
        let condition = if (n + 1) * threads > words { format!("if ({i} < {words}u) ") } else { String::new() };
        let _ = writeln!(text.keep, "        {condition}{{\n{kept}        }}");
    }
    text
}

/// Rows of four outputs that the words `name` hold, as f32.
fn unpacked(packing: Packing, name: &str) -> Vec<String> {
    match packing {
        Packing::F32 => vec![name.to_owned()],
        Packing::F16 => ["x", "y"]
            .map(|half| {
                let lanes = ["x", "y", "z", "w"].map(|lane| format!("unpack2x16float({name}.{lane}).{half}"));
                format!("vec4<f32>({})", lanes.join(", "))
            })
            .to_vec(),
        Packing::I8 => (0..4)
            .map(|n| {
                let up = 24 - 8 * n;
                format!("vec4<f32>(bitcast<vec4<i32>>({name} << vec4<u32>({up}u)) >> vec4<u32>(24u))")
            })
            .collect(),
    }
}

/// One line for every vector of sums that an invocation holds.
fn each(recipe: &Recipe, line: &dyn Fn(usize, usize) -> String) -> String {
    let vectors = recipe.tile.cols_each / 4;
    (0..recipe.tile.rows_each).flat_map(|r| (0..vectors).map(move |c| (r, c))).map(|(r, c)| line(r, c)).collect()
}

/// Four steps along the inner axis.
fn multiply(recipe: &Recipe, element: &str) -> String {
    let tile = recipe.tile;
    let [threads_x, threads_y, splits] = tile.workgroup();
    let (tile4, pitch) = (tile.cols / 4, tile.inner * splits / 4 + 1);
    let mut body = String::new();
    for r in 0..tile.rows_each {
        let at = format!("(local.y + {}u) * {pitch}u + local.z * {}u + q", r * threads_y, tile.inner / 4);
        let _ = writeln!(body, "            let x{r} = tile_x[{at}];");
    }
    for (lane, name) in ["x", "y", "z", "w"].into_iter().enumerate() {
        for c in 0..tile.cols_each / 4 {
            let row = format!("local.z * {}u + q * 4u + {lane}u", tile.inner);
            let at = format!("({row}) * {tile4}u + local.x + {}u", c * threads_x);
            let _ = writeln!(body, "            let w{lane}_{c} = tile_w[{at}];");
        }
        body.push_str(&each(recipe, &|r, c| {
            let x = format!("vec4<{element}>(x{r}.{name})");
            match (recipe.arithmetic, lane) {
                (Arithmetic::F32, _) => format!("            s{r}_{c} = fma({x}, w{lane}_{c}, s{r}_{c});\n"),
                (Arithmetic::F16, 0) => format!("            var h{r}_{c} = {x} * w{lane}_{c};\n"),
                (Arithmetic::F16, _) => format!("            h{r}_{c} = fma({x}, w{lane}_{c}, h{r}_{c});\n"),
            }
        }));
    }
    if recipe.arithmetic == Arithmetic::F16 {
        body.push_str(&each(recipe, &|r, c| format!("            s{r}_{c} = s{r}_{c} + vec4<f32>(h{r}_{c});\n")));
    }
    body
}

/// The sums of all teams, in the first one.
fn join(recipe: &Recipe, memory: &str) -> String {
    let tile = recipe.tile;
    let [threads_x, threads_y, splits] = tile.workgroup();
    if splits == 1 {
        return String::new();
    }
    let slot = |r: usize, c: usize| {
        format!("(local.y + {}u) * {}u + local.x + {}u", r * threads_y, tile.cols / 4, c * threads_x)
    };
    let give = each(recipe, &|r, c| format!("            {memory}[{}] = s{r}_{c};\n", slot(r, c)));
    let take = each(recipe, &|r, c| format!("            s{r}_{c} = s{r}_{c} + {memory}[{}];\n", slot(r, c)));
    format!(
        "    for (var team = 1u; team < {splits}u; team = team + 1u) {{
        if (local.z == team) {{
{give}        }}
        workgroupBarrier();
        if (local.z == 0u) {{
{take}        }}
        workgroupBarrier();
    }}
"
    )
}

fn store(recipe: &Recipe, rows: usize, cols: usize) -> String {
    let [threads_x, threads_y, _] = recipe.tile.workgroup();
    let cols4 = cols / 4;
    let mut store = String::new();
    for r in 0..recipe.tile.rows_each {
        let _ = writeln!(store, "    if (local.z == 0u && row + {}u < {rows}u) {{", r * threads_y);
        for c in 0..recipe.tile.cols_each / 4 {
            let col = format!("(col + {}u)", c * threads_x);
            let at = format!("(row + {}u) * {cols4}u + {col}", r * threads_y);
            let mut value = format!("s{r}_{c}");
            if recipe.packing == Packing::I8 {
                value = format!("{value} * weight_scale[{col}]");
            }
            if recipe.has_bias {
                value = format!("{value} + bias[{col}]");
            }
            if recipe.activation != Activation::None {
                value = format!("activation({value})");
            }
            let value = match recipe.onto {
                OntoKind::Nothing => value,
                OntoKind::Residual => format!("residual[{at}] + ({value})"),
                OntoKind::Scaled => format!("residual[{at}] + scale[{col}] * ({value})"),
                OntoKind::Mix([keep, from]) => format!("{keep:e} * residual[{at}] + {from:e} * ({value})"),
            };
            let _ = writeln!(store, "        result[{at}] = {value};");
        }
        store.push_str("    }\n");
    }
    store
}

fn activation(activation: Activation) -> String {
    match activation {
        // erf after Abramowitz and Stegun 7.1.26, off by at most 1.5e-7.
        Activation::Gelu => "
fn activation(x: vec4<f32>) -> vec4<f32> {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return 0.5 * x * (1.0 + sign(x) * (1.0 - p * exp(-z * z)));
}
"
        .to_owned(),
        Activation::QuickGelu => "
fn activation(x: vec4<f32>) -> vec4<f32> {
    return x / (1.0 + exp(min(-1.702 * x, vec4<f32>(80.0))));
}
"
        .to_owned(),
        Activation::Leaky => format!(
            "
fn activation(x: vec4<f32>) -> vec4<f32> {{
    return max(x, {NEGATIVE_SLOPE} * x);
}}
"
        ),
        Activation::None => String::new(),
    }
}
