//! Functions of single values: exponential and the activations of a block.

use super::lane::F32x4;

/// `e^x` to about one unit in the last place; arguments below -87 count as -87.
#[inline(always)]
pub(crate) fn exp(x: F32x4) -> F32x4 {
    // x = n ln 2 + r with |r| <= ln 2 / 2; adding 1.5 · 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with so few digits that n times it is exact.
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.max(F32x4::splat(-87.0)).min(F32x4::splat(88.0));
    let n = x.mul_add(F32x4::splat(core::f32::consts::LOG2_E), F32x4::splat(ROUND));
    let whole = n.sub(F32x4::splat(ROUND));
    let r = whole.mul_add(F32x4::splat(-LN2_HIGH), x);
    let r = whole.mul_add(F32x4::splat(-LN2_LOW), r);
    // The series to r^7; what is left out is below 6e-9.
    let mut p = F32x4::splat(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p.mul_add(r, F32x4::splat(c));
    }
    p.scale_by_power(n)
}

/// `x · Φ(x)` with the exact error function, as a rational function good to f32.
#[inline(always)]
fn gelu(x: F32x4) -> F32x4 {
    // erf(z) ≈ z · P(z²) / Q(z²) on |z| <= 4, outside of which it is ±1 in f32. The figures are the
    // usual ones for f32 (Eigen and XLA have the same).
    const P: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024_1e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const Q: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329_2e-3, -1.426_473_9e-2];
    let z = x.mul(F32x4::splat(core::f32::consts::FRAC_1_SQRT_2));
    let z = z.max(F32x4::splat(-4.0)).min(F32x4::splat(4.0));
    let square = z.mul(z);
    let mut p = F32x4::splat(P[0]);
    p = p.mul_add(square, F32x4::splat(P[1]));
    p = p.mul_add(square, F32x4::splat(P[2]));
    p = p.mul_add(square, F32x4::splat(P[3]));
    p = p.mul_add(square, F32x4::splat(P[4]));
    p = p.mul_add(square, F32x4::splat(P[5]));
    p = p.mul_add(square, F32x4::splat(P[6]));
    let mut q = F32x4::splat(Q[0]);
    q = q.mul_add(square, F32x4::splat(Q[1]));
    q = q.mul_add(square, F32x4::splat(Q[2]));
    q = q.mul_add(square, F32x4::splat(Q[3]));
    q = q.mul_add(square, F32x4::splat(Q[4]));
    let erf = z.mul(p).div(q);
    let half = x.mul(F32x4::splat(0.5));
    half.mul_add(erf, half)
}

/// `x / (1 + e^(-1.702 x))`
#[inline(always)]
fn quick_gelu(x: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    x.div(exp(x.mul(F32x4::splat(-1.702))).add(one))
}

/// Applies the activation to `count` values in place: 0 is GELU, anything else QuickGELU.
///
/// # Safety
/// `values` holds `count` values, a multiple of four.
pub(crate) unsafe fn activate(values: *mut f32, count: usize, activation: u32) {
    let mut at = 0;
    while at < count {
        // SAFETY: inside by the caller's promise.
        unsafe {
            let x = F32x4::load(values.add(at));
            let y = if activation == 0 { gelu(x) } else { quick_gelu(x) };
            y.store(values.add(at));
        }
        at += F32x4::LANES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(f: impl Fn(F32x4) -> F32x4, x: f32) -> f64 {
        f64::from(f(F32x4::splat(x)).to_array()[2])
    }

    /// The error function by its series, exact to double precision for |x| <= 5.
    fn erf(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    fn points() -> impl Iterator<Item = f32> {
        (-6000..=6000).map(|i| i as f32 * 1e-3)
    }

    #[test]
    fn exp_is_good_to_its_last_places() {
        for x in points().map(|x| x * 14.0) {
            let expected = f64::from(x).exp();
            assert!((applied(exp, x) - expected).abs() <= 3e-7 * expected, "{x}");
        }
        assert!(applied(exp, -1e30) < 1e-37 && applied(exp, f32::MIN) < 1e-37);
    }

    #[test]
    fn gelu_follows_the_error_function() {
        for x in points() {
            let z = f64::from(x);
            let expected = 0.5 * z * (1.0 + erf(z / std::f64::consts::SQRT_2));
            assert!((applied(gelu, x) - expected).abs() <= 4e-7 * z.abs().max(0.1), "{x}: {}", applied(gelu, x));
        }
    }

    #[test]
    fn quick_gelu_follows_the_logistic_function() {
        for x in points() {
            let z = f64::from(x);
            let expected = z / (1.0 + (-1.702 * z).exp());
            assert!((applied(quick_gelu, x) - expected).abs() <= 4e-7 * z.abs().max(0.1), "{x}");
        }
    }
}
