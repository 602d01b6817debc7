// A worker: it reads a photo, runs networks and filters on it, and writes it. The page stays free meanwhile.
import { cut, decibels, filters, lay, mix, reduced, shaken, tiles } from "./photo.mjs";
import { png } from "./png.mjs";

const STRIP = 512; // rows that are read at once: a canvas of a whole photo is too large for some telephones
const TRIAL = 256; // pixels a side of the piece on which processor and graphics card are compared
let facts = null, photo = null, truth = null, stopped = false, chosen = "wasm"; // "webgpu": the graphics card
const runtimes = {}, sessions = {}, answers = {};

/** onnxruntime-web from the book itself, else from the CDN with a checksum. */
async function start({ local, threads }, cdn) {
  let found = null;
  const file = (address) => local + address.split("/").at(-1);
  if (local) found = await import(file(cdn.script)).catch(() => null);
  if (found) {
    found.env.wasm.wasmPaths = { wasm: file(cdn.wasm) };
  } else {
    const get = async (address, integrity) => (await fetch(address, { integrity, mode: "cors" })).blob();
    const script = new Blob([await get(cdn.script, cdn.scriptIntegrity)], { type: "text/javascript" });
    found = await import(URL.createObjectURL(script));
    found.env.wasm.wasmBinary = await (await get(cdn.wasm, cdn.wasmIntegrity)).arrayBuffer();
  }
  found.env.wasm.numThreads = threads;
  return found;
}

/** A function from a piece to a network's answer, computed `on` the processor ("wasm") or the graphics card. */
async function network({ name, model }, on) {
  runtimes[on] ||= await start(facts.runtime, on === "wasm" ? facts.runtime.cdn : facts.runtime.card);
  const { InferenceSession, Tensor } = runtimes[on], key = `${on} ${name}`;
  sessions[key] ||= await InferenceSession.create(new Uint8Array(model), { executionProviders: [on] });
  return async (bytes, w, h) => (await sessions[key].run({ pixels: new Tensor("uint8", bytes, [1, h, w, 3]) })).sharpened.data;
}

/** A function from a piece to its answer: a network when `model` has its bytes, else a filter. */
async function sharpener({ filter, settings, ...given }) {
  return filter ? (bytes, w, h) => filters[filter](bytes, w, h, settings) : network(given, chosen);
}

/** The shortest of three runs in milliseconds, after one that only prepares, and the answer. */
async function timed(by, bytes, w, h) {
  let answer = await by(bytes.slice(), w, h), least = Infinity;
  for (let k = 0; k < 3; k++) {
    const begin = performance.now();
    answer = await by(bytes.slice(), w, h);
    least = Math.min(least, performance.now() - begin);
  }
  return { least, answer };
}

/** The RGB of a picture, turned as its file says, transparency on white. */
function read(bitmap) {
  const { width, height } = bitmap, rgb = new Uint8Array(width * height * 3);
  const canvas = new OffscreenCanvas(width, Math.min(STRIP, height));
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, top, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    for (let p = 0, to = top * width * 3; p < width * rows; p++, to += 3) {
      rgb[to] = data[4 * p];
      rgb[to + 1] = data[4 * p + 1];
      rgb[to + 2] = data[4 * p + 2];
    }
  }
  return { rgb, width, height };
}

/** In tiles that fade into each other, as kdsharp.inference.sharpen does; null when it was stopped. */
async function sharpened(by, image, progress) {
  const { rgb, width, height } = image;
  if (width * height <= facts.whole) return by(rgb.slice(), width, height);
  const out = { rgb: new Uint8Array(rgb.length), width }, pieces = tiles(width, height, facts);
  for (let k = 0; k < pieces.length; k++) {
    progress(k / pieces.length);
    await new Promise((next) => setTimeout(next)); // a word from the page is heard between two tiles
    if (stopped) return null;
    lay(out, await by(cut(image, pieces[k]), pieces[k].w, pieces[k].h), pieces[k], facts.overlap);
  }
  return out.rgb;
}

const view = (rgb, step) => reduced({ ...photo, rgb }, step);

/** How close to the truth, where there is one. */
const score = (rgb) => (truth === photo ? null : decibels(rgb, truth.rgb));

const tasks = {
  begin(given) {
    facts = given;
  },
  async open({ blob, most, step }) {
    const bitmap = await createImageBitmap(blob).catch(() => {
      throw new Error("this file is not a photo that your browser can read; give a JPEG, PNG or WebP");
    });
    const millions = (bitmap.width * bitmap.height) / 1e6;
    if (millions > most) throw new Error(`the photo has ${millions.toFixed(0)} megapixels, a browser's memory is sure of ${most} only`);
    if (Math.min(bitmap.width, bitmap.height) < 16) throw new Error("the photo has fewer than 16 pixels a side");
    photo = truth = read(bitmap);
    bitmap.close();
    for (const name of Object.keys(answers)) delete answers[name];
    const reduce = Math.max(1, Math.ceil(Math.sqrt((photo.width * photo.height) / step)));
    return { width: photo.width, height: photo.height, reduce, view: view(photo.rgb, reduce) };
  },
  /** From now on the photo is what a shaking hand makes of it, and its truth is known; without `taps`, as it came. */
  async shake({ taps, reduce }, progress) {
    stopped = false;
    const { width, height } = truth;
    let next = truth;
    if (taps) {
      next = { rgb: new Uint8Array(truth.rgb.length), width, height };
      for (let top = 0; top < height; top += STRIP) {
        progress(top / height);
        await new Promise((go) => setTimeout(go));
        if (stopped) return { stopped };
        next.rgb.set(shaken(truth, taps, top, Math.min(height, top + STRIP)), 3 * width * top);
      }
    }
    photo = next;
    for (const name of Object.keys(answers)) delete answers[name];
    return { view: view(photo.rgb, reduce), score: score(photo.rgb) };
  },
  async sharpen(given, progress) {
    stopped = false;
    const by = await sharpener(given), begin = performance.now();
    if (given.again || !answers[given.name]) {
      const found = await sharpened(by, photo, progress);
      if (found === null) return { stopped: true };
      answers[given.name] = found;
    }
    const spent = performance.now() - begin;
    return given.again ? { spent } : { spent, view: view(answers[given.name], given.reduce), score: score(answers[given.name]) };
  },
  /** Let the graphics card compute where it is faster than the processor and answers alike; else the processor stays. */
  async card(given) {
    if (!given.model) {
      chosen = "wasm";
      return { chosen };
    }
    const w = Math.min(TRIAL, photo.width), h = Math.min(TRIAL, photo.height), piece = cut(photo, { left: 0, top: 0, w, h });
    const card = await timed(await network(given, "webgpu"), piece, w, h), own = await timed(await network(given, "wasm"), piece, w, h);
    const apart = own.answer.reduce((most, value, k) => Math.max(most, Math.abs(value - card.answer[k])), 0);
    chosen = apart <= 1 && card.least < own.least ? "webgpu" : "wasm";
    return { chosen, w, h, card: card.least, processor: own.least, apart };
  },
  async frame({ bitmap, ...given }) {
    const by = await sharpener(given), begin = performance.now(), image = read(bitmap);
    bitmap.close();
    const ready = performance.now(), answer = await by(image.rgb, image.width, image.height);
    const { rgb, width, height } = image;
    return { width, height, photo: rgb, answer, reading: ready - begin, network: performance.now() - ready };
  },
  crop({ name, left, top, side }) {
    const box = { left, top, w: Math.min(side, photo.width), h: Math.min(side, photo.height) };
    const of = (rgb) => (rgb ? cut({ rgb, width: photo.width }, box) : null);
    return { w: box.w, h: box.h, photo: of(photo.rgb), answer: of(answers[name]) };
  },
  async save({ name, strength }) {
    const { rgb, width, height } = photo, line = 3 * width;
    const row = (y) => mix(rgb.subarray(y * line, (y + 1) * line), answers[name].subarray(y * line, (y + 1) * line), strength);
    return { blob: await png(width, height, row) };
  },
};

self.onmessage = async ({ data: { number, task, ...given } }) => {
  if (task === "stop") {
    stopped = true;
    return;
  }
  try {
    const answer = await tasks[task](given, (share) => self.postMessage({ number, share }));
    self.postMessage({ number, answer }, task === "frame" ? [answer.photo.buffer, answer.answer.buffer] : []);
  } catch (error) {
    self.postMessage({ number, error: error.message || String(error) });
  }
};
