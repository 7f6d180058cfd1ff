//! Steps that keep the worker responsive: progress out, cancellation in.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{AbortSignal, MessageChannel};

use crate::mvfa::{Cancelled, Pacer, Progress};

/// Reports each step and lets waiting messages be handled before the next.
pub(crate) struct WorkerPacer<'a> {
    on_progress: &'a Function,
    signal: &'a AbortSignal,
}

impl<'a> WorkerPacer<'a> {
    pub(crate) fn new(on_progress: &'a Function, signal: &'a AbortSignal) -> Self {
        Self { on_progress, signal }
    }
}

impl Pacer for WorkerPacer<'_> {
    async fn step(&mut self, progress: Progress) -> Result<(), Cancelled> {
        let (stage, done, total) = (progress.stage.name().into(), progress.done.into(), progress.total.into());
        // A throwing listener is the listener's fault and must not stop the work.
        let _ = self.on_progress.call3(&JsValue::NULL, &stage, &done, &total);
        breathe().await;
        if self.signal.aborted() { Err(Cancelled) } else { Ok(()) }
    }

    async fn wait<T: 'static>(&mut self, work: impl Future<Output = T> + 'static) -> Result<T, Cancelled> {
        if self.signal.aborted() {
            return Err(Cancelled);
        }
        let answer = Rc::new(Cell::new(None));
        let place = answer.clone();
        // Runs to its end in any case: a dropped read would leave its buffer mapped.
        let work = future_to_promise(async move {
            place.set(Some(work.await));
            Ok(JsValue::UNDEFINED)
        });
        let aborted = Promise::new(&mut |resolve, _| self.signal.set_onabort(Some(&resolve)));
        // Neither is ever rejected.
        let _ = JsFuture::from(Promise::race(&Array::of2(&work, &aborted))).await;
        self.signal.set_onabort(None);
        if self.signal.aborted() { Err(Cancelled) } else { answer.take().ok_or(Cancelled) }
    }

    fn now_ms(&self) -> f64 {
        now_ms()
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// Lets tasks that already wait run first. A message to oneself comes after them and costs
/// microseconds; a timer would be held back to 4 ms, `scheduler.yield` would go before messages.
async fn breathe() {
    let Ok(channel) = MessageChannel::new() else { return };
    let answered = Promise::new(&mut |resolve, _| {
        let on_message = Closure::once_into_js(move |_: JsValue| {
            let _ = resolve.call0(&JsValue::NULL);
        });
        channel.port1().set_onmessage(Some(on_message.unchecked_ref()));
        let _ = channel.port2().post_message(&JsValue::NULL);
    });
    let _ = JsFuture::from(answered).await;
    channel.port1().close();
}
