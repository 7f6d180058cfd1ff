import { openReady, chooseMode, giveFiles, analyse, waitForState } from "./actions.mjs";
import { slice } from "./fixtures.mjs"; import { chromium } from "playwright-core";
const b=await chromium.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox","--headless=new","--disable-features=WebGPU"]});
const out=process.argv[2]??"/tmp/shots"; import {mkdirSync} from "node:fs"; mkdirSync(out,{recursive:true});
for (const [w,h,scheme] of [[1280,800,"light"],[1280,800,"dark"],[390,844,"light"]]) {
  const c=await b.newContext({viewport:{width:w,height:h},colorScheme:scheme,serviceWorkers:"block"}); const p=await c.newPage(); const n=`${out}/${w}-${scheme}`;
  await openReady(p,{device:"cpu"}); await p.screenshot({path:`${n}-0welcome.png`});
  await p.getByTestId("object-select").selectOption("brain");
  await giveFiles(p,"support-input",["brain2_014","brain2_015","brain2_016","brain2_017"].map(slice)); await p.getByTestId("support-item").nth(3).waitFor();
  await giveFiles(p,"file-input",slice("brain1_016")); await analyse(p,60000); await p.waitForTimeout(500); await p.screenshot({path:`${n}-1few.png`});
  await chooseMode(p,"zero"); await analyse(p,60000); await p.waitForTimeout(500); await p.screenshot({path:`${n}-2words.png`,fullPage:w===390});
  await p.evaluate(()=>fetch("web/style.css?x=1")); await p.evaluate(()=>fetch("http://localhost:9/leak?pixels=1",{method:"POST",body:"x"}).catch(()=>{})); await p.waitForTimeout(600);
  await p.getByTestId("requests").click(); await p.waitForTimeout(300); await p.screenshot({path:`${n}-3requests.png`}); await p.keyboard.press("Escape");
  await p.getByTestId("model-info").click(); await p.waitForTimeout(300); await p.screenshot({path:`${n}-4model.png`}); await p.keyboard.press("Escape");
  await c.close();
}
await b.close();
