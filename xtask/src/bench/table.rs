//! From times to rows: medians, spread, ratios, and whether both computed the same.
//!
//! Comes in: races that were run. Goes out: rows for people and for JSON, and complaints.

use serde::Serialize;

use super::race::{Contender, Program, Race, Weights};

/// Both sum in f32, in different orders.
const F32_APART_AT_MOST: f64 = 1e-3;
/// Of the root mean square: how much worse than the peer's our 8-bit outputs may be.
const I8_TIMES_THE_PEER: f64 = 2.0;

/// Times of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Times {
    /// Milliseconds.
    pub median: f64,
    /// Milliseconds.
    pub lowest: f64,
    /// Milliseconds.
    pub highest: f64,
    /// How many.
    pub count: usize,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub geometry: String,
    pub tier: String,
    pub weights: Weights,
    pub what: &'static str,
    pub ours: Times,
    pub peer: Times,
    /// Of the medians.
    pub ratio: f64,
    /// Of our median to the peer's in 32-bit floats.
    pub ratio_to_f32: f64,
    /// Of the lowest times, which other work on the machine disturbs least.
    pub ratio_of_lowest: f64,
}

impl Times {
    /// `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |n: usize| sorted.get(n).copied();
        let median = (at(sorted.len().checked_sub(1)? / 2)? + at(sorted.len() / 2)?) / 2.0;
        Some(Self { median, lowest: *sorted.first()?, highest: *sorted.last()?, count: sorted.len() })
    }

    /// For people.
    pub fn text(&self) -> String {
        let digits = usize::from(self.median < 100.0);
        let Self { median, lowest, highest, count } = self;
        match count {
            1 => format!("{median:.digits$} ms"),
            _ => format!("{median:.digits$} ms ({lowest:.digits$} to {highest:.digits$})"),
        }
    }
}

/// All rows of a race.
pub fn rows(race: &Race) -> Vec<Row> {
    let mut rows = Vec::new();
    for weights in [Weights::F32, Weights::I8] {
        for (what, pick) in KINDS {
            let times = |program, weights| race.contender(program, weights).and_then(|c| Times::of(&pick(c)));
            let (ours, peer) = (times(Program::Ours, weights), times(Program::Peer, weights));
            let (Some(ours), Some(peer), Some(f32)) = (ours, peer, times(Program::Peer, Weights::F32)) else {
                continue;
            };
            rows.push(Row {
                geometry: race.geometry.clone(),
                tier: race.tier.clone(),
                weights,
                what,
                ours,
                peer,
                ratio: ours.median / peer.median,
                ratio_to_f32: ours.median / f32.median,
                ratio_of_lowest: ours.lowest / peer.lowest,
            });
        }
    }
    rows
}

type Pick = fn(&Contender) -> Vec<f64>;

/// What is timed. A first picture is nothing without the opening before it: pipelines are compiled in one or the
/// other, and ours tests itself before it reports that it is open.
const KINDS: [(&str, Pick); 4] = [
    ("open", |c| c.open_ms.clone()),
    ("first", |c| c.first_ms.clone()),
    ("open + first", |c| c.open_ms.iter().zip(&c.first_ms).map(|(open, first)| open + first).collect()),
    ("warm", |c| c.warm_ms.clone()),
];

/// The table, as people read it.
pub fn print(races: &[Race]) {
    for race in races {
        println!("\n{}; {}, {} launches", race.title, race.tier, race.launches);
        let head = ["ours", "onnxruntime", "ratio", "of lowest", "to its f32"];
        println!("{:<18}{:<32}{:<32}{:>7}{:>11}{:>12}", "", head[0], head[1], head[2], head[3], head[4]);
        for row in rows(race) {
            let name = format!("{} {}", name(row.weights), row.what);
            let (ours, peer) = (row.ours.text(), row.peer.text());
            let ratios = format!("{:>7.2}{:>11.2}{:>12.2}", row.ratio, row.ratio_of_lowest, row.ratio_to_f32);
            println!("{name:<18}{ours:<32}{peer:<32}{ratios}");
        }
        for contender in race.contenders.iter().filter(|c| (c.program, c.weights) != (Program::Peer, Weights::F32)) {
            let levels = |pick: fn(&super::race::Apart) -> f64| {
                contender.apart.iter().map(|a| format!("{:.1e}", pick(a))).collect::<Vec<_>>().join(", ")
            };
            let who = if contender.program == Program::Ours { "ours" } else { "the peer's" };
            let (largest, rms) = (levels(|a| a.largest), levels(|a| a.rms));
            let weights = name(contender.weights);
            println!(
                "{who} in {weights}, by levels, from the peer's f32: at most {largest} of the largest value; rms {rms}"
            );
        }
    }
}

fn name(weights: Weights) -> &'static str {
    match weights {
        Weights::F32 => "f32",
        Weights::I8 => "i8",
    }
}

/// What must be the same and is not.
pub fn complaints(race: &Race) -> Vec<String> {
    let mut found = Vec::new();
    let mut complain = |text: String| found.push(format!("{}, {}: {text}", race.geometry, race.tier));
    let rms = |program| {
        let contender = race.contender(program, Weights::I8);
        // In the order of all floats NaN comes after every number.
        contender.and_then(|c| c.apart.iter().map(|a| a.rms).max_by(f64::total_cmp))
    };
    match race.contender(Program::Ours, Weights::F32) {
        Some(ours) if !ours.apart.is_empty() => {
            for (level, apart) in ours.apart.iter().enumerate() {
                if beyond(apart.largest, F32_APART_AT_MOST) {
                    let far = apart.largest;
                    complain(format!(
                        "level {level} is {far:.1e} of its largest value away, at most {F32_APART_AT_MOST}"
                    ));
                }
            }
        }
        _ => complain("the outputs were not compared".to_owned()),
    }
    if let (Some(ours), Some(peer)) = (rms(Program::Ours), rms(Program::Peer))
        && beyond(ours, I8_TIMES_THE_PEER * peer)
    {
        complain(format!("8-bit outputs are {ours:.1e} away (rms), those of the peer {peer:.1e}"));
    }
    found
}

/// Whether a value is too large, or no number.
fn beyond(value: f64, limit: f64) -> bool {
    value.is_nan() || value > limit
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::race::Apart;
    use super::*;

    fn contender(program: Program, weights: Weights, ms: f64, off: f64) -> Contender {
        Contender {
            program,
            weights,
            model: String::new(),
            graph: String::new(),
            device: String::new(),
            open_ms: vec![ms, 3.0 * ms],
            first_ms: vec![ms, ms],
            warm_ms: vec![ms, 2.0 * ms, 9.0 * ms],
            apart: vec![Apart { largest: off, rms: off }],
        }
    }

    fn race(ours_f32: f64, ours_i8: f64) -> Race {
        use Program::{Ours, Peer};
        Race {
            geometry: "vit-x".to_owned(),
            title: String::new(),
            tier: "cpu".to_owned(),
            threads: 1,
            launches: 2,
            runs: 3,
            warm_ups: 0,
            contenders: vec![
                contender(Ours, Weights::F32, 10.0, ours_f32),
                contender(Peer, Weights::F32, 20.0, 0.0),
                contender(Ours, Weights::I8, 5.0, ours_i8),
                contender(Peer, Weights::I8, 4.0, 0.02),
            ],
        }
    }

    #[test]
    fn ratios_are_of_medians_and_opening_counts_with_the_first_picture() {
        let rows = rows(&race(0.0, 0.0));
        let row = |weights, what| rows.iter().find(|r| r.weights == weights && r.what == what).unwrap();
        let warm = row(Weights::F32, "warm");
        assert_eq!(warm.ours, Times { median: 20.0, lowest: 10.0, highest: 90.0, count: 3 });
        assert_eq!((warm.ratio, warm.ratio_to_f32), (0.5, 0.5));
        assert_eq!(row(Weights::F32, "open + first").ours.median, 30.0);
        let warm = row(Weights::I8, "warm");
        assert_eq!((warm.ratio, warm.ratio_to_f32), (1.25, 0.25));
    }

    #[test]
    fn nobody_is_fast_by_being_wrong() {
        assert_eq!(complaints(&race(1e-6, 0.03)), Vec::<String>::new());
        assert_eq!(complaints(&race(2e-3, 0.03)).len(), 1);
        assert_eq!(complaints(&race(f64::NAN, 0.03)).len(), 1);
        assert_eq!(complaints(&race(1e-6, 0.05)).len(), 1);
        assert_eq!(complaints(&race(1e-6, f64::NAN)).len(), 1);
        let mut silent = race(1e-6, 0.03);
        silent.contenders[0].apart.clear();
        assert_eq!(complaints(&silent).len(), 1);
    }
}
