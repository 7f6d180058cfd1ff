//! The tensors that are trained, with their optimiser's memory.
//!
//! Comes in: names, shapes and starting values. Goes out: leaves of a gradient tape, and after a
//! step other values. Two tensors never influence each other here, so one Adam with a memory per
//! tensor is the same as the released code's one Adam per bank. Source: spec §6.

use burn::optim::{Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::compute::Weights;

/// The released code's decay rates, and torch's epsilon.
const BETA_1: f32 = 0.5;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// One trained tensor, flattened.
#[derive(Clone)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    value: Tensor<1>,
    adam: Option<AdamState<1>>,
}

/// All trained tensors.
#[derive(Clone)]
pub struct Parameters {
    list: Vec<Parameter>,
    adam: Adam,
    device: Device,
}

/// A tensor as it is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Canonical name.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
    /// Adam's steps and both moments, once there was a step.
    pub adam: Option<(usize, Vec<f32>, Vec<f32>)>,
}

impl Parameters {
    /// No tensors yet.
    pub fn new(device: &Device) -> Self {
        let adam = AdamConfig::new().with_beta_1(BETA_1).with_beta_2(BETA_2).with_epsilon(EPSILON).build();
        Self { list: Vec::new(), adam, device: device.clone() }
    }

    /// Adds a tensor, with the optimiser's memory, if present.
    pub fn add(&mut self, saved: Saved) {
        let tensor = |values: Vec<f32>| -> Tensor<1> {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), &self.device)
        };
        let adam = saved.adam.map(|(time, first, second)| {
            AdamState::new(AdaptiveMomentumState::new(time, tensor(first), tensor(second)))
        });
        let value = tensor(saved.values);
        self.list.push(Parameter { name: saved.name, shape: saved.shape, value, adam });
    }

    /// The tensors as constants, to run the model with.
    pub fn weights(&self) -> Weights {
        self.gather(self.list.iter().map(|p| p.value.clone()))
    }

    /// The tensors as leaves of a new tape.
    pub fn leaves(&self) -> Leaves {
        Leaves(self.list.iter().map(|p| p.value.clone().autodiff().require_grad()).collect())
    }

    /// Leaves under their names.
    pub fn weights_of(&self, leaves: &Leaves) -> Weights {
        self.gather(leaves.0.iter().cloned())
    }

    fn gather(&self, values: impl Iterator<Item = Tensor<1>>) -> Weights {
        let mut weights = Weights::on(&self.device);
        for (parameter, value) in self.list.iter().zip(values) {
            weights.insert_flat(&parameter.name, &parameter.shape, value);
        }
        weights
    }

    /// Names in the order of leaves and gradients.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|p| p.name.as_str())
    }

    /// One step of Adam. A tensor without a gradient stays as it is.
    pub fn step(&mut self, gradients: Vec<Option<Tensor<1>>>, learning_rate: f64) {
        for (parameter, gradient) in self.list.iter_mut().zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let (value, state) =
                self.adam.step(learning_rate, parameter.value.clone(), gradient, parameter.adam.take());
            parameter.value = value;
            parameter.adam = state;
        }
    }

    /// Everything, to be saved.
    ///
    /// # Errors
    /// The device's words when it does not hand back a tensor.
    pub fn save(&self) -> Result<Vec<Saved>, String> {
        let read = |tensor: &Tensor<1>| tensor.clone().try_into_vec_as::<f32>().map_err(|e| e.to_string());
        self.list
            .iter()
            .map(|p| {
                let adam = match &p.adam {
                    Some(AdamState { momentum: m }) => Some((m.time, read(&m.moment_1)?, read(&m.moment_2)?)),
                    None => None,
                };
                Ok(Saved { name: p.name.clone(), shape: p.shape.clone(), values: read(&p.value)?, adam })
            })
            .collect()
    }
}

/// Tensors that a tape watches, in the order of their [`Parameters`].
pub struct Leaves(Vec<Tensor<1>>);

impl Leaves {
    /// Takes each leaf's gradient; `None` if the loss does not depend on it.
    pub fn gradients(&self, gradients: &mut Gradients) -> Vec<Option<Tensor<1>>> {
        self.0.iter().map(|leaf| leaf.grad_remove(gradients)).collect()
    }
}

/// Adds gradients of two pictures, tensor by tensor.
pub fn add_gradients(sum: Vec<Option<Tensor<1>>>, more: Vec<Option<Tensor<1>>>) -> Vec<Option<Tensor<1>>> {
    sum.into_iter()
        .zip(more)
        .map(|pair| match pair {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        })
        .collect()
}
