//! Anomalies put into normal pictures, for users without masks of real ones.
//!
//! Comes in: a normal picture, another one to take material from, random numbers. Goes out: the
//! picture with one or two anomalies, or with none, and the mask of what changed. Cannot fail.
//! The tasks follow MediCLIP (MICCAI 2024); sizes are close to its ranges.

mod cut_paste;
mod intensity;
mod region;
mod warp;

use rand::{Rng, RngExt};

use crate::image::Planes;
use region::changed;

/// What is done to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A piece of another picture is pasted in.
    CutPaste,
    /// Smooth blobs make a place brighter or darker.
    Intensity,
    /// A place is blown up from its centre.
    Warp,
    /// Nothing: a model must also learn what normal looks like.
    Identity,
}

impl Task {
    /// All of them; each is as likely as the others.
    pub const ALL: [Self; 4] = [Self::CutPaste, Self::Intensity, Self::Warp, Self::Identity];
}

/// A picture with a synthetic anomaly.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthetic {
    /// Pixels, `[3, side, side]` in 0..1.
    pub planes: Planes,
    /// 1 where changed, else 0, `[side, side]`.
    pub mask: Vec<u8>,
    /// What was done.
    pub task: Task,
}

/// Puts an anomaly into `normal`, or leaves it as it is.
pub fn synthesize(normal: &Planes, other: &Planes, rng: &mut impl Rng) -> Synthetic {
    let task = Task::ALL[rng.random_range(0..Task::ALL.len())];
    apply(task, normal, other, rng)
}

fn apply(task: Task, normal: &Planes, other: &Planes, rng: &mut impl Rng) -> Synthetic {
    let area = normal.side_px * normal.side_px;
    let mut made = Synthetic { planes: normal.clone(), mask: vec![0; area], task };
    if task == Task::Identity {
        return made;
    }
    for _ in 0..rng.random_range(1..=2) {
        let before = made.planes.clone();
        let region = match task {
            Task::CutPaste => cut_paste::apply(&mut made.planes, other, rng),
            Task::Intensity => intensity::apply(&mut made.planes, rng),
            Task::Warp | Task::Identity => warp::apply(&mut made.planes, rng),
        };
        let changed = changed(&before, &made.planes, &region);
        made.mask.iter_mut().zip(changed).for_each(|(m, c)| *m |= c);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    /// A textured disc on black.
    fn body(phase: f32) -> Planes {
        let side_px = 96;
        let pixel = |i: usize| {
            let (x, y) = ((i % side_px) as f32 - 48.0, (i / side_px) as f32 - 48.0);
            if x.hypot(y) > 40.0 { 0.0 } else { 0.5 + 0.2 * (x * 0.4 + phase).sin() * (y * 0.3).cos() }
        };
        let plane: Vec<f32> = (0..side_px * side_px).map(pixel).collect();
        Planes { side_px, values: plane.repeat(3) }
    }

    fn made(task: Task, seed: u64) -> Synthetic {
        apply(task, &body(0.0), &body(1.0), &mut Pcg64::seed_from_u64(seed))
    }

    #[test]
    fn the_same_numbers_give_the_same_picture() {
        for task in Task::ALL {
            assert_eq!(made(task, 3), made(task, 3));
        }
        assert_ne!(made(Task::CutPaste, 3).planes, made(Task::CutPaste, 4).planes);
    }

    #[test]
    fn identity_changes_nothing() {
        let one = made(Task::Identity, 1);
        assert_eq!((one.planes, one.mask.contains(&1)), (body(0.0), false));
    }

    #[test]
    fn each_task_marks_what_it_changed() {
        for task in [Task::CutPaste, Task::Intensity, Task::Warp] {
            let mut marked = 0;
            for seed in 0..20 {
                let one = made(task, seed);
                let before = body(0.0);
                let area = one.mask.len();
                let difference = |i: usize| (one.planes.values[i] - before.values[i]).abs();
                // Beyond the mask there is at most what a soft edge leaves, and grey stays grey.
                let stray = (0..area).filter(|i| one.mask[*i] == 0 && difference(*i) > 0.1).count();
                assert!(stray < area / 50, "{task:?} {seed}: {stray} pixels changed beyond the mask");
                assert!((0..area).all(|i| one.planes.values[i] == one.planes.values[i + area]));
                assert!(one.planes.values.iter().all(|v| (0.0..=1.0).contains(v)));
                let hits = one.mask.iter().filter(|m| **m == 1).count();
                assert!(hits < area * 3 / 4, "{task:?} {seed}");
                marked += usize::from(hits > 20);
            }
            assert!(marked >= 16, "{task:?}: only {marked} of 20 pictures have an anomaly");
        }
    }

    #[test]
    fn all_tasks_come_up() {
        let mut rng = Pcg64::seed_from_u64(1);
        let mut seen = [0; 4];
        for _ in 0..60 {
            let one = synthesize(&body(0.0), &body(1.0), &mut rng);
            seen[Task::ALL.iter().position(|t| *t == one.task).unwrap()] += 1;
        }
        assert!(seen.iter().all(|n| *n > 4), "{seen:?}");
    }
}
