import { chromium } from "playwright-core";
const [,, url, out, w, h, dark, ...files] = process.argv;
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--headless=new","--no-sandbox","--disable-features=WebGPU,WebGPUService"] });
const c = await b.newContext({ serviceWorkers: "block", viewport: { width: +w, height: +h }, colorScheme: dark === "dark" ? "dark" : "light" });
const p = await c.newPage(); p.on("console", m => m.type() === "error" && console.log("CONSOLE", m.text())); p.on("pageerror", e => console.log("PAGEERROR", e.stack));
await p.goto(url + "?device=cpu"); await p.waitForSelector("main[data-state=ready]", { timeout: 120000 });
if (files.length) { await p.getByTestId("file-input").setInputFiles(files); await p.waitForTimeout(4000); }
console.log(await p.evaluate(() => ({ state: document.querySelector("main").dataset.state, strip: [...document.querySelectorAll(".strip-item")].map(n => n.innerText), msgs: document.getElementById("messages").innerText, bar: document.getElementById("slice-words")?.textContent, note: document.getElementById("viewer-note").textContent, status: document.getElementById("status").textContent })));
await p.screenshot({ path: out }); await b.close();
