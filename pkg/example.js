import { Opener, Session, startUnderPagePolicy } from "./index.js";

const [normal, picture, answer, view] = ["normal", "picture", "answer", "view"].map((id) => document.getElementById(id));
const startWorker = () => startUnderPagePolicy(new URL("./worker.js", import.meta.url));
const startDecoder = () => startUnderPagePolicy(new URL("./formats-worker.js", import.meta.url));
const opener = Opener.start({ startWorker: startDecoder });
const session = await Session.open("../models/default/manifest.json", { startWorker, opener });
normal.onchange = async () => { for (const file of normal.files) await session.addSupport(file); };
picture.onchange = async () => {
  const result = await session.analyse(picture.files[0], { object: session.info.objects[0].id, mode: "few", augment: "none" });
  const { overlay, size, mapMin: lo, mapMax: hi } = result;
  const { rgba } = await session.render(overlay, size, { lo, hi, threshold: lo, colourMap: "inferno" });
  view.width = view.height = size;
  view.getContext("2d")?.putImageData(new ImageData(rgba, size, size), 0, 0);
  answer.value = `Score ${result.score.toFixed(2)} on ${result.device}`;
};
