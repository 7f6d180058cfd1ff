/**
 * onnxruntime-web in a module worker of its own, as our engine is in one: both pay for their messages.
 *
 * Comes in: {op: "open", build, graph, provider} once, then {op: "run", pixels, side}. Goes out: {value} or {error}.
 */
/** @type {any} */
let ort = null;
/** @type {any} */
let session = null;

const ops = {
  async open({ build, graph, provider }) {
    ort = await import(build);
    ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
    ort.env.wasm.numThreads = 1;
    const response = await fetch(graph);
    if (!response.ok) throw new Error(`${graph}: ${response.status}`);
    const model = new Uint8Array(await response.arrayBuffer());
    session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
  },
  async run({ pixels, side }) {
    const answer = await session.run({ pixels: new ort.Tensor("float32", pixels, [1, 3, side, side]) });
    return Promise.all(session.outputNames.map((name) => answer[name].getData()));
  },
};

self.onmessage = async ({ data }) => {
  try {
    const value = await ops[data.op](data);
    // As ours: a whole buffer is handed over, a view of a larger one is copied.
    const whole = (value ?? []).filter((level) => level.byteLength === level.buffer.byteLength);
    self.postMessage({ value }, whole.map((level) => level.buffer));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
