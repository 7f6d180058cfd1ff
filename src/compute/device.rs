//! Device tiers: which kind of machine runs the tensors, and why.
//!
//! Comes in: what the user asked for and what the environment offers. Goes out: an [`OpenDevice`].
//! Fails with [`DeviceError`] if the requested device is not available.

use burn::tensor::Device;
use burn_wgpu::wgpu::Features;
use mvfa_kernels::Runner;
use serde::Serialize;
use thiserror::Error;

use crate::compute::Kernels;

/// How tensors are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// WebGPU with 16-bit floats in shaders.
    Gpu16,
    /// WebGPU with 32-bit floats.
    Gpu32,
    /// Vector instructions of the processor.
    Cpu,
}

impl Tier {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpu16 => "gpu16",
            Self::Gpu32 => "gpu32",
            Self::Cpu => "cpu",
        }
    }
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best tier that passes the self-test.
    #[default]
    Auto,
    /// The processor only.
    Cpu,
    /// WebGPU only.
    Gpu,
}

impl std::str::FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" | "" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            other => Err(DeviceError::UnknownChoice(other.to_owned())),
        }
    }
}

/// A device that was opened, with its name and the reason for it.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// The handle burn computes on.
    pub device: Device,
    /// Its tier.
    pub tier: Tier,
    /// Name of the adapter or processor kind.
    pub name: String,
    /// Why this tier was taken.
    pub reason: String,
    /// Runs the processor's blocks with fused arithmetic, where something else than this program does: it is given the
    /// address of a [`BlockCall`](mvfa_kernels::raw::BlockCall).
    pub runner: Option<Runner>,
}

impl OpenDevice {
    /// What frozen towers are computed with here: packed on the one thread a browser tab has. A desktop's
    /// processor has wider vectors and several threads, which burn uses. Bytes are multiplied as bytes
    /// where relaxed SIMD is there, without which it is slower than widening them.
    pub fn kernels(&self) -> Kernels {
        match self.tier {
            Tier::Cpu if !cfg!(target_arch = "wasm32") => Kernels::Plain,
            Tier::Cpu if self.runner.is_some() => Kernels::PackedBytes,
            Tier::Cpu => Kernels::Packed,
            Tier::Gpu32 => Kernels::Gpu,
            Tier::Gpu16 => Kernels::Gpu16,
        }
    }

    /// Whether it is the processor, which the self-test's values come from.
    pub(crate) fn is_processor(&self) -> bool {
        self.tier == Tier::Cpu
    }

    /// Changes from 16-bit to 32-bit arithmetic on the same device, with the reason. False if that changes nothing.
    pub(crate) fn use_f32(&mut self, why: &str) -> bool {
        if self.tier != Tier::Gpu16 {
            return false;
        }
        self.tier = Tier::Gpu32;
        self.reason = format!("{}; 16-bit floats failed the self-test here ({why})", self.reason);
        true
    }

    /// It computes something else than every other device.
    pub(crate) fn failed(&self, reason: String) -> DeviceError {
        DeviceError::SelfTest { tier: self.tier.name(), reason }
    }

    /// It stopped answering.
    pub(crate) fn lost(&self, reason: String) -> DeviceError {
        DeviceError::Lost { tier: self.tier.name(), reason }
    }
}

/// A device that is not available or not usable.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// Not one of the names.
    #[error("unknown device {0:?}; choose auto, cpu or gpu")]
    UnknownChoice(String),
    /// WebGPU was asked for and is not there.
    #[error("no WebGPU device: {0}; choose the cpu device, which gives the same result")]
    NoGpu(String),
    /// It computes something else than every other device.
    #[error("the {tier} device failed its self-test ({reason}); {}", after_self_test(tier))]
    SelfTest {
        /// The tier that failed.
        tier: &'static str,
        /// What differed.
        reason: String,
    },
    /// It stopped answering.
    #[error("the {tier} device stopped: {reason}; try again, or choose the cpu device")]
    Lost {
        /// The tier that stopped.
        tier: &'static str,
        /// The device's message.
        reason: String,
    },
}

/// What to do after a failed self-test. The processor computes right, so there the files are wrong.
fn after_self_test(tier: &str) -> &'static str {
    if tier == Tier::Cpu.name() {
        "the model's files do not belong together; convert the checkpoint again or get a fresh copy"
    } else {
        "choose the cpu device, which gives the same result"
    }
}

/// The processor tier; always there.
pub fn open_cpu(reason: impl Into<String>) -> OpenDevice {
    let name = "processor".to_owned();
    OpenDevice { device: Device::flex(), tier: Tier::Cpu, name, reason: reason.into(), runner: None }
}

/// The best WebGPU tier of the adapter: with 16-bit floats if its shaders have them, which the
/// self-test after loading confirms or takes back. In a browser it may be called once in a worker's life: a second initialisation
/// of the same device is refused.
///
/// # Errors
/// [`DeviceError::NoGpu`] with the runtime's reason.
pub async fn open_gpu() -> Result<OpenDevice, DeviceError> {
    let (device, setup) =
        Device::wgpu_options().init_with_setup_async().await.map_err(|e| DeviceError::NoGpu(e.to_string()))?;
    let info = setup.adapter.get_info();
    let name = if info.name.is_empty() { info.driver } else { info.name };
    let has_f16 = setup.device.features().contains(Features::SHADER_F16);
    let (tier, reason) = if has_f16 {
        (Tier::Gpu16, "WebGPU is available, with 16-bit floats in shaders")
    } else {
        (Tier::Gpu32, "WebGPU is available, without 16-bit floats in shaders")
    };
    Ok(OpenDevice { device, tier, name, reason: reason.to_owned(), runner: None })
}

/// Opens what was asked for; `Auto` takes the processor on the command line, where a graphics
/// driver may be slower to start than the whole analysis.
///
/// # Errors
/// [`DeviceError::NoGpu`].
#[cfg(not(target_arch = "wasm32"))]
pub async fn open(choice: DeviceChoice) -> Result<OpenDevice, DeviceError> {
    match choice {
        DeviceChoice::Gpu => open_gpu().await,
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(open_cpu("the command line's default")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixteen_bits_can_be_given_up() {
        let mut open = OpenDevice { tier: Tier::Gpu16, ..open_cpu("test") };
        assert!(open.use_f32("off by one") && open.reason.contains("off by one"));
        assert_eq!(open.kernels(), Kernels::Gpu);
        assert!(!open.use_f32("again") && !open_cpu("test").use_f32("no"));
    }
}
