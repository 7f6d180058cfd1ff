import { chromium } from "playwright-core";
import { writeFileSync, readFileSync } from "node:fs";
const url = process.argv[2]; const out = process.argv[3];
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--headless=new","--no-sandbox","--disable-quic","--disable-background-networking","--disable-features=WebGPU,WebGPUService"] });
for (let r=0;r<3;r++){
const c = await b.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } });
const p = await c.newPage();
await p.addInitScript(() => { globalThis.lt=[]; new PerformanceObserver((l)=>{for(const e of l.getEntries()) lt.push([Math.round(e.startTime),Math.round(e.duration),document.querySelector("main")?.dataset.state])}).observe({type:"longtask",buffered:true}); });
if(r==2) await b.startTracing(p, { path: out, categories: ["devtools.timeline","v8.execute","disabled-by-default-devtools.timeline","disabled-by-default-v8.cpu_profiler","toplevel","blink"] });
await p.goto(url); await p.waitForSelector("main[data-state=ready]",{timeout:120000}); await p.waitForTimeout(1000);
if(r==2) await b.stopTracing();
console.log(JSON.stringify(await p.evaluate(()=>lt)));
await c.close(); }
await b.close();
const ev = JSON.parse(readFileSync(out)).traceEvents;
const main = ev.find(e=>e.name==="thread_name"&&e.args.name==="CrRendererMain");
const mains = new Set(ev.filter(e=>e.name==="thread_name"&&e.args.name==="CrRendererMain").map(e=>e.pid+":"+e.tid));
const tasks = ev.filter(e=>mains.has(e.pid+":"+e.tid)&&e.dur>30000&&/RunTask|Task/.test(e.name)&&e.ph==="X").sort((a,b)=>b.dur-a.dur).slice(0,4);
for(const t of tasks){ console.log("TASK",t.name,(t.dur/1000).toFixed(1)); for(const e of ev.filter(e=>e.pid===t.pid&&e.tid===t.tid&&e.ph==="X"&&e.ts>=t.ts&&e.ts+e.dur<=t.ts+t.dur+1&&e.dur>4000&&e!==t).sort((a,b)=>a.ts-b.ts)) console.log("   ",e.name,(e.dur/1000).toFixed(1),((e.ts-t.ts)/1000).toFixed(1),JSON.stringify(e.args).slice(0,160)); }
