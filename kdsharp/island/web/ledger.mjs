// My ledger: what she predicted, answered, passed and wrote down; how well her certainty fits; the report; delete all.
import { diary, PREFIX } from "./diary.mjs";
import { fill, make } from "./make.mjs";
import { said, SURE } from "./predict.mjs";
import { everything, forgetEverything } from "./store.mjs";

/** The entries of a browser by lesson, from what its store holds by name. */
export function byLesson(kept) {
  const lessons = {};
  for (const [name, entry] of Object.entries(kept)) {
    const found = name.startsWith(PREFIX) && /^([^:]*):(.+)$/.exec(name.slice(PREFIX.length));
    if (found) (lessons[found[1]] ??= {})[found[2]] = entry;
  }
  return lessons;
}

/** The entries of a kind in the order in which she met them: a browser's store and a file keep them in another. */
const of = (entries, kind) =>
  Object.values(entries).filter((entry) => entry.kind === kind).sort((one, other) => (one.met ?? 0) - (other.met ?? 0));
const all = (lessons, kind) => Object.values(lessons).flatMap((entries) => of(entries, kind));

/** For each certainty: how many predictions were locked with it and measured since, and how many of them were right. */
export function calibration(lessons) {
  const known = all(lessons, "prediction").filter((entry) => entry.state === "locked" && entry.right !== undefined);
  return SURE.map((sure) => {
    const mine = known.filter((entry) => entry.sure === sure);
    return { sure, count: mine.length, right: mine.filter((entry) => entry.right).length };
  });
}

/** What a lesson still asks for, a sentence each. */
export function stillOpen(entries, notes) {
  const open = of(entries, "prediction").filter(({ state }) => state === "open").map(({ question }) => `Prediction: ${question}`);
  open.push(...of(entries, "question").filter(({ right }) => !right).map(({ question }) => `Question: ${question}`));
  open.push(...of(entries, "exercise").filter(({ state }) => state !== "passed").map(({ words }) => `Exercise, the check says: ${words}`));
  const written = entries.note ?? {};
  return [...open, ...Object.entries(notes).filter(([key]) => !written[key]?.trim()).map(([, label]) => `Note: ${label}`)];
}

/** One line a lesson: what is done of what was met. */
export function counted(entries) {
  const predictions = of(entries, "prediction"), questions = of(entries, "question"), exercises = of(entries, "exercise");
  const locked = predictions.filter(({ state }) => state === "locked");
  return {
    predictions: `${locked.length} of ${predictions.length} locked, ${locked.filter(({ right }) => right).length} right`,
    questions: `${questions.filter(({ right }) => right).length} of ${questions.length}`,
    blind: of(entries, "blind").map(({ right, count }) => (right === undefined ? `${count} answered` : `${right} of ${count} found`)).join(", "),
    exercises: !exercises.length ? "in JupyterLab" : `${exercises.filter(({ state }) => state === "passed").length} of ${exercises.length}`,
  };
}

/** The report as Markdown; `made` is a date as text. */
export function markdown(lessons, notes, made) {
  const names = Object.keys(lessons).sort();
  const lines = ["# My lab report", "", `Made by kdsharp's ledger on ${made}.`, "", "## How sure I was, and how often right", ""];
  lines.push("| sure | predictions | right |", "|---:|---:|---:|");
  for (const { sure, count, right } of calibration(lessons)) lines.push(`| ${sure} % | ${count} | ${right} |`);
  for (const name of names) {
    const entries = lessons[name];
    lines.push("", `## ${name}`, "");
    for (const [key, label] of Object.entries(notes)) {
      const text = entries.note?.[key]?.trim();
      if (text) lines.push(`**${label}.** ${text}`, "");
    }
    for (const entry of of(entries, "prediction")) {
      if (entry.state === "open") continue;
      const mine = entry.state === "locked" ? `${said(entry.answer, entry.unit)} (${entry.sure} % sure)` : "shown without a guess";
      const truth = entry.measured === undefined ? "" : `; measured ${said(entry.measured, entry.unit)}: ${entry.right ? "right" : "not right"}`;
      lines.push(`- Prediction. ${entry.question} Mine: ${mine}${truth}.`);
    }
    for (const { question, right, tries } of of(entries, "question")) {
      if (right) lines.push(`- Question. ${question} Right after ${tries === 1 ? "1 try" : `${tries} tries`}.`);
    }
    for (const { question, right, count } of of(entries, "blind")) lines.push(`- Blind test. ${question} ${right === undefined ? `Answered ${count} rounds` : `Found in ${right} of ${count}`}.`);
    for (const { state, words } of of(entries, "exercise")) if (state === "passed") lines.push(`- Exercise passed: ${words}`);
  }
  lines.push("", "## Still open", "");
  const open = names.flatMap((name) => stillOpen(lessons[name], notes).map((text) => `- ${name}: ${text}`));
  return [...lines, ...(open.length ? open : ["Nothing of what I have met."]), ""].join("\n");
}

/** The report as JSON, which `kdsharp course calibration` reads. */
export function json(lessons, notes, made) {
  const open = Object.fromEntries(Object.entries(lessons).map(([name, entries]) => [name, stillOpen(entries, notes)]));
  return JSON.stringify({ made, lessons, calibration: calibration(lessons), "still open": open }, null, 1) + "\n";
}

function table(head, rows) {
  const line = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, {}, cell)));
  return make("table", { tabindex: 0 }, make("thead", {}, line(head, "th")), make("tbody", {}, ...rows.map((row) => line(row, "td"))));
}

function render({ model, el }) {
  const { whole, notes, all: inFile } = model.get("facts");
  const lines = diary(model);
  let lessons = inFile ?? null;
  const now = () => lessons ?? byLesson(everything());

  const shown = make("div", { "data-part": "shown" });
  const status = make("p", { role: "status" });
  const draw = () => {
    const found = now(), names = whole ? Object.keys(found).sort() : [lines.lesson].filter((name) => found[name]);
    const rows = names.map((name) => [name, ...Object.values(counted(found[name]))]);
    const parts = [table(["lesson", "predictions", "questions right", "blind tests", "exercises passed"], rows)];
    if (whole) {
      const fits = calibration(found).filter(({ count }) => count);
      const share = ({ count, right }) => `${right} of ${count} (${Math.round((100 * right) / count)} %)`;
      parts.push(make("p", {}, make("b", {}, "How well your certainty fits")));
      parts.push(fits.length
        ? table(["you were this sure", "you were right in"], fits.map((each) => [`${each.sure} %`, share(each)]))
        : make("p", {}, "Lock some predictions first."));
      const written = names.filter((name) => found[name].note);
      for (const name of written) {
        parts.push(make("p", {}, make("b", {}, name)));
        for (const [key, label] of Object.entries(notes)) parts.push(make("p", {}, `${label}: ${found[name].note[key] || "(empty)"}`));
      }
    }
    shown.replaceChildren(...(names.length ? parts : [make("p", {}, "Nothing here yet. What you lock, answer and pass is counted here.")]));
  };

  const fields = whole ? [] : Object.entries(notes).map(([key, label]) => {
    const area = make("textarea", { rows: 3, "data-note": key });
    area.value = lines.recall("note")?.[key] ?? "";
    const write = () => lines.keep("note", { ...(lines.recall("note") ?? {}), kind: "note", state: "written", [key]: area.value });
    let waiting = 0;
    area.addEventListener("change", write);
    area.addEventListener("input", () => { // who reloads with the cursor in the field loses nothing
      clearTimeout(waiting);
      waiting = setTimeout(write, 300);
    });
    return make("p", {}, make("label", {}, make("b", {}, label), area));
  });

  const save = (name, type, text) => {
    const link = make("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    status.textContent = `${name} was made here, in your browser. Hand it in yourself; nothing was sent.`;
  };
  const button = (label, act) => {
    const made = make("button", { type: "button" }, label);
    made.addEventListener("click", act);
    return made;
  };
  const today = () => new Date().toISOString().slice(0, 10);
  const report = button("Make report (Markdown)", () => save("lab-report.md", "text/markdown", markdown(now(), notes, today())));
  const data = button("Make report (JSON)", () => save("lab-report.json", "application/json", json(now(), notes, today())));
  let certain = false;
  const remove = button("Delete everything", () => {
    if (!certain) {
      certain = true;
      remove.textContent = "Yes, delete it all";
      status.textContent = "This cannot be undone: predictions, answers and notes of all lessons go.";
      return;
    }
    certain = false;
    remove.textContent = "Delete everything";
    if (lessons) {
      lessons = {};
      model.send({ forget: true });
    } else forgetEverything();
    status.textContent = "All of it is gone.";
    draw();
  });
  const again = lessons ? [button("Count again", () => model.send({ refresh: Date.now() }))] : [];
  model.on("change:answer", () => {
    lessons = model.get("answer").all;
    draw();
  });
  const heard = ({ detail: { lesson, name, entry } }) => {
    if (lessons) (lessons[lesson] ??= {})[name] = entry;
    draw();
  };
  globalThis.addEventListener("kdsharp-kept", heard);
  const elsewhere = whole || lessons ? [] : [make("p", {}, make("a", { href: "../ledger.html" }, "My ledger: all lessons"))];
  const actions = make("p", { class: "kdsharp-row" }, report, data, ...again, ...(whole ? [remove] : []));
  fill(el, "ledger", ...fields, shown, actions, status, ...elsewhere);
  draw();
  return () => globalThis.removeEventListener("kdsharp-kept", heard);
}

export default { render };
