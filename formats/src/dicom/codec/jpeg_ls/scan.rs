//! The samples of a scan: prediction, contexts, Golomb codes and runs (T.87, annex A). Names follow the standard.

use super::bits::BitReader;

/// Contexts of the regular mode; two more are for the sample that ends a run.
const CONTEXTS: usize = 365;

/// Order of the run-length codes (A.7.1.2).
const J: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Coding parameters of a scan (A.2, C.2.4.1.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    max: i32,
    near: i32,
    /// T1, T2, T3
    thresholds: [i32; 3],
    reset: i64,
    range: i32,
    /// Bits of a mapped error.
    qbpp: u32,
    /// Longest Golomb code.
    limit: u32,
}

impl Parameters {
    /// From precision, allowed error and the file's presets (MAXVAL, T1, T2, T3, RESET; 0 is the default).
    pub(super) fn new(bits: u32, near: u32, preset: [u32; 5]) -> Option<Self> {
        let preset = preset.map(u32::cast_signed);
        let top = (1i32 << bits) - 1;
        let max = if preset[0] == 0 { top } else { preset[0] };
        let near = near.cast_signed();
        if max < 1 || max > top || near > max / 2 || near > 255 {
            return None;
        }
        // The standard's CLAMP: what is out of range becomes the lower end.
        let clamp = |value: i32, low: i32| if value > max || value < low { low } else { value };
        let defaults: [i32; 3] = if max >= 128 {
            let factor = (max.min(4095) + 128) / 256;
            [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
        } else {
            let factor = 256 / (max + 1);
            [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
        };
        let mut thresholds = [0; 3];
        let mut low = near + 1;
        for (i, threshold) in thresholds.iter_mut().enumerate() {
            *threshold = if preset[i + 1] == 0 { clamp(defaults[i], low) } else { preset[i + 1] };
            if *threshold < low || *threshold > max.max(low) {
                return None;
            }
            low = *threshold;
        }
        let reset = if preset[4] == 0 { 64 } else { i64::from(preset[4]) };
        if reset < 3 {
            return None;
        }
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let bits_for = |levels: i32| 32 - (levels - 1).cast_unsigned().leading_zeros();
        let bpp = bits_for(max + 1).max(2);
        Some(Self { max, near, thresholds, reset, range, qbpp: bits_for(range), limit: 2 * (bpp + bpp.max(8)) })
    }

    fn quantized(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let size = gradient.abs();
        let level = if size <= self.near {
            0
        } else if size < t1 {
            1
        } else if size < t2 {
            2
        } else if size < t3 {
            3
        } else {
            4
        };
        level * gradient.signum()
    }

    /// The sample of a prediction and an error (A.4.4, A.4.5).
    fn reconstructed(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let mut sample = predicted + error * step;
        if sample < -self.near {
            sample += self.range * step;
        } else if sample > self.max + self.near {
            sample -= self.range * step;
        }
        sample.clamp(0, self.max)
    }
}

/// Statistics of a context.
#[derive(Debug, Clone, Copy)]
struct Context {
    a: i64,
    b: i64,
    c: i32,
    n: i64,
}

/// One scan, row by row.
pub(super) struct Scan<'a> {
    parameters: Parameters,
    bits: BitReader<'a>,
    contexts: Vec<Context>,
    width: usize,
    /// Rows of each component, the one above and this one: a border sample, `width` samples, a border sample.
    above: Vec<Vec<i32>>,
    here: Vec<Vec<i32>>,
    run_index: Vec<usize>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(parameters: Parameters, bits: BitReader<'a>, width: usize, components: usize) -> Self {
        let fresh = Context { a: i64::from((parameters.range + 32) / 64).max(2), b: 0, c: 0, n: 1 };
        let rows = vec![vec![0; width + 2]; components];
        Self {
            parameters,
            bits,
            contexts: vec![fresh; CONTEXTS + 2],
            width,
            above: rows.clone(),
            here: rows,
            run_index: vec![0; components],
        }
    }

    /// The samples of this row.
    pub(super) fn decoded(&self, component: usize) -> impl Iterator<Item = i32> + '_ {
        self.here[component][1..=self.width].iter().copied()
    }

    /// Makes this row the one above.
    pub(super) fn next_row(&mut self) {
        std::mem::swap(&mut self.above, &mut self.here);
    }

    fn borders(&mut self, component: usize) {
        let above = &mut self.above[component];
        above[self.width + 1] = above[self.width];
        self.here[component][0] = above[1];
    }

    /// Ra, Rb, Rc, Rd: left, above, above left, above right.
    fn neighbours(&self, component: usize, x: usize) -> [i32; 4] {
        let (above, here) = (&self.above[component], &self.here[component]);
        [here[x - 1], above[x], above[x - 1], above[x + 1]]
    }

    /// The context's number, signed.
    fn context([a, b, c, d]: [i32; 4], parameters: &Parameters) -> i32 {
        let [q1, q2, q3] = [d - b, b - c, c - a].map(|gradient| parameters.quantized(gradient));
        (q1 * 9 + q2) * 9 + q3
    }

    /// A row of one component.
    pub(super) fn line(&mut self, component: usize) -> Option<()> {
        self.borders(component);
        let mut x = 1;
        while x <= self.width {
            let around = self.neighbours(component, x);
            let context = Self::context(around, &self.parameters);
            if context != 0 {
                self.here[component][x] = self.regular(around, context)?;
                x += 1;
                continue;
            }
            let run = self.run(component, self.width + 1 - x)?;
            self.here[component][x..x + run].fill(around[0]);
            x += run;
            if x <= self.width {
                let [a, b, ..] = self.neighbours(component, x);
                let is_flat = (a - b).abs() <= self.parameters.near;
                self.here[component][x] = self.interruption(component, a, b, is_flat)?;
                self.run_index[component] = self.run_index[component].saturating_sub(1);
                x += 1;
            }
        }
        Some(())
    }

    /// A row of all components, interleaved by sample.
    pub(super) fn pixels(&mut self) -> Option<()> {
        let components = self.here.len();
        (0..components).for_each(|component| self.borders(component));
        let mut x = 1;
        while x <= self.width {
            let contexts = |scan: &Self, c| Self::context(scan.neighbours(c, x), &scan.parameters);
            if (0..components).any(|c| contexts(self, c) != 0) {
                for component in 0..components {
                    let around = self.neighbours(component, x);
                    let context = Self::context(around, &self.parameters);
                    self.here[component][x] = self.regular(around, context)?;
                }
                x += 1;
                continue;
            }
            let run = self.run(0, self.width + 1 - x)?;
            for component in 0..components {
                let value = self.here[component][x - 1];
                self.here[component][x..x + run].fill(value);
            }
            x += run;
            if x <= self.width {
                for component in 0..components {
                    let [a, b, ..] = self.neighbours(component, x);
                    self.here[component][x] = self.interruption(0, a, b, false)?;
                }
                self.run_index[0] = self.run_index[0].saturating_sub(1);
                x += 1;
            }
        }
        Some(())
    }

    /// A Golomb code of order `k`, `limit` bits at most (A.5.3).
    fn golomb(&mut self, k: u32, limit: u32) -> Option<i32> {
        let zeros = self.bits.zeros()?;
        let escape = limit.checked_sub(self.parameters.qbpp + 1)?;
        let code = if zeros < escape {
            (zeros << k | self.bits.read(k)?).cast_signed()
        } else {
            self.bits.read(self.parameters.qbpp)?.cast_signed() + 1
        };
        // No error maps to more: the data is damaged.
        (code <= 2 * self.parameters.range).then_some(code)
    }

    /// A sample in regular mode (A.4 to A.6).
    fn regular(&mut self, [a, b, c, _]: [i32; 4], signed_context: i32) -> Option<i32> {
        let parameters = self.parameters;
        let sign = if signed_context < 0 { -1 } else { 1 };
        let index = signed_context.unsigned_abs() as usize;
        let context = *self.contexts.get(index)?;
        let predicted = if c >= a.max(b) {
            a.min(b)
        } else if c <= a.min(b) {
            a.max(b)
        } else {
            a + b - c
        };
        let predicted = (predicted + sign * context.c).clamp(0, parameters.max);
        let k = order(context.n, context.a)?;
        let mapped = self.golomb(k, parameters.limit)?;
        let is_odd = mapped & 1 == 1;
        let error = if parameters.near == 0 && k == 0 && 2 * context.b <= -context.n {
            if is_odd { (mapped - 1) / 2 } else { -(mapped / 2) - 1 }
        } else if is_odd {
            -((mapped + 1) / 2)
        } else {
            mapped / 2
        };
        let context = &mut self.contexts[index];
        context.b += i64::from(error * (2 * parameters.near + 1));
        context.a += i64::from(error.abs());
        if context.n == parameters.reset {
            context.a >>= 1;
            context.b >>= 1;
            context.n >>= 1;
        }
        context.n += 1;
        if context.b <= -context.n {
            context.b = (context.b + context.n).max(1 - context.n);
            context.c = (context.c - 1).max(-128);
        } else if context.b > 0 {
            context.b = (context.b - context.n).min(0);
            context.c = (context.c + 1).min(127);
        }
        Some(parameters.reconstructed(predicted, sign * error))
    }

    /// Length of a run with `left` samples to the end of the row (A.7.1).
    fn run(&mut self, component: usize, left: usize) -> Option<usize> {
        let mut run = 0;
        while self.bits.read(1)? == 1 {
            let index = &mut self.run_index[component];
            let step = 1usize << J[*index];
            if run + step <= left {
                *index = (*index + 1).min(J.len() - 1);
            }
            run = (run + step).min(left);
            if run == left {
                return Some(run);
            }
        }
        run += self.bits.read(J[self.run_index[component]])? as usize;
        (run <= left).then_some(run)
    }

    /// The sample that ends a run (A.7.2). `is_flat` is the standard's RItype.
    fn interruption(&mut self, component: usize, a: i32, b: i32, is_flat: bool) -> Option<i32> {
        let parameters = self.parameters;
        let kind = i32::from(is_flat);
        let index = CONTEXTS + usize::from(is_flat);
        // `b` counts negative errors here.
        let context = self.contexts[index];
        let k = order(context.n, if is_flat { context.a + (context.n >> 1) } else { context.a })?;
        let limit = parameters.limit.checked_sub(J[self.run_index[component]] + 1)?;
        let mapped = self.golomb(k, limit)?;
        let temp = mapped + kind;
        let map = temp & 1;
        let size = (temp + map) / 2;
        let is_negative = (k != 0 || 2 * context.b >= context.n) == (map == 1);
        let error = if is_negative { -size } else { size };
        let context = &mut self.contexts[index];
        context.b += i64::from(error < 0);
        context.a += i64::from((mapped + 1 - kind) >> 1);
        if context.n == parameters.reset {
            context.a >>= 1;
            context.b >>= 1;
            context.n >>= 1;
        }
        context.n += 1;
        if is_flat {
            return Some(parameters.reconstructed(a, error));
        }
        Some(parameters.reconstructed(b, if a > b { -error } else { error }))
    }
}

/// Smallest `k` with `n << k >= a`.
fn order(n: i64, a: i64) -> Option<u32> {
    (0..24).find(|&k| n << k >= a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_standards() {
        // Table C.3 for 8 bits, and CharLS for 12 and 16.
        let parameters = |bits, near| Parameters::new(bits, near, [0; 5]).unwrap();
        assert_eq!(parameters(8, 0).thresholds, [3, 7, 21]);
        assert_eq!((parameters(8, 0).limit, parameters(8, 0).qbpp), (32, 8));
        assert_eq!(parameters(8, 2).thresholds, [9, 17, 35]);
        assert_eq!(parameters(12, 0).thresholds, [18, 67, 276]);
        assert_eq!((parameters(16, 0).limit, parameters(16, 0).range), (64, 65536));
        assert!(Parameters::new(8, 200, [0; 5]).is_none());
    }
}
