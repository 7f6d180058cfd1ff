//! What to race, from the command line.
//!
//! Comes in: the words after `bench`. Goes out: [`Options`]. Fails with the words that are known.

use anyhow::{Context, Result, bail};

use super::models::{GEOMETRIES, Geometry};

/// Runs after the first picture, where nothing else is asked for.
const RUNS: usize = 7;
/// Fresh starts of both programs, each with a first picture.
const LAUNCHES: usize = 7;
/// On the graphics tier: a software adapter needs a minute a picture.
const GPU_LAUNCHES: usize = 1;

/// Stands among the tiers on the command line: the memory of few-shot instead of the encoder.
const MEMORY: &str = "memory";

/// Where programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The browser's processor, one thread.
    Cpu,
    /// WebGPU in the browser.
    Gpu,
    /// This machine without a browser.
    Native,
}

impl Tier {
    /// The name on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Native => "native",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        [Self::Cpu, Self::Gpu, Self::Native]
            .into_iter()
            .find(|tier| tier.name() == name)
            .with_context(|| format!("--tier takes cpu, gpu, native and memory, found {name:?}"))
    }
}

/// What to race.
#[derive(Debug)]
pub struct Options {
    pub(super) geometries: Vec<&'static Geometry>,
    pub(super) tiers: Vec<Tier>,
    pub(super) runs: usize,
    pub(super) launches: Option<usize>,
    pub(super) dev: bool,
    /// What it costs to search many references.
    pub(super) memory: bool,
    /// The figures on standard output instead of the table.
    pub json: bool,
}

impl Options {
    /// Reads the words after `bench`.
    pub fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            geometries: GEOMETRIES.iter().collect(),
            tiers: vec![Tier::Cpu, Tier::Native],
            runs: RUNS,
            launches: None,
            dev: false,
            memory: true,
            json: false,
        };
        let mut gpu = false;
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--gpu" => gpu = true,
                "--json" => options.json = true,
                "--dev" => options.dev = true,
                "--runs" => options.runs = count(word, value()?)?,
                "--launches" => options.launches = Some(count(word, value()?)?),
                "--tier" => {
                    let (memory, tiers): (Vec<_>, Vec<_>) = value()?.split(',').partition(|name| *name == MEMORY);
                    options.memory = !memory.is_empty();
                    options.tiers = tiers.into_iter().map(Tier::parse).collect::<Result<_>>()?;
                }
                "--only" => options.geometries = value()?.split(',').map(Geometry::named).collect::<Result<_>>()?,
                _ => bail!("unknown argument {word:?}; cargo xtask help lists what there is"),
            }
        }
        if gpu && !options.tiers.contains(&Tier::Gpu) {
            options.tiers.push(Tier::Gpu);
        }
        Ok(options)
    }

    /// Fresh starts on a tier.
    pub(super) fn launches_on(&self, tier: Tier) -> usize {
        self.launches.unwrap_or(if tier == Tier::Gpu { GPU_LAUNCHES } else { LAUNCHES })
    }
}

fn count(name: &str, value: &str) -> Result<usize> {
    match value.parse() {
        Ok(0) | Err(_) => bail!("{name} needs a number from 1 upwards, found {value:?}"),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn one_geometry_and_tier_can_be_run_alone() {
        let options = parse("--only vit-b --tier gpu --runs 2 --json").unwrap();
        assert_eq!(options.geometries.iter().map(|g| g.name).collect::<Vec<_>>(), ["vit-b"]);
        assert_eq!((options.tiers.as_slice(), options.runs, options.json), ([Tier::Gpu].as_slice(), 2, true));
        assert_eq!((options.launches_on(Tier::Gpu), options.launches_on(Tier::Cpu)), (1, 7));
        assert!(!options.memory && parse("--tier memory").unwrap().tiers.is_empty());
        let options = parse("--gpu --launches 3").unwrap();
        assert_eq!(options.tiers, [Tier::Cpu, Tier::Native, Tier::Gpu]);
        assert_eq!((options.geometries.len(), options.launches_on(Tier::Gpu)), (3, 3));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in ["--runs 0", "--runs", "--only vit-x", "--tier tpu", "--fast"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
