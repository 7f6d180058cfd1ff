// The memory of a program that runs in a worker: how large it is, and a trap on purpose. Nothing of the page or the package
// is told.

/** Goes behind a worker's script: keeps the memory of the program that it starts. */
const KEEP = `
{
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...values) => {
    const made = await instantiate.apply(WebAssembly, values);
    globalThis.programMemory ??= (made.instance ?? made).exports.memory;
    return made;
  };
}
`;

/** For `prepare` of `withPage`. @param {import("playwright-core").BrowserContext} context */
export const withMemory = (context) =>
  context.route(/\/pkg\/(formats-)?worker\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()) + KEEP });
  });

/** Memory of the program, which never shrinks; 0 if none has started. @param {import("playwright-core").Worker} worker */
export const programBytes = (worker) => worker.evaluate(() => globalThis.programMemory?.buffer.byteLength ?? 0);

/** Fills the memory with nonsense: the program's next step is a trap. @param {import("playwright-core").Worker} worker */
export const breakProgram = (worker) => worker.evaluate(() => void new Uint8Array(globalThis.programMemory.buffer).fill(0xff));
