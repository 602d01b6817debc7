// The answer to a prediction: not in the page before she has locked hers; then hers stands beside it.
import { diary } from "./diary.mjs";
import { fill, make, parsed } from "./make.mjs";
import { said } from "./predict.mjs";

/** Whether an answer counts as right beside the measured one. */
export function isRight(answer, measured, { choices, within, factor }) {
  if (choices) return answer === measured;
  if (within !== null) return Math.abs(answer - measured) <= within * (1 + 1e-9);
  return answer === measured || (answer * measured > 0 && answer / measured <= factor && measured / answer <= factor);
}

/** How far a number lies from the measured one, in words. */
export function distance(answer, measured, { unit, within }) {
  const off = answer - measured;
  if (off === 0) return "exactly";
  if (within === null && answer * measured > 0) {
    const ratio = Math.max(answer / measured, measured / answer);
    return `${Number(ratio.toPrecision(ratio < 10 ? 2 : 3))} times too ${Math.abs(answer) > Math.abs(measured) ? "large" : "small"}`;
  }
  const apart = unit === "%" ? "percentage points" : unit; // 84 % less would be another number
  return `${said(Number(Math.abs(off).toPrecision(3)), apart)} too ${off > 0 ? "high" : "low"}`;
}

function render({ model, el }) {
  const facts = model.get("facts"), { name, unit, plain } = facts;
  const lines = diary(model), ending = new AbortController();
  let entry = lines.recall(name), asked = false, shown = false;

  const open = ({ measured, shown: pieces, text }, focus) => {
    shown = true;
    const verdict = make("p", { class: "kdsharp-verdict", tabindex: -1 });
    if (entry?.state === "locked") {
      const right = isRight(entry.answer, measured, facts);
      verdict.append(
        make("span", {}, make("b", {}, "You: "), `${said(entry.answer, unit)} (${entry.sure} % sure)`),
        make("span", {}, make("b", {}, "Measured: "), said(measured, unit)),
        make("span", { class: right ? "kdsharp-right" : "kdsharp-wrong" },
          right ? "Right." : facts.choices ? "Not this time." : `Not this time: ${distance(entry.answer, measured, facts)}.`),
      );
      if (entry.measured !== measured || entry.right !== right) lines.keep(name, (entry = { ...entry, measured, right }));
    } else verdict.append(make("span", {}, make("b", {}, "Measured: "), said(measured, unit)));
    fill(el, "reveal", verdict, parsed(pieces), parsed(text));
    if (focus) verdict.focus();
  };
  const ask = (focus) => {
    if (asked) return;
    asked = true;
    if (facts.answer) open(facts.answer, focus);
    else {
      model.on("change:answer", () => open(model.get("answer"), focus));
      model.send({ open: true });
    }
  };
  const follow = (newer) => {
    entry = newer;
    if (entry && entry.state !== "open" && !shown) ask(false);
  };
  const anyway = make("button", { type: "button" }, "Show anyway");
  anyway.addEventListener("click", () => {
    asked = true; // what is kept now is heard here too
    lines.keep(name, { kind: "prediction", state: "skipped", question: plain, unit: unit ?? "", at: new Date().toISOString() });
    asked = false;
    ask(true);
  });
  lines.hear(name, follow, ending.signal);
  const hint = make("span", {}, "The answer opens here when you have locked yours above.");
  fill(el, "reveal", make("p", { class: "kdsharp-row kdsharp-closed" }, hint, anyway));
  follow(entry);
  return () => ending.abort();
}

export default { render };
