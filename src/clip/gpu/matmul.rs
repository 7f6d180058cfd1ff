//! Matrix product with what follows it in a block: bias, activation, layer scale, residual.
//!
//! In: rows `[rows, inner]`, a weight `[inner, cols]`. Out: `[rows, cols]`. A workgroup makes one
//! tile of the result; its invocations hold `tile.rows_each × tile.cols_each` values each in
//! registers, and may also share the inner axis among `tile.splits` teams whose sums are joined at
//! the end, which fills a device when there are few tiles.

use std::fmt::Write;

use burn_wgpu::CubeTensor;

use super::kernel::{Kernel, declare, empty_like};

/// What happens to the sum before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Epilogue {
    /// `+ bias`
    Bias,
    /// `gelu(· + bias)`
    Gelu,
    /// `x · σ(1.702 x)` of `· + bias`
    QuickGelu,
    /// `residual + (· + bias)`
    Residual,
    /// `residual + scale · (· + bias)`
    ScaledResidual,
}

/// How the work is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    rows: usize,
    cols: usize,
    /// Inner values a team takes at a time; a multiple of 4.
    inner: usize,
    rows_each: usize,
    /// A multiple of 4.
    cols_each: usize,
    splits: usize,
}

impl Tile {
    fn workgroup(&self) -> [usize; 3] {
        [self.cols / self.cols_each, self.rows / self.rows_each, self.splits]
    }

    fn fits(&self, inner: usize, cols: usize) -> bool {
        let threads = self.workgroup().iter().product::<usize>();
        let step = self.inner * self.splits;
        cols.is_multiple_of(self.cols)
            && inner.is_multiple_of(step)
            && (self.rows * step / 4).is_multiple_of(threads)
            && (step * self.cols / 4).is_multiple_of(threads)
    }
}

/// For many results a row: tiles enough to fill a device.
const WIDE: Tile = Tile { rows: 64, cols: 64, inner: 16, rows_each: 8, cols_each: 4, splits: 1 };
/// For few results from a long inner axis: smaller tiles, and two teams on each.
const NARROW: Tile = Tile { rows: 32, cols: 64, inner: 16, rows_each: 8, cols_each: 4, splits: 2 };
/// For the smallest models.
const SMALL: Tile = Tile { rows: 32, cols: 32, inner: 16, rows_each: 4, cols_each: 4, splits: 1 };

/// The shader for one size.
#[derive(Clone, Debug)]
pub(crate) struct Matmul {
    kernel: Kernel,
    tile: Tile,
    cols: usize,
    epilogue: Epilogue,
}

impl Matmul {
    /// None where no tile fits `inner` and `cols`.
    pub(crate) fn new(rows: usize, inner: usize, cols: usize, epilogue: Epilogue) -> Option<Self> {
        let tile = choose(inner, cols)?;
        let key = format!("matmul {rows} {inner} {cols} {epilogue:?} {tile:?}");
        let kernel = Kernel::new(key, text(tile, rows, inner, cols, epilogue), tile.workgroup().map(|n| n as u32));
        Some(Self { kernel, tile, cols, epilogue })
    }

    /// x `[batch, tokens, inner]`, weight `[inner, cols]`, bias `[cols]`; residual
    /// `[batch, tokens, cols]` and scale `[cols]` where the epilogue names them
    /// → `[batch, tokens, cols]`
    pub(crate) fn launch(
        &self,
        x: &CubeTensor,
        weight: &CubeTensor,
        bias: &CubeTensor,
        (residual, scale): (&CubeTensor, Option<&CubeTensor>),
        [batch, tokens]: [usize; 2],
    ) -> CubeTensor {
        let out = empty_like(x, [batch, tokens, self.cols]);
        let mut buffers = vec![x, weight, bias];
        if matches!(self.epilogue, Epilogue::Residual | Epilogue::ScaledResidual) {
            buffers.push(residual);
        }
        buffers.extend(scale.filter(|_| self.epilogue == Epilogue::ScaledResidual));
        buffers.push(&out);
        let groups = [self.cols / self.tile.cols, (batch * tokens).div_ceil(self.tile.rows), 1];
        self.kernel.launch(groups.map(|n| n as u32), &buffers);
        out
    }
}

/// Whether a product over `inner` with `cols` results has a tile.
pub(crate) fn is_supported(inner: usize, cols: usize) -> bool {
    choose(inner, cols).is_some()
}

fn choose(inner: usize, cols: usize) -> Option<Tile> {
    let first = if cols > inner { WIDE } else { NARROW };
    [first, WIDE, SMALL].into_iter().find(|tile| tile.fits(inner, cols))
}

fn text(tile: Tile, rows: usize, inner: usize, cols: usize, epilogue: Epilogue) -> String {
    let [threads_x, threads_y, splits] = tile.workgroup();
    let threads = threads_x * threads_y * splits;
    let step = tile.inner * splits;
    let (inner4, cols4, step4, tile4) = (inner / 4, cols / 4, step / 4, tile.cols / 4);
    let vectors_each = tile.cols_each / 4;
    let pitch = step4 + 1;

    let mut buffers = vec![("x", "vec4<f32>"), ("weight", "vec4<f32>"), ("bias", "vec4<f32>")];
    if matches!(epilogue, Epilogue::Residual | Epilogue::ScaledResidual) {
        buffers.push(("residual", "vec4<f32>"));
    }
    if epilogue == Epilogue::ScaledResidual {
        buffers.push(("scale", "vec4<f32>"));
    }
    buffers.push(("result", "vec4<f32>"));

    // Values on their way from the buffers to the tiles, one step ahead of the arithmetic.
    let from_x = tile.rows * step4 / threads;
    let from_w = step * tile4 / threads;
    let (mut declare_next, mut load, mut keep) = (String::new(), String::new(), String::new());
    for n in 0..from_x {
        let i = format!("(lane + {}u)", n * threads);
        // Rows past the last repeat it; what comes of them is not stored.
        let _ = writeln!(
            declare_next,
            "    let at_x{n} = min(group.y * {tr}u + {i} / {step4}u, {last}u) * {inner4}u + {i} % {step4}u;\n    var next_x{n} = x[at_x{n}];",
            tr = tile.rows,
            last = rows - 1,
        );
        let _ = writeln!(load, "            next_x{n} = x[at_x{n} + (k + {step}u) / 4u];");
        let _ = writeln!(keep, "        tile_x[{i} / {step4}u * {pitch}u + {i} % {step4}u] = next_x{n};");
    }
    for n in 0..from_w {
        let i = format!("(lane + {}u)", n * threads);
        let _ = writeln!(
            declare_next,
            "    let at_w{n} = {i} / {tile4}u * {cols4}u + group.x * {tile4}u + {i} % {tile4}u;\n    var next_w{n} = weight[at_w{n}];"
        );
        let _ = writeln!(load, "            next_w{n} = weight[at_w{n} + (k + {step}u) * {cols4}u];");
        let _ = writeln!(keep, "        tile_w[{i}] = next_w{n};");
    }

    let each = |line: &dyn Fn(usize, usize) -> String| -> String {
        (0..tile.rows_each).flat_map(|r| (0..vectors_each).map(move |c| (r, c))).map(|(r, c)| line(r, c)).collect()
    };
    let sums = each(&|r, c| format!("    var s{r}_{c} = vec4<f32>();\n"));
    let mut inner_loop = String::new();
    for r in 0..tile.rows_each {
        let _ = writeln!(
            inner_loop,
            "            let x{r} = tile_x[(local.y + {}u) * {pitch}u + local.z * {}u + q];",
            r * threads_y,
            tile.inner / 4
        );
    }
    for (lane, name) in ["x", "y", "z", "w"].into_iter().enumerate() {
        for c in 0..vectors_each {
            let _ = writeln!(
                inner_loop,
                "            let w{lane}_{c} = tile_w[(local.z * {}u + q * 4u + {lane}u) * {tile4}u + local.x + {}u];",
                tile.inner,
                c * threads_x
            );
        }
        for r in 0..tile.rows_each {
            for c in 0..vectors_each {
                let _ =
                    writeln!(inner_loop, "            s{r}_{c} = fma(vec4<f32>(x{r}.{name}), w{lane}_{c}, s{r}_{c});");
            }
        }
    }
    // The teams' sums, through the memory of the weight's tile.
    let mut join = String::new();
    if splits > 1 {
        let slot =
            |r: usize, c: usize| format!("(local.y + {}u) * {tile4}u + local.x + {}u", r * threads_y, c * threads_x);
        let give = each(&|r, c| format!("            tile_w[{}] = s{r}_{c};\n", slot(r, c)));
        let take = each(&|r, c| format!("            s{r}_{c} = s{r}_{c} + tile_w[{}];\n", slot(r, c)));
        let _ = write!(
            join,
            "    for (var team = 1u; team < {splits}u; team = team + 1u) {{
        if (local.z == team) {{
{give}        }}
        workgroupBarrier();
        if (local.z == 0u) {{
{take}        }}
        workgroupBarrier();
    }}
"
        );
    }
    let mut store = String::new();
    for r in 0..tile.rows_each {
        let _ = writeln!(store, "    if (local.z == 0u && row + {}u < {rows}u) {{", r * threads_y);
        for c in 0..vectors_each {
            let col = format!("(col + {}u)", c * threads_x);
            let at = format!("(row + {}u) * {cols4}u + {col}", r * threads_y);
            let value = format!("s{r}_{c} + bias[{col}]");
            let value = match epilogue {
                Epilogue::Bias => value,
                Epilogue::Gelu | Epilogue::QuickGelu => format!("activation({value})"),
                Epilogue::Residual => format!("residual[{at}] + ({value})"),
                Epilogue::ScaledResidual => format!("residual[{at}] + scale[{col}] * ({value})"),
            };
            let _ = writeln!(store, "        result[{at}] = {value};");
        }
        store.push_str("    }\n");
    }
    let shared_w = if splits > 1 { (step * tile4).max(tile.rows * tile4) } else { step * tile4 };
    format!(
        "{buffers}
var<workgroup> tile_x: array<vec4<f32>, {shared_x}>;
var<workgroup> tile_w: array<vec4<f32>, {shared_w}>;
{activation}
@compute @workgroup_size({threads_x}, {threads_y}, {splits})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {{
{declare_next}{sums}
    for (var k = 0u; k < {inner}u; k = k + {step}u) {{
{keep}        workgroupBarrier();
        if (k + {step}u < {inner}u) {{
{load}        }}
        for (var q = 0u; q < {quads}u; q = q + 1u) {{
{inner_loop}        }}
        workgroupBarrier();
    }}
{join}    let row = group.y * {tile_rows}u + local.y;
    let col = group.x * {tile4}u + local.x;
{store}}}
",
        buffers = declare(&buffers),
        shared_x = tile.rows * pitch,
        quads = tile.inner / 4,
        tile_rows = tile.rows,
        activation = activation(epilogue),
    )
}

fn activation(epilogue: Epilogue) -> &'static str {
    match epilogue {
        // erf after Abramowitz and Stegun 7.1.26, off by at most 1.5e-7.
        Epilogue::Gelu => {
            "
fn activation(x: vec4<f32>) -> vec4<f32> {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return 0.5 * x * (1.0 + sign(x) * (1.0 - p * exp(-z * z)));
}
"
        }
        Epilogue::QuickGelu => {
            "
fn activation(x: vec4<f32>) -> vec4<f32> {
    return x / (1.0 + exp(min(-1.702 * x, vec4<f32>(80.0))));
}
"
        }
        Epilogue::Bias | Epilogue::Residual | Epilogue::ScaledResidual => "",
    }
}
