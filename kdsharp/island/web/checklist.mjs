// Questions with a box and a line for notes each, a count, and a file to keep; ticks and notes stay in the browser.
import { fill, make } from "./make.mjs";
import { keep, recall } from "./store.mjs";

/** The list as Markdown; `answers` holds `{ held, note }` for each question. */
export function markdown({ title, items }, answers) {
  const held = answers.filter((answer) => answer.held).length;
  const lines = [`# ${title}`, "", `${held} of ${items.length}`];
  items.forEach(([part, question, lesson], k) => {
    if (!k || items[k - 1][0] !== part) lines.push("", `## ${part}`, "");
    const note = answers[k].note.trim();
    const number = String(lesson).padStart(2, "0");
    lines.push(`- [${answers[k].held ? "x" : " "}] ${question} (lesson ${number})${note ? `: ${note}` : ""}`);
  });
  return lines.join("\n") + "\n";
}

/** How many questions hold, and in which parts some are open. */
export function count({ items }, answers) {
  const held = answers.filter((answer) => answer.held).length;
  const open = [...new Set(items.filter((_, k) => !answers[k].held).map(([part]) => part))];
  return `${held} of ${items.length}${open.length ? `; still open in: ${open.join(", ")}` : "; complete"}`;
}

function render({ model, el }) {
  const facts = model.get("facts");
  const name = `checklist:${facts.title}`;
  const before = recall(name, []);
  const answers = facts.items.map((_, k) => before[k] ?? { held: false, note: "" });
  const counted = make("p", { role: "status", "data-part": "count" });
  const save = make("a", { "data-part": "save", download: "checklist.md" }, "save as checklist.md");

  const update = () => {
    counted.textContent = count(facts, answers);
    save.href = "data:text/markdown;charset=utf-8," + encodeURIComponent(markdown(facts, answers));
  };
  const rows = facts.items.flatMap(([part, question, lesson], k) => {
    const box = make("input", { type: "checkbox", "data-item": k });
    const note = make("input", {
      type: "text", "data-note": k, "aria-label": `where in the report, for: ${question}`,
      placeholder: "where in my report, or why not",
    });
    box.checked = answers[k].held;
    note.value = answers[k].note;
    for (const input of [box, note]) {
      input.addEventListener("input", () => {
        answers[k] = { held: box.checked, note: note.value };
        keep(name, answers);
        update();
      });
    }
    const number = String(lesson).padStart(2, "0");
    const row = make("p", {}, make("label", {}, box, ` ${question} `, make("small", {}, `lesson ${number}`)), make("br"), note);
    const fresh = !k || facts.items[k - 1][0] !== part;
    return fresh ? [make("p", {}, make("b", {}, part)), row] : [row];
  });
  update();
  fill(el, "checklist", make("p", {}, make("b", {}, facts.title)), ...rows, counted, make("p", {}, save));
}

export default { render };
