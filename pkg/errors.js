/**
 * Errors as every part of the package makes them: `name` shows who can act, the message ends in a next step.
 */

/**
 * Makes an error that crossed (or should look as if it crossed) the worker border.
 * @param {string} name AbortError, ImageError, ModelError, DeviceError or UsageError
 * @param {string} message what happened and what to do
 * @returns {Error}
 */
export function makeError(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** @param {AbortSignal} signal that was aborted @returns {Error} the caller's own reason, if one was given */
export function stopped({ reason }) {
  return reason instanceof Error && reason.name !== "AbortError"
    ? reason
    : makeError("AbortError", "Stopped on request. Start it again when you want it.");
}

/**
 * Lets a wait be given up.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>} rejects as soon as the signal is aborted
 */
export function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped(signal));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
