// A network on the reader's own photo or camera: her browser computes, in a worker, and the photo stays with her.
import { fill, make } from "./make.mjs";
import { decibels, difference, mix, opaque } from "./photo.mjs";
import { keepOffline } from "./offline.mjs";

const CAME = "as it came", TRUTH = "before the shake", CARD = "the graphics card";
const RUNNER = new URL("./runner.mjs", import.meta.url);
const IN_BOOK = import.meta.url.startsWith("http");
const LOCAL = IN_BOOK ? new URL("../../packages/onnxruntime-web/dist/", import.meta.url).href : null; // where a book has its programs
const VIEW = 2_000_000; // pixels that the page shows; the file that is saved has all
const LOUPE = 60; // pixels a side, shown four times as large

/** The controls; each is found again by its `data-part`. */
function controls(networks, filters, isShaken, megabytes) {
  const options = (names) => names.map((name) => make("option", {}, name));
  const methods = () => [
    make("optgroup", { label: "networks" }, ...options(networks)),
    ...(filters.length ? [make("optgroup", { label: "filters" }, ...options(filters))] : []),
  ];
  const button = (part, text, more = {}) => make("button", { type: "button", "data-part": part, ...more }, text);
  const slider = (part, text, more) => make("label", { class: "kdsharp-range" },
    make("span", {}, text, " ", make("output", { "data-part": `${part}-said` })),
    make("input", { type: "range", "data-part": part, ...more }));
  return [
    make("p", {}, make("b", {}, "Sharpen a photo of yours, on this page")),
    make("p", { class: "kdsharp-row" },
      make("label", {}, "Drop or paste a photo here, or choose one: ",
        make("input", { type: "file", accept: "image/*", "data-part": "file" })),
      button("example", "take the example"), button("camera", "use the camera")),
    make("p", { class: "kdsharp-row" },
      make("label", {}, "left: ", make("select", { "data-part": "left" }, make("option", { value: CAME, "data-part": "came" }, CAME),
        make("option", { "data-part": "truth", disabled: true }, TRUTH), ...methods())),
      make("label", {}, "right: ", make("select", { "data-part": "model" }, ...methods())),
      make("label", {}, "shown: ", make("select", { "data-part": "shown" },
        make("option", { value: "wipe" }, "left | right"), make("option", { value: "difference" }, "right less left, 4 times"))),
      button("again", "time it", { disabled: true }), button("save", "save as PNG", { disabled: true })),
    make("p", {}, make("label", {}, make("input", { type: "checkbox", role: "switch", checked: isShaken, "data-part": "shake" }),
      " shake it first: then the truth is known, and how close each answer comes to it",
      make("b", { "data-part": "already", hidden: true }, " (not the example: it is shaken already)"))),
    make("p", { "data-part": "cards", hidden: true }, make("label", {}, make("input", { type: "checkbox", role: "switch", disabled: true, "data-part": "card" }),
      ` let the graphics card compute where it is faster (its program has about ${megabytes} MB, loaded once)`)),
    make("p", { "aria-live": "polite", "data-part": "scores" }),
    make("p", { role: "status", "aria-live": "polite", "data-part": "status" },
      "Your photo stays on this computer: nothing is sent, and nothing is fetched before you choose one."),
    make("p", { class: "kdsharp-row", "data-part": "work", hidden: true },
      make("progress", { max: 1, value: 0, "data-part": "bar", "aria-label": "tiles done" }), button("stop", "stop")),
    slider("split", "border between left and right:", { min: 0, max: 100, value: 50 }),
    slider("strength", "strength:", { min: 0, max: 1.5, step: 0.05, value: 1 }),
    make("div", { class: "kdsharp-photo" },
      make("canvas", {
        "data-part": "canvas", role: "img", hidden: true, tabindex: "0",
        "aria-label": "your photo: the left choice left of the border, the right one right of it. A drag moves the border, a click opens the loupe, arrow keys move it.",
      }),
      make("canvas", { "data-part": "loupe", role: "img", hidden: true, width: 4 * LOUPE, height: 4 * LOUPE,
        "aria-label": "loupe: 60 by 60 pixels, each four times as large" })),
    make("video", { "data-part": "video", muted: true, playsinline: true, hidden: true }),
  ];
}

function render({ model, el }) {
  const facts = model.get("facts"), part = (name) => el.querySelector(`[data-part='${name}']`);
  const say = (text) => { part("status").textContent = text; };
  fill(el, "browser", ...controls(Object.keys(facts.models), Object.keys(facts.filters), facts.shaken, facts.megabytes[1]));
  const threads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  const processor = threads === 1 ? "one thread of this browser" : `${threads} threads of this browser`;
  let on = processor;
  const bytes = {}, asked = new Map();
  let worker = null, number = 0, photo = null, left = null, right = null, busy = false, stream = null, at = null, line = "", scores = null;
  let called = "photo", waiting = null; // the photo's name, and the one that she chose while another was worked on

  /** Ask the worker; the answer comes when it is done. */
  function ask(task, given = {}, moved = []) {
    if (!worker) {
      worker = new Worker(RUNNER, { type: "module" });
      worker.onmessage = ({ data }) => {
        const waiting = asked.get(data.number);
        if ("share" in data) {
          part("bar").value = data.share;
          return;
        }
        asked.delete(data.number);
        if ("error" in data) waiting.fail(new Error(data.error));
        else waiting.done(data.answer);
      };
      ask("begin", { runtime: { local: LOCAL, cdn: facts.cdn, card: facts.card, threads }, whole: facts.whole, tile: facts.tile, overlap: facts.overlap });
    }
    return new Promise((done, fail) => {
      asked.set(++number, { done, fail });
      worker.postMessage({ number, task, ...given }, moved);
    });
  }

  /** What the worker needs to know of a network or filter. */
  async function method(name) {
    if (name in facts.filters) return { name, ...facts.filters[name] };
    if (!bytes[name]) {
      say(`Fetching ${name} and onnxruntime-web ${facts.version}, about ${facts.megabytes[0]} MB, once ...`);
      bytes[name] = await (await fetch(facts.models[name])).arrayBuffer();
    }
    return { name, model: bytes[name] };
  }

  async function guarded(work, state) {
    if (busy) return;
    busy = true;
    el.dataset.state = "busy";
    try {
      el.dataset.state = (await work()) || state;
    } catch (error) {
      endCamera();
      const fetching = /fetch|import|network/i.test(error.message);
      const host = IN_BOOK ? location.host : new URL(facts.cdn.script).host;
      say(`This did not work: ${error.message}` + (fetching ? `. onnxruntime-web has to be fetched once, here from ${host}: ` +
        "connect to the internet and try again. All else on this page works without it." : ""));
      el.dataset.state = "failed";
    } finally {
      busy = false;
      part("work").hidden = true;
    }
    if (!waiting) return;
    const next = waiting;
    waiting = null;
    await take(...next);
  }

  async function viewOf(name) {
    if (name === CAME) return { ...photo, spent: 0 };
    if (name === TRUTH) return { view: photo.truth, score: null, spent: 0 };
    const given = await method(name);
    if (waiting) return { stopped: true };
    say(`${name}: ${photo.width} x ${photo.height} pixels ...`);
    part("bar").value = 0;
    part("work").hidden = photo.width * photo.height <= facts.whole;
    return ask("sharpen", { ...given, reduce: photo.reduce });
  }

  /** Shake the photo, or take it as it came, as the switch says. */
  async function prepare() {
    const isOn = part("shake").checked;
    part("truth").disabled = !isOn;
    if (!isOn && part("left").value === TRUTH) part("left").value = CAME;
    part("came").textContent = isOn ? "as shaken" : CAME;
    if (isOn) say("Shaking it ...");
    part("work").hidden = !isOn || photo.width * photo.height <= facts.whole;
    const found = await ask("shake", { taps: isOn ? facts.taps : null, reduce: photo.reduce });
    part("loupe").hidden = true;
    if (!found.stopped) {
      Object.assign(photo, found);
      return run();
    }
    if (waiting) return "stopped";
    part("shake").checked = !isOn;
    part("truth").disabled = isOn;
    part("came").textContent = CAME;
    say("Stopped: the photo is as it was.");
    return "stopped";
  }

  /** Run what is chosen and was not run yet. */
  async function run() {
    const names = [part("left").value, part("model").value], found = [];
    for (const name of names) {
      found.push(await viewOf(name));
      if (found.at(-1).stopped) {
        if (waiting) return "stopped";
        say("Stopped. Choose another network or filter, or another photo.");
        return "stopped";
      }
    }
    [left, right] = found.map(({ view }) => view.rgb);
    const isFirst = part("canvas").hidden;
    draw();
    for (const name of ["again", "save", "card"]) part(name).disabled = false;
    const spent = found[1].spent < 0.5 ? "" : ` in ${found[1].spent.toFixed(0)} ms, on ${on}`;
    line = `${photo.width} x ${photo.height} pixels${spent}${photo.reduce > 1 ? `, shown at 1/${photo.reduce} of its size` : ""}` +
      (spent ? "; a first run also prepares memory, so time it again." : ".");
    scores = photo.score == null ? null : found.map(({ score }) =>
      score === null ? "is the truth itself" : score === Infinity ? "identical" : `${score.toFixed(2)} dB`);
    report();
    if (isFirst) part("canvas").scrollIntoView({ block: "nearest" }); // on a phone it lies below the screen
    keep();
    return "done";
  }

  /** What this page has loaded works without a network from now on; loaded anew, it may use threads. */
  function keep() {
    if (!IN_BOOK) return;
    const programs = [facts.cdn, ...(on === CARD ? [facts.card] : [])].flatMap(({ script, wasm }) => [script, wasm]);
    const here = programs.map((address) => LOCAL + address.split("/").at(-1));
    keepOffline([...Object.values(facts.models), facts.example, ...here]).then((kept) => { el.dataset.offline = kept; });
  }

  function draw() {
    const canvas = part("canvas"), strength = Number(part("strength").value), { width, height } = photo.view;
    const border = Math.round((width * Number(part("split").value)) / 100), changed = strength === 1 ? right : mix(photo.view.rgb, right, strength);
    Object.assign(canvas, { width, height, hidden: false });
    const context = canvas.getContext("2d");
    if (part("shown").value === "difference") {
      context.putImageData(opaque(difference(left, changed, 4), width, height), 0, 0);
      return;
    }
    context.putImageData(opaque(changed, width, height), 0, 0);
    if (border > 0) context.putImageData(opaque(left, width, height), 0, 0, 0, 0, border, height);
    if (border > 0 && border < width) {
      context.fillStyle = "#ffffff";
      context.fillRect(border - 1, 0, 2, height);
    }
  }

  /** The pixels around a place of the photo, each four times as large: right choice, at the strength that is set. */
  async function look(x, y) {
    const inside = (value, size) => Math.round(Math.min(Math.max(0, size - LOUPE), Math.max(0, value)));
    at = [inside(x, photo.width), inside(y, photo.height)];
    const found = await ask("crop", { name: part("model").value, left: at[0], top: at[1], side: LOUPE });
    if (!found.answer) return;
    const small = new OffscreenCanvas(found.w, found.h), context = part("loupe").getContext("2d");
    const shown = opaque(mix(found.photo, found.answer, Number(part("strength").value)), found.w, found.h);
    small.getContext("2d").putImageData(shown, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, 4 * found.w, 4 * found.h);
    part("loupe").hidden = false;
  }

  const open = (blob) => guarded(async () => {
    endCamera();
    try {
      photo = await ask("open", { blob, most: facts.most, step: VIEW });
    } catch (error) { // what stands here is not the file that the page names now
      photo = left = right = scores = null;
      for (const name of ["canvas", "loupe"]) part(name).hidden = true;
      for (const name of ["again", "save", "card"]) part(name).disabled = true;
      throw new Error(blob.name ? `${blob.name}: ${error.message}` : error.message);
    }
    called = (blob.name ?? "photo").replace(/\.\w+$/, "");
    photo.truth = photo.view;
    return prepare();
  }, "done");

  const again = () => guarded(async () => {
    const given = await method(part("model").value), times = [];
    for (let k = 0; k < 6; k++) {
      say(`Timing, run ${k + 1} of 6 ...`);
      const { spent, stopped } = await ask("sharpen", { ...given, again: true });
      if (stopped) return "stopped";
      times.push(spent);
    }
    const median = times.slice(1).sort((a, b) => a - b)[2], hd = (median * 1920 * 1080) / (photo.width * photo.height);
    say(`${given.name}: median of 5 runs ${median.toFixed(0)} ms for ${photo.width} x ${photo.height} pixels, on ${on}. At this ` +
      `rate a Full HD frame takes ${hd.toFixed(0)} ms: ${(1000 / hd).toFixed(1)} frames a second.`);
    return "timed";
  });

  /** Compare graphics card and processor on a piece of the photo; from then on the faster one computes. */
  const compare = () => guarded(async () => {
    const isOn = part("card").checked, network = part("model").value in facts.filters ? Object.keys(facts.models)[0] : part("model").value;
    if (isOn) say(`Loading what the graphics card needs, about ${facts.megabytes[1]} MB, once, and timing ${network} on both ...`);
    const found = await ask("card", isOn ? await method(network) : {}).catch((error) => {
      part("card").checked = false;
      throw new Error(`${error.message}. The processor stays`);
    });
    on = found.chosen === "webgpu" ? CARD : processor;
    part("card").checked = on === CARD;
    if (on === CARD) keep();
    if (!isOn) {
      say("The processor computes again.");
      return "done";
    }
    say(`${network}, ${found.w} x ${found.h} pixels: graphics card ${found.card.toFixed(1)} ms, processor ${found.processor.toFixed(1)} ms. ` +
      (on === CARD ? "The graphics card computes from now on." : found.apart > 1
        ? `Their answers lie up to ${found.apart} grey levels apart, so the processor stays.` : "The processor stays."));
    return "compared";
  });

  const save = () => guarded(async () => {
    say("Writing the PNG ...");
    const by = part("model").value, strength = Number(part("strength").value), name = `${called}, ${by} x ${strength}.png`;
    const { blob } = await ask("save", { name: by, strength });
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say(`Saved ${photo.width} x ${photo.height} pixels as ${name}, ${(blob.size / 1e6).toFixed(1)} MB.`);
    return "saved";
  });

  function endCamera() {
    if (!stream) return;
    for (const track of stream.getTracks()) track.stop();
    stream = null;
    part("camera").textContent = "use the camera";
  }

  /** The camera's picture now, and what the worker makes of it. */
  async function shot() {
    const given = await method(part("model").value), bitmap = await createImageBitmap(part("video"));
    return { name: given.name, ...(await ask("frame", { ...given, bitmap }, [bitmap])) };
  }

  /** Frame after frame: while one is drawn, the worker has the next; what the page shows is never older than two. */
  const camera = () => guarded(async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    } catch (error) {
      throw new Error(`the camera cannot be had (${error.name})`);
    }
    part("camera").textContent = "stop the camera";
    const video = part("video"), times = [], middle = (values) => values.sort((a, b) => a - b)[values.length >> 1].toFixed(0);
    video.srcObject = stream;
    await video.play();
    let next = shot();
    keep();
    while (stream) {
      const found = await next;
      next = shot();
      next.catch(() => {}); // heard when it is waited for
      const begin = performance.now();
      photo = { view: { rgb: found.photo, width: found.width, height: found.height } };
      [left, right] = [found.photo, found.answer];
      draw();
      const end = performance.now();
      times.push({ end, reading: found.reading, network: found.network, drawing: end - begin });
      const last = times.slice(-21), rate = (1000 * (last.length - 1)) / (end - last[0].end);
      const [reading, network, drawing] = ["reading", "network", "drawing"].map((step) => middle(last.map((each) => each[step])));
      if (last.length > 1) {
        say(`${found.width} x ${found.height}, ${found.name}: ${rate.toFixed(1)} frames a second (reading ${reading} ms, ` +
          `network ${network} ms, drawing ${drawing} ms), on ${on}`);
      }
      el.dataset.frames = times.length;
      await new Promise((shown) => requestAnimationFrame(shown));
    }
    await next.catch(() => {}); // the worker is free again
    photo = null;
    return "ended";
  });

  /** What was computed, and how close it comes at the strength that is set; at another than 1 the photo as it is shown is scored. */
  const report = () => {
    const strength = Number(part("strength").value);
    say(line);
    part("scores").textContent = "";
    if (!scores) return;
    const mine = strength === 1 ? scores[1]
      : `${decibels(mix(photo.view.rgb, right, strength), photo.truth.rgb).toFixed(2)} dB`;
    part("scores").textContent = `Against the truth (PSNR): left ${scores[0]}, right ${mine}, at strength ${strength}.`;
  };

  const told = () => {
    part("split-said").textContent = `${part("split").value} %`;
    part("strength-said").textContent = Number(part("strength").value).toFixed(2);
  };
  told();
  part("file").addEventListener("change", (event) => { if (event.target.files[0]) take(event.target.files[0]); });
  /** A photo of hers, or the example; one that is shaken already has no truth in it to come back to. */
  const take = (found, already = false) => {
    if (busy) {
      waiting = [found, already];
      if (stream) endCamera();
      else worker?.postMessage({ task: "stop" });
      say("One moment: what runs is being stopped, then it is this photo's turn.");
      return undefined;
    }
    part("shake").disabled = already;
    part("already").hidden = !already;
    if (already) part("shake").checked = false;
    return open(found);
  };
  part("example").addEventListener("click", () => fetch(facts.example).then((found) => found.blob()).then((found) => take(found, facts.already)));
  part("camera").addEventListener("click", () => (stream ? endCamera() : camera()));
  part("again").addEventListener("click", again);
  navigator.gpu?.requestAdapter().then((adapter) => { part("cards").hidden = !adapter; }).catch(() => {});
  part("card").addEventListener("change", ({ target }) => {
    if (busy) target.checked = !target.checked;
    else compare();
  });
  part("save").addEventListener("click", save);
  part("stop").addEventListener("click", () => worker?.postMessage({ task: "stop" }));
  part("shake").addEventListener("change", ({ target }) => {
    if (busy) target.checked = !target.checked;
    else if (photo && !stream) guarded(prepare);
  });
  for (const name of ["left", "model"]) part(name).addEventListener("change", () => { if (photo && !stream) guarded(run); });
  for (const name of ["split", "strength", "shown"]) {
    part(name).addEventListener("input", () => {
      told();
      if (right && photo) draw();
      if (name === "strength" && right && photo && !stream && !busy) report();
      if (name === "strength" && !part("loupe").hidden) look(...at);
    });
  }
  const place = ({ offsetX, offsetY }) => {
    const canvas = part("canvas"), scale = photo.width / canvas.clientWidth;
    look(offsetX * scale - LOUPE / 2, offsetY * scale - LOUPE / 2);
  };
  let pressed = null, dragged = false; // a drag moves the border, as on the front page; a click is the loupe's
  part("canvas").addEventListener("pointerdown", ({ offsetX }) => { [pressed, dragged] = [offsetX, false]; });
  part("canvas").addEventListener("pointermove", ({ buttons, offsetX, target }) => {
    if (!buttons || pressed === null || !right || part("shown").value !== "wipe") return;
    dragged ||= Math.abs(offsetX - pressed) > 4;
    if (!dragged) return;
    part("split").value = (100 * offsetX) / target.clientWidth;
    told();
    draw();
  });
  part("canvas").addEventListener("click", (event) => { if (right && !stream && !busy && !dragged) place(event); });
  part("canvas").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] }[event.key];
    if (!step || !right || stream || busy) return;
    event.preventDefault();
    const [x, y] = at || [photo.width / 2, photo.height / 2];
    look(x + step[0], y + step[1]);
  });
  el.tabIndex = -1; // a page pastes where the reader is, and she must be able to be here
  el.addEventListener("paste", (event) => {
    const found = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
    if (found) take(found);
  });
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  return () => {
    endCamera();
    worker?.terminate();
  };
}

export default { render };
