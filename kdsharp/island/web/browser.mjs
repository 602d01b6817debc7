// A network on the reader's own photo: her browser computes, the photo stays with her.
import { fill, make } from "./make.mjs";

/** The pieces of a photo, each seen with `overlap` pixels more on every side that has them. */
export function tiles(width, height, { tile, overlap }) {
  const found = [];
  for (let y = 0; y < height; y += tile) {
    for (let x = 0; x < width; x += tile) {
      const top = Math.max(0, y - overlap), left = Math.max(0, x - overlap);
      const bottom = Math.min(height, y + tile + overlap), right = Math.min(width, x + tile + overlap);
      found.push({ top, left, h: bottom - top, w: right - left });
    }
  }
  return found;
}

/** The weight of a row or column of a piece: from 0 to 1 over the overlap, 1 where the photo begins. */
export function fade(at, before, overlap) {
  return before ? Math.min(1, Math.max(0, (at + 0.5 - overlap / 2) / overlap)) : 1;
}

/** The controls; each is found again by its `data-part`. */
function controls(models) {
  const range = (part, options) => make("input", { type: "range", "data-part": part, ...options });
  return [
    make("p", {}, make("b", {}, "Sharpen a photo of yours, on this page")),
    make("p", {}, "Drop a photo here, or ",
      make("label", {}, "choose one: ", make("input", { type: "file", accept: "image/*", "data-part": "file" })), " or ",
      make("button", { type: "button", "data-part": "example" }, "take the example")),
    make("p", {},
      make("label", {}, "network: ", make("select", { "data-part": "model" }, ...models.map((name) => make("option", {}, name)))),
      " ", make("button", { type: "button", "data-part": "again", disabled: true }, "time it")),
    make("p", { role: "status", "aria-live": "polite", "data-part": "status" },
      "Your photo stays on this computer. Nothing is fetched before you choose one."),
    make("p", {},
      make("label", {}, "as it came | sharpened: ", range("split", { min: 0, max: 100, value: 50 })), " ",
      make("label", {}, "strength: ", range("strength", { min: 0, max: 2, step: 0.25, value: 1 }))),
    make("canvas", {
      "data-part": "canvas", role: "img", hidden: true,
      "aria-label": "your photo: as it came left of the line, sharpened right of it",
    }),
  ];
}

function render({ model, el }) {
  const facts = model.get("facts");
  const part = (name) => el.querySelector(`[data-part='${name}']`);
  const say = (text) => { part("status").textContent = text; };
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  fill(el, "browser", ...controls(Object.keys(facts.models)));
  let attempts = 0, runtime = null, photo = null, answer = null, busy = false;
  const sessions = {};

  async function start() {
    say(`Fetching onnxruntime-web ${facts.version}, about ${facts.megabytes} MB, once ...`);
    const again = attempts++ ? `?try=${attempts}` : ""; // a browser remembers a module that failed by its address
    const found = await import(`${facts.cdn}ort.wasm.bundle.min.mjs${again}`);
    found.env.wasm.wasmPaths = facts.cdn;
    found.env.wasm.numThreads = 1; // more need headers that few hosts send
    return found;
  }

  async function session(name) {
    if (sessions[name]) return sessions[name];
    try {
      runtime = runtime || await start();
      const bytes = new Uint8Array(await (await fetch(facts.models[name])).arrayBuffer());
      sessions[name] = await runtime.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    } catch (error) {
      runtime = null;
      throw new Error(`onnxruntime-web was not to be had from ${new URL(facts.cdn).host}, or does not run here (` +
        `${error.message}). It has to be fetched once: connect to the internet and try again. All else on this page works ` +
        "without it.");
    }
    return sessions[name];
  }

  async function piece(network, { rgb, width }, left, top, w, h) {
    const cut = new Uint8Array(w * h * 3);
    for (let y = 0; y < h; y++) {
      const start = ((top + y) * width + left) * 3;
      cut.set(rgb.subarray(start, start + w * 3), y * w * 3);
    }
    const result = await network.run({ pixels: new runtime.Tensor("uint8", cut, [1, h, w, 3]) });
    return result.sharpened.data;
  }

  async function sharpen(network, image) { // in tiles that fade into each other, as kdsharp.inference.sharpen does
    const { width, height } = image;
    if (width * height <= facts.whole) return piece(network, image, 0, 0, width, height);
    const out = new Uint8Array(width * height * 3);
    for (const { top, left, h, w } of tiles(width, height, facts)) {
      const done = await piece(network, image, left, top, w, h);
      for (let v = 0; v < h; v++) {
        for (let u = 0; u < w; u++) {
          const weight = fade(v, top, facts.overlap) * fade(u, left, facts.overlap);
          const to = ((top + v) * width + left + u) * 3, from = (v * w + u) * 3;
          for (let c = 0; c < 3; c++) out[to + c] = Math.round(out[to + c] + weight * (done[from + c] - out[to + c]));
        }
      }
    }
    return out;
  }

  function draw() {
    const { width, height, rgb } = photo, canvas = part("canvas"), strength = Number(part("strength").value);
    const border = Math.round((width * Number(part("split").value)) / 100);
    Object.assign(canvas, { width, height, hidden: false });
    const context = canvas.getContext("2d"), shown = context.createImageData(width, height);
    for (let i = 0, p = 0; p < width * height; p++, i += 3) {
      const mix = p % width < border ? 0 : strength;
      for (let c = 0; c < 3; c++) shown.data[4 * p + c] = rgb[i + c] + mix * (answer[i + c] - rgb[i + c]);
      shown.data[4 * p + 3] = 255;
    }
    context.putImageData(shown, 0, 0);
    if (border > 0 && border < width) {
      context.fillStyle = "#ffffff";
      context.fillRect(border - 1, 0, 2, height);
    }
  }

  async function timed(network) {
    const start = performance.now();
    const result = await sharpen(network, photo);
    return [result, performance.now() - start];
  }

  async function guarded(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      say(`This did not work: ${error.message}`);
      el.dataset.state = "failed";
    } finally {
      busy = false;
    }
  }

  const open = (blob) => guarded(async () => {
    el.dataset.state = "busy";
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      throw new Error("this file is not a photo that your browser can read; give a JPEG, PNG or WebP");
    }
    const { width, height } = bitmap, millions = (width * height) / 1e6;
    if (millions > facts.most) {
      throw new Error(`the photo has ${millions.toFixed(0)} megapixels, a browser's memory is sure of ${facts.most} only`);
    }
    const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height), rgb = new Uint8Array(width * height * 3);
    for (let p = 0; p < width * height; p++) for (let c = 0; c < 3; c++) rgb[3 * p + c] = data[4 * p + c];
    photo = { rgb, width, height };
    await run();
  });

  async function run() {
    const network = await session(part("model").value);
    say(`Sharpening ${photo.width} x ${photo.height} pixels ...`);
    await painted();
    const [result, spent] = await timed(network);
    answer = result;
    draw();
    part("again").disabled = false;
    say(`${photo.width} x ${photo.height} pixels in ${spent.toFixed(0)} ms, on one thread of this browser; a first run also ` +
      "prepares memory, so time it again.");
    el.dataset.state = "done";
  }

  const again = () => guarded(async () => {
    el.dataset.state = "busy";
    const network = await session(part("model").value), times = [];
    for (let k = 0; k < 6; k++) {
      say(`Timing, run ${k + 1} of 6 ...`);
      await painted();
      times.push((await timed(network))[1]);
    }
    const median = times.slice(1).sort((a, b) => a - b)[2], hd = (median * 1920 * 1080) / (photo.width * photo.height);
    say(`${part("model").value}: median of 5 runs ${median.toFixed(0)} ms for ${photo.width} x ${photo.height} pixels. At this ` +
      `rate a Full HD frame takes ${hd.toFixed(0)} ms: ${(1000 / hd).toFixed(1)} frames a second.`);
    el.dataset.state = "timed";
  });

  const example = () => fetch(facts.example).then((found) => found.blob()).then(open);
  part("file").addEventListener("change", (event) => { if (event.target.files[0]) open(event.target.files[0]); });
  part("example").addEventListener("click", example);
  part("again").addEventListener("click", again);
  part("model").addEventListener("change", () => { if (photo) guarded(run); });
  for (const name of ["split", "strength"]) part(name).addEventListener("input", () => { if (answer) draw(); });
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
  });
}

export default { render };
