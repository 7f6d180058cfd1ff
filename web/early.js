/**
 * What cannot wait for the rest of the program: the site's own description is asked for while the other modules are on their
 * way, and an embedded view (`?embed`) loses the page's frame before it is painted.
 */

/** Longer than this nobody waits for a description; the page has defaults. */
export const PATIENCE_MS = 10_000;

/** @typedef {{status: number, type: string, text: string} | {failed: Error}} Answer */

/** The page is shown as one case inside another page. */
export const isEmbedded = new URLSearchParams(location.search).has("embed");
if (isEmbedded) document.documentElement.dataset.embed = "";

/** @returns {Promise<Answer>} */
async function ask() {
  try {
    // A person edits the file and reloads: no copy of the browser's is good enough without a question.
    const response = await fetch("site.json", { cache: "no-cache", signal: AbortSignal.timeout?.(PATIENCE_MS) });
    return { status: response.status, type: response.headers.get("Content-Type") ?? "", text: response.ok ? await response.text() : "" };
  } catch (error) {
    return { failed: error };
  }
}

/** What the host answered for site.json; never rejects. */
export const siteFile = location.protocol === "file:" ? Promise.resolve({ status: 404, type: "", text: "" }) : ask();
