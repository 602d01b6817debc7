// A prediction: choose or write, say how sure, lock. What is locked stays.
import { diary } from "./diary.mjs";
import { fill, make, parsed } from "./make.mjs";

export const SURE = [25, 50, 75, 95];
let count = 0;

/** The number that a text holds, with a comma or a point, or with thousands as the pages write them (1,088); null where it holds none. */
export function numberOf(text) {
  const written = text.trim().replace("−", "-");
  const thousands = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(written);
  const clean = thousands ? written.replaceAll(",", "") : written.replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean) ? Number(clean) : null;
}

/** An answer as it is shown: a choice as it is, a number with its unit. */
export function said(answer, unit) {
  return typeof answer === "number" ? `${Number(answer.toPrecision(4))}${unit ? ` ${unit}` : ""}` : answer;
}

function render({ model, el }) {
  const { name, question, plain, choices, unit, rule } = model.get("facts");
  const lines = diary(model), ending = new AbortController(), id = `kdsharp-predict-${++count}`;
  const status = make("p", { role: "status", class: "kdsharp-said" });
  const inputs = choices
    ? choices.map((choice) => make("input", { type: "radio", name: id, value: choice }))
    : [make("input", { type: "text", inputmode: "decimal", size: 8, autocomplete: "off", "aria-label": `your number${unit ? `, in ${unit}` : ""}` })];
  const rows = choices
    ? inputs.map((input, k) => make("label", { class: "kdsharp-choice" }, input, " ", choices[k]))
    : [make("p", {}, inputs[0], ` ${unit ?? ""} `, make("small", {}, `(right: ${rule})`))];
  const sure = make("select", {}, ...SURE.map((value) => make("option", { value, selected: value === 50 }, `${value} %`)));
  const lock = make("button", { type: "submit" }, "Lock my answer");
  const fields = make(
    "fieldset", {}, make("legend", {}, make("b", {}, "Predict. "), parsed(question)), ...rows,
    make("p", { class: "kdsharp-row" }, make("label", {}, "How sure are you? ", sure), lock),
  );
  const form = make("form", { novalidate: true }, fields);

  const show = (entry) => {
    if (!entry || entry.state === "open") return;
    fields.disabled = true;
    lock.hidden = true;
    if (entry.state === "locked") {
      for (const input of inputs) {
        if (choices) input.checked = input.value === entry.answer;
        else input.value = entry.answer;
      }
      sure.value = entry.sure;
      status.textContent = `Locked: ${said(entry.answer, unit)}, ${entry.sure} % sure. The answer is open below.`;
    } else status.textContent = "The answer was shown before you locked one of your own.";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = choices ? inputs.find((input) => input.checked)?.value : numberOf(inputs[0].value);
    if (answer === undefined || answer === null) {
      status.textContent = choices ? "Choose one first." : "Write a number first, such as 0.5.";
      inputs[0].focus();
      return;
    }
    const entry = { kind: "prediction", state: "locked", question: plain, unit: unit ?? "", answer, sure: Number(sure.value) };
    lines.keep(name, { ...entry, at: new Date().toISOString() });
    status.tabIndex = -1;
    status.focus(); // the button that had it is gone
  });
  lines.hear(name, show, ending.signal);
  fill(el, "predict", form, status);
  const before = lines.recall(name);
  if (before) show(before);
  else lines.keep(name, { kind: "prediction", state: "open", question: plain, unit: unit ?? "" });
  return () => ending.abort();
}

export default { render };
