// Questions that mark themselves: one of several, an order, a number, a place in a picture.
import { diary } from "./diary.mjs";
import { fill, make, parsed } from "./make.mjs";
import { numberOf, said } from "./predict.mjs";

let count = 0;

/** How many neighbours of an order stand one behind the other as they should; `order` holds right places, 0 first. */
export function inOrder(order) {
  return order.slice(1).filter((place, k) => place === order[k] + 1).length;
}

/** What a number is told: `{ right, why }`. */
export function judged(value, { number, within, why, slips, unit }) {
  if (Math.abs(value - number) <= within + 1e-9 * Math.abs(number)) return { right: true, why };
  const slip = slips.find(([wrong]) => Math.abs(value - wrong) <= Math.max(within, 1e-6 * Math.abs(wrong)));
  if (slip) return { right: false, why: slip[1] };
  const limit = within ? ` It is right within ${said(within, unit)}.` : "";
  return { right: false, why: `Too ${value > number ? "high" : "low"}.${limit}` };
}

/** `list` with the element at `from` moved by `step`, where there is room. */
export function moved(list, from, step) {
  const to = from + step, next = [...list];
  if (to < 0 || to >= list.length) return next;
  [next[from], next[to]] = [next[to], next[from]];
  return next;
}

function oneOf({ answers }, tell, id) {
  const rows = answers.map(([text, right, why]) => {
    const input = make("input", { type: "radio", name: id });
    input.addEventListener("change", () => tell(right, why));
    return make("label", { class: "kdsharp-choice" }, input, " ", parsed(text));
  });
  return rows;
}

function anOrder({ order, shown, why }, tell) {
  const list = make("ol", { class: "kdsharp-order" });
  let now = [...shown];
  const draw = (focus) => {
    list.replaceChildren(...now.map((place, k) => {
      const button = (label, step) => {
        const made = make("button", { type: "button", "aria-label": `${label}: ${order[place]}` }, label === "up" ? "↑" : "↓");
        made.disabled = k + step < 0 || k + step >= now.length;
        made.addEventListener("click", () => {
          now = moved(now, k, step);
          draw([k + step, label]);
          tell(null, `${order[place]}: now ${k + step + 1} of ${now.length}.`);
        });
        if (focus && focus[0] === k && (focus[1] === label || made.disabled === false)) made.dataset.next = focus[1] === label;
        made.dataset.lmSuppressShortcuts = "true";
        return made;
      };
      return make("li", { class: "kdsharp-row" }, button("up", -1), button("down", 1), make("span", {}, order[place]));
    }));
    // the button that was pressed moves with its row; at an end its neighbour takes over
    const next = list.querySelector("[data-next=true]:enabled") ?? list.querySelector("[data-next]:enabled");
    next?.focus();
  };
  draw();
  const check = make("button", { type: "button" }, "Check the order");
  check.addEventListener("click", () => {
    const good = inOrder(now), right = good === now.length - 1;
    tell(right, right ? why : `${good} of ${now.length - 1} follow each other as they should.`);
  });
  return [list, make("p", {}, check)];
}

function aNumber(facts, tell) {
  const field = make("input", { type: "text", inputmode: "decimal", size: 8, autocomplete: "off", "aria-label": `your number${facts.unit ? `, in ${facts.unit}` : ""}` });
  const form = make("form", { novalidate: true, class: "kdsharp-row" }, make("span", {}, field, ` ${facts.unit}`), make("button", { type: "submit" }, "Check"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = numberOf(field.value);
    if (value === null) return tell(null, "Write a number first, such as 0.5.");
    const { right, why } = judged(value, facts);
    return tell(right, why);
  });
  return [form];
}

function aPlace({ picture: [src, alt, width], places }, tell) {
  const buttons = places.map(([x, y, right, why], k) => {
    const letter = String.fromCharCode(65 + k);
    const where = `place ${letter}, ${Math.round(100 * x)} percent from the left, ${Math.round(100 * y)} percent from the top`;
    const made = make("button", { type: "button", "aria-label": where, "aria-pressed": "false" }, letter);
    made.style.left = `${100 * x}%`;
    made.style.top = `${100 * y}%`;
    made.addEventListener("click", () => {
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === made));
      tell(right, why);
    });
    return made;
  });
  const picture = make("div", { class: "kdsharp-places", style: `max-width:${width}px` }, make("img", { src, alt, width }), ...buttons);
  return [width > 350 ? make("div", { class: "kdsharp-pan" }, picture) : picture]; // on a phone its letters stay legible
}

/** What stands before an answer's reason, which may say itself that it is right, or that it is not. */
export function lead(right, why) {
  if (right === null || (right ? /^\s*(right|yes)\b/i : /^\s*(not yet|no)\b/i).test(why)) return "";
  return right ? "Right. " : "Not yet. ";
}

const KINDS = { answers: oneOf, order: anOrder, number: aNumber, places: aPlace };

/** Show again what was answered right before the page was left: her choice and its reason. */
function again({ kind, answers, number, places, why }, nodes, tell) {
  if (kind === "number") nodes[0].querySelector("input").value = number;
  const right = kind === "answers" ? answers.findIndex((each) => each[1]) : -1;
  if (right >= 0) nodes[right].querySelector("input").checked = true;
  tell(true, kind === "answers" ? answers[right][2] : kind === "places" ? places.find((each) => each[2])[3] : why);
}

function render({ model, el }) {
  const { questions } = model.get("facts");
  const lines = diary(model);
  const rows = questions.map((asked, k) => {
    const id = `kdsharp-quiz-${++count}`;
    const status = make("p", { role: "status", class: "kdsharp-said" });
    const question = parsed(asked.question);
    const plain = question.textContent.trim();
    const before = lines.recall(asked.name);
    let entry = before ?? { kind: "question", state: "open", question: plain, tries: 0 };
    const tell = (right, why) => {
      const mark = right === null ? "" : right ? "kdsharp-right" : "kdsharp-wrong";
      status.className = `kdsharp-said ${mark}`;
      status.replaceChildren(make("b", {}, lead(right, why.textContent ?? why)), why);
      if (right === null || entry.right) return; // what was right once stays so
      const tries = entry.tries + 1;
      entry = { ...entry, state: "answered", tries, right, first: entry.first ?? right, at: new Date().toISOString() };
      lines.keep(asked.name, entry);
    };
    if (!before) lines.keep(asked.name, entry);
    const legend = make("legend", {}, make("b", {}, `${k + 1}. `), question);
    const done = entry.right ? [make("p", { class: "kdsharp-note" }, "You have answered this one.")] : [];
    const nodes = KINDS[asked.kind](asked, tell, id);
    if (entry.right) again(asked, nodes, tell);
    return make("fieldset", {}, legend, ...nodes, ...done, status);
  });
  fill(el, "quiz", ...rows);
}

export default { render };
