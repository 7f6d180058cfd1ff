// What the worker asks of WebGPU, counted: launches, uploads, reads, buffers and their bytes; and its own memory.

/** Runs in the worker before its own script: counts calls, and tells them to whoever asks. */
const COUNTER = `
const counts = { dispatches: 0, submits: 0, uploads: 0, reads: 0, buffers: 0, pipelines: 0 };
const memory = { gpuBytes: 0, gpuPeakBytes: 0, heapBytes: 0 };
const count = (type, method, name) => {
  const original = type.prototype[method];
  type.prototype[method] = function (...values) {
    counts[name] += 1;
    return original.apply(this, values);
  };
};
count(GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
count(GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches");
count(GPUQueue, "submit", "submits");
count(GPUQueue, "writeBuffer", "uploads");
count(GPUBuffer, "mapAsync", "reads");
count(GPUDevice, "createBuffer", "buffers");
count(GPUDevice, "createComputePipeline", "pipelines");
count(GPUDevice, "createComputePipelineAsync", "pipelines");
// A buffer that nobody holds any more is gone only when the browser collects it: it counts until then.
const collected = new FinalizationRegistry((bytes) => (memory.gpuBytes -= bytes));
const createBuffer = GPUDevice.prototype.createBuffer;
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = createBuffer.call(this, descriptor);
  memory.gpuBytes += descriptor.size;
  memory.gpuPeakBytes = Math.max(memory.gpuPeakBytes, memory.gpuBytes);
  collected.register(buffer, descriptor.size, buffer);
  return buffer;
};
const destroy = GPUBuffer.prototype.destroy;
GPUBuffer.prototype.destroy = function () {
  if (collected.unregister(this)) memory.gpuBytes -= this.size;
  destroy.call(this);
};
// The largest memory is the program's; it never shrinks, so its size is its peak.
const memories = [];
for (const method of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[method];
  WebAssembly[method] = async (...values) => {
    const result = await original.apply(WebAssembly, values);
    memories.push(...Object.values((result.instance ?? result).exports).filter((item) => item instanceof WebAssembly.Memory));
    return result;
  };
}
const heapBytes = () => Math.max(0, ...memories.map(({ buffer }) => buffer.byteLength));
new BroadcastChannel("ask").onmessage = () =>
  new BroadcastChannel("tell").postMessage({ counts, memory: { ...memory, heapBytes: heapBytes() } });
`;

/** Puts the counter into every worker of the context. */
export const countGpu = (context) =>
  context.route("**/pkg/worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: COUNTER + (await response.text()) });
  });

/** @returns {Promise<{counts: Record<string, number>, memory: Record<string, number>}>} */
const asked = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        new BroadcastChannel("tell").onmessage = ({ data }) => resolve(data);
        new BroadcastChannel("ask").postMessage(null);
      }),
  );

/** Calls so far. */
export const gpuCounts = async (page) => (await asked(page)).counts;

/** Bytes of buffers now and at most, and of the program's own memory. */
export const gpuMemory = async (page) => (await asked(page)).memory;
