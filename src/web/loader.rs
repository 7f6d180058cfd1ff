//! Loads a bundle onto a device: a shard is read, checked, handed over, stored for the next visit and
//! dropped, while the next one is being fetched.
//!
//! Comes in: the model's files and the wanted device. Goes out: a loaded engine that passed its self-test.
//! Fails with [`WebError`]: a file that is missing or wrong, a device that is not there or computes
//! wrongly, or a stop on request.

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Response};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Group, MANIFEST_LIMIT_BYTES, Manifest};
use crate::bundle::shard::{check_bytes, visit_tensors};
use crate::compute::{DeviceChoice, DeviceError, OpenDevice, Weights, open_cpu, open_gpu};
use crate::mvfa::Engine;
use crate::web::error::{WebError, describe};
use crate::web::fetch::{Length, failure, read_all};
use crate::web::files::{ModelFiles, OpenedFile};
use crate::web::pacer::{WorkerPacer, now_ms};
use crate::web::{gpu, kernels};

const MANIFEST: &str = "manifest.json";

/// The files that are always loaded; the text tower is for custom prompts only.
pub(crate) fn loaded_files(manifest: &Manifest) -> impl Iterator<Item = &FileEntry> {
    manifest.files.iter().filter(|file| file.group != Group::Text)
}

/// Streams one bundle onto a device, or onto a second one if the first does not work.
pub(crate) struct Loader {
    files: ModelFiles,
    manifest: Manifest,
    on_progress: Function,
    signal: AbortSignal,
}

/// Bytes read so far, of how many.
#[derive(Clone, Copy)]
struct Bytes {
    loaded: u64,
    total: u64,
}

impl Loader {
    /// Reads the manifest.
    pub(crate) async fn new(files: ModelFiles, on_progress: Function, signal: AbortSignal) -> Result<Self, WebError> {
        let answer = files.manifest().await.map_err(|e| failure(MANIFEST, describe(&e), &signal))?;
        let response: Response = answer.unchecked_into();
        let limit = Length::AtMost(MANIFEST_LIMIT_BYTES);
        let bytes = read_all(response.into(), MANIFEST, limit, &signal, |_| {}).await?;
        let manifest = Manifest::parse(&bytes)?;
        Ok(Self { files, manifest, on_progress, signal })
    }

    /// The model on the wanted device; `Auto` falls back to the processor.
    pub(crate) async fn open(&self, choice: DeviceChoice) -> Result<Engine, WebError> {
        let (gpu_open, cpu_reason) = choose(choice).await?;
        let Some(open) = gpu_open else { return self.load(processor(cpu_reason)).await };
        match self.load(open).await {
            Err(WebError::Device(e)) if choice == DeviceChoice::Auto => {
                self.load(processor(format!("WebGPU was tried first: {e}"))).await
            }
            other => other,
        }
    }

    async fn load(&self, open: OpenDevice) -> Result<Engine, WebError> {
        let mut weights = Weights::on(&open.device);
        let mut bytes = Bytes { loaded: 0, total: loaded_files(&self.manifest).map(|f| f.bytes).sum() };
        self.report("model", bytes);
        let mut coming = loaded_files(&self.manifest).peekable();
        while let Some(file) = coming.next() {
            self.shard(file, coming.peek().copied(), bytes, &mut weights, &open).await?;
            bytes.loaded += file.bytes;
        }
        self.report("self-test", bytes);
        let mut engine = Engine::new(self.manifest.clone(), weights, open)?;
        engine.self_test(&mut WorkerPacer::new(&self.on_progress, &self.signal)).await?;
        engine.choose_faster(now_ms);
        Ok(engine)
    }

    /// One shard: from storage if its content is right, else from the server.
    async fn shard(
        &self,
        file: &FileEntry,
        next: Option<&FileEntry>,
        before: Bytes,
        weights: &mut Weights,
        open: &OpenDevice,
    ) -> Result<(), WebError> {
        let opened = self.files.open(&file.path).await.map_err(|e| self.failure(file, &e))?.unchecked_into();
        match self.take(&opened, file, next, before, weights, open).await {
            Err(error) if is_worth_a_second_try(&opened, &error) => {
                let again = self.files.open_again(&file.path).await.map_err(|e| self.failure(file, &e))?;
                self.take(&again.unchecked_into(), file, next, before, weights, open).await
            }
            other => other,
        }
    }

    /// Reads a shard, lets the next one begin, hands the tensors over once the hash is right, keeps the file.
    async fn take(
        &self,
        opened: &OpenedFile,
        file: &FileEntry,
        next: Option<&FileEntry>,
        before: Bytes,
        weights: &mut Weights,
        open: &OpenDevice,
    ) -> Result<(), WebError> {
        let Bytes { loaded, total } = before;
        let on_bytes = |n| self.report("model", Bytes { loaded: loaded + n, total });
        let length = Length::Known(file.bytes);
        let bytes = read_all(opened.response().into(), &file.path, length, &self.signal, on_bytes).await?;
        // Both begun before either is waited for.
        let digest = self.files.sha256(&bytes);
        if let Some(next) = next {
            // Awaited, because the rest holds the thread: a request that has not gone out would wait for it.
            self.files.prepare(&next.path).await.map_err(|e| self.failure(next, &e))?;
        }
        let digest = match digest {
            Some(digest) => JsFuture::from(digest).await.ok().and_then(|digest| digest.as_string()),
            None => None,
        };
        check_bytes(file, &bytes, digest)?;
        visit_tensors(file, &bytes, |part| weights.insert(part))?;
        opened.keep(&bytes);
        // The device queues uploads, values and all, until there are some dozens.
        open.device.flush().map_err(|e| open.lost(e.to_string()))?;
        Ok(())
    }

    fn failure(&self, file: &FileEntry, thrown: &JsValue) -> WebError {
        failure(&file.path, describe(thrown), &self.signal)
    }

    fn report(&self, stage: &str, bytes: Bytes) {
        let Bytes { loaded, total } = bytes;
        let _ = self.on_progress.call3(&JsValue::NULL, &stage.into(), &(loaded as f64).into(), &(total as f64).into());
    }
}

/// Whether the server may have what a store on the way did not: a stored file that is damaged or cannot be
/// read, or an old one in the browser's cache.
fn is_worth_a_second_try(opened: &OpenedFile, error: &WebError) -> bool {
    match error {
        WebError::Model(BundleError::Size { .. } | BundleError::Hash { .. }) => !opened.fresh(),
        WebError::Fetch { .. } => opened.stored(),
        _ => false,
    }
}

/// The processor, with the second module's arithmetic if that is loaded.
fn processor(reason: String) -> OpenDevice {
    OpenDevice { runner: kernels::runner(), ..open_cpu(reason) }
}

/// The GPU if it should be used; otherwise the reason.
async fn choose(choice: DeviceChoice) -> Result<(Option<OpenDevice>, String), WebError> {
    if choice == DeviceChoice::Cpu {
        return Ok((None, "chosen by you".to_owned()));
    }
    let adapter = match gpu::probe().await {
        Ok(adapter) => adapter,
        Err(reason) if choice == DeviceChoice::Auto => return Ok((None, reason)),
        Err(reason) => return Err(DeviceError::NoGpu(reason).into()),
    };
    if choice == DeviceChoice::Auto && adapter.is_software {
        return Ok((None, "the WebGPU adapter is a software one, slower than this tier".to_owned()));
    }
    match open_gpu().await {
        Ok(mut open) => {
            if !adapter.name.is_empty() {
                open.name = adapter.name;
            }
            if choice == DeviceChoice::Gpu {
                open.reason = "chosen by you".to_owned();
            }
            Ok((Some(open), String::new()))
        }
        Err(e) if choice == DeviceChoice::Auto => Ok((None, e.to_string())),
        Err(e) => Err(e.into()),
    }
}
