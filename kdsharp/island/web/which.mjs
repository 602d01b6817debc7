// Which one is it? Two pictures a round, one of them by the method that is looked for; the count stands beside chance.
import { ask, exchanging } from "./asking.mjs";
import { diary } from "./diary.mjs";
import { fill, make } from "./make.mjs";
import { keep, recall } from "./store.mjs";

const FEW = 0.05; // as everywhere in the course: what guessing does less often than this is not called guessing

/** What a count says: `chances[k]` is the probability to find at least k by guessing. */
export function verdict(right, chances) {
  const count = chances.length - 1, percent = (value) => `${(100 * value).toFixed(1)} %`;
  const said = `Somebody who only guesses finds ${right} or more of ${count} in ${percent(chances[right])} of all tries. `;
  if (chances[right] < FEW) return `${said}So you can tell them apart, on these crops.`;
  if (1 - (chances[right + 1] ?? 0) < FEW) {
    return `${said}So few are rarer than guessing, too: you can tell them apart, and take the one for the other.`;
  }
  const enough = chances.findIndex((chance) => chance < FEW);
  return `${said}That is no proof that you see a difference, nor that there is none: ` +
    (enough < 0 ? `with ${count} crops nothing could prove it.` : `with ${count} crops it takes ${enough} (${percent(chances[enough])}).`);
}

function render({ model, el }) {
  const facts = model.get("facts"), { rounds, wanted, other, choices, chances, beside } = facts;
  const key = `which:${facts.name}`, before = recall(key), lines = diary(model);
  let answers = before?.id === facts.id ? before.answers : [];

  const remember = () => keep(key, { id: facts.id, answers });
  const isRight = (value, k) => rounds[k][value] === wanted, found = () => answers.filter(isRight).length;
  const take = (value) => {
    answers = [...answers, value];
    remember();
    if (answers.length === rounds.length) {
      lines.keep(`blind:${facts.name}`, { kind: "blind", state: "done", question: facts.question, right: found(), count: rounds.length });
    }
  };
  function result() {
    const right = found();
    const again = make("button", { type: "button" }, "Forget my answers and start over");
    again.addEventListener("click", () => {
      answers = [];
      remember();
      asking();
    });
    const cell = (tag, words, more = {}) => make(tag, more, words);
    const head = ["crop", "A was", "B was", "you said", ""].map((each) => cell("th", each, { scope: "col" }));
    const rows = rounds.map(([scene, first, second], k) => make("tr", {}, cell("th", scene, { scope: "row" }),
      ...[first, second, choices[answers[k] - 1][1], isRight(answers[k], k) ? "found" : "missed"].map((each) => cell("td", each))));
    const table = make("div", { class: "kdsharp-scroll", tabindex: 0, role: "region", "aria-label": "round by round" },
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
    const pairs = rounds.map(([scene]) => make("div", { class: "kdsharp-blind" }, ...[wanted, other].map((system) => make("figure", {},
      make("img", { src: facts.pictures[system][scene], alt: `${scene}: ${system}`, width: facts.width }), make("figcaption", {}, system)))));
    fill(el, "eyes",
      make("div", { role: "status" }, make("p", {}, make("b", {}, `You found ${wanted} in ${right} of ${rounds.length}.`)),
        make("p", {}, verdict(right, chances)), ...(beside ? [make("p", {}, beside)] : [])),
      table, make("details", {}, make("summary", {}, "All pairs, with their names"),
        ...pairs.flatMap((pair) => [pair, make("p", {}, exchanging(...pair.querySelectorAll("img")))])), make("p", { class: "kdsharp-row" }, again));
    el.dataset.stage = "result";
  }
  const asking = () => ask(el, facts, facts.question, answers.length, take, result);
  asking();
}

export default { render };
