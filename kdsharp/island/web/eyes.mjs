// A blind test: lock a ranking, answer round by round, then see the answers beside what formulas say.
import { ask } from "./asking.mjs";
import { diary } from "./diary.mjs";
import { csv, sentences, summary } from "./judging.mjs";
import { fill, make, svg } from "./make.mjs";
import { keep, recall } from "./store.mjs";

const DASHES = ["", "7 4", "2 3", "9 3 2 3", "1 5"];
const button = (...words) => make("button", { type: "button" }, ...words);

/** Columns side by side, the best at the top; one line for each system, with the interval of what was answered. */
function plot({ rows, columns: all, own }) {
  const columns = all.filter((column) => !column.inTable);
  const gap = 320 / Math.max(1, columns.length - 1), x = (c) => 20 + c * gap, y = (place) => 220 - 170 * place;
  const box = svg("svg", { viewBox: "0 0 360 250", role: "img", class: "kdsharp-chart kdsharp-columns" });
  box.setAttribute("aria-label", `${columns.map((each) => each.name).join(", ")}: one line for each system; the table has the numbers`);
  columns.forEach((column, c) => {
    const anchor = c === 0 ? "start" : c === columns.length - 1 ? "end" : "middle";
    const at = c === 0 ? 0 : c === columns.length - 1 ? 360 : x(c);
    const text = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 2 ? 2 : 1));
    box.append(
      svg("line", { x1: x(c), x2: x(c), y1: y(0), y2: y(1), class: "kdsharp-grid" }),
      svg("text", { x: at, y: c % 2 ? 26 : 11, "text-anchor": anchor }, column.name),
      svg("text", { x: at, y: 43, "text-anchor": anchor }, text(column.best)),
      svg("text", { x: at, y: 236, "text-anchor": anchor }, text(column.worst)),
    );
  });
  rows.forEach((row, k) => {
    const paint = `kdsharp-system kdsharp-system-${k % 5}`, c = columns.indexOf(own), [low, high] = [row.low, row.high];
    const place = (value) => y((value - own.worst) / (own.best - own.worst)), side = x(c) + 3 * (k - (rows.length - 1) / 2);
    box.append(svg("line", { x1: side, x2: side, y1: place(low), y2: place(high), class: `${paint} kdsharp-interval` }));
    const known = columns.map((column, n) => [x(n), column.places[k]]).filter(([, at]) => at !== null);
    const points = known.map(([at, value]) => `${at},${y(value)}`).join(" ");
    box.append(svg("polyline", { points, class: paint, "stroke-dasharray": DASHES[k % 5] }));
    for (const [at, value] of known) box.append(svg("circle", { cx: at, cy: y(value), r: 3.5, class: paint }));
  });
  return box;
}

const legend = (rows) => make("p", { class: "kdsharp-legend kdsharp-row" }, ...rows.map(({ name }, k) => {
  const line = svg("line", { x1: 0, x2: 32, y1: 6, y2: 6, class: `kdsharp-system kdsharp-system-${k % 5}`, "stroke-dasharray": DASHES[k % 5] });
  return make("span", {}, svg("svg", { width: 32, height: 12, "aria-hidden": "true" }, line), ` ${name}`);
}));

function table({ rows, columns, own }) {
  const text = (column, k) => {
    const value = column.values[k];
    if (value === null) return "";
    if (column === own) return `${value.toFixed(2)} (${rows[k].low.toFixed(2)} to ${rows[k].high.toFixed(2)})`;
    return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 2 ? 3 : 2);
  };
  const cells = (tag, words) => words.map((each) => make(tag, tag === "th" ? { scope: "col" } : {}, each));
  return make("div", { class: "kdsharp-scroll", tabindex: 0, role: "region", "aria-label": "the numbers" }, make("table", {},
    make("caption", {}, `Your ${own.name}, with the 95 % interval`),
    make("thead", {}, make("tr", {}, ...cells("th", ["system", ...columns.map((each) => each.name)]))),
    make("tbody", {}, ...rows.map(({ name }, k) =>
      make("tr", {}, make("th", { scope: "row" }, name), ...cells("td", columns.map((column) => text(column, k))))))));
}

function render({ model, el }) {
  const facts = model.get("facts"), { mode, rounds, systems } = facts, rating = mode === "rating", lines = diary(model);
  const asked = rating ? "How sharp is this picture?" : "Which of the two is sharper?";
  const key = `eyes:${facts.name}:${mode}`, before = recall(key), same = before?.id === facts.id;
  let answers = facts.given ?? (same ? before.answers : []);
  let lock = same ? before.lock : null;

  const remember = () => {
    const done = answers.length === rounds.length, grades = {};
    if (done && rating) for (const { name, value } of summary(facts, answers, lock).rows) grades[name] = value;
    return keep(key, { id: facts.id, lock, answers, grades });
  };
  const forget = () => {
    const again = button("Forget my answers and start over");
    again.addEventListener("click", () => {
      answers = [];
      lock = null;
      model.send({ restart: true });
      remember();
      ranking();
    });
    return again;
  };
  const heading = (text) => make("p", {}, make("b", {}, text));

  function ranking() {
    const order = [...systems], list = make("ol", { class: "kdsharp-order" });
    const place = () => list.replaceChildren(...order.map((name, k) => {
      const [up, down] = [-1, 1].map((step) => {
        const each = button(step < 0 ? "\u2191" : "\u2193");
        each.setAttribute("aria-label", `${name} ${step < 0 ? "up" : "down"}`);
        each.disabled = k + step < 0 || k + step >= order.length;
        each.dataset.lmSuppressShortcuts = "true";
        each.addEventListener("click", () => {
          order.splice(k + step, 0, order.splice(k, 1)[0]);
          place();
          said.textContent = `${name} is now number ${k + step + 1}.`;
          const again = list.children[k + step].querySelectorAll("button");
          (again[step < 0 ? 0 : 1].disabled ? again[step < 0 ? 1 : 0] : again[step < 0 ? 0 : 1]).focus();
        });
        return each;
      });
      return make("li", {}, make("span", {}, name), up, down);
    }));
    const said = make("p", { class: "kdsharp-unseen", "aria-live": "polite" }), start = button("Lock this ranking and start");
    place();
    start.addEventListener("click", () => {
      lock = [...order];
      remember();
      asking();
    });
    fill(el, "eyes", heading("First lock your ranking: which looks best, which worst?"), list, said, make("p", {}, start));
    el.dataset.stage = "ranking";
  }

  function asking() {
    const take = (value) => {
      model.send({ round: answers.length, answer: value });
      answers = [...answers, value];
      remember();
      if (answers.length === rounds.length) {
        lines.keep(`blind:${facts.name}:${mode}`, { kind: "blind", state: "done", question: asked, count: rounds.length });
      }
    };
    ask(el, facts, asked, answers.length, take, result);
  }

  function result() {
    const other = rating ? null : recall(`eyes:${facts.name}:rating`), grades = other?.grades ?? {};
    const found = summary(facts, answers, lock, Object.keys(grades).length ? grades : null);
    const save = make("a", {
      download: `eyes-${facts.name}-${mode}-${facts.seed}.csv`,
      href: "data:text/csv;charset=utf-8," + encodeURIComponent(csv(facts, answers)),
    }, "your answers as a CSV file");
    const status = make("div", { role: "status" }, ...sentences(facts, found).map((text) => make("p", {}, text)));
    fill(el, "eyes", heading(`Your ${found.own.name}, beside what formulas say`), legend(found.rows), plot(found), status, table(found),
      make("p", { class: "kdsharp-row" }, save, forget()));
    el.dataset.stage = "result";
  }

  if (answers.length === rounds.length) result();
  else if (lock || answers.length) asking();
  else ranking();
}

export default { render };
