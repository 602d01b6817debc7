// What a reader did in a lesson, entry by entry: in a file by way of the kernel where there is one, else in her browser.
import { keep, recall } from "./store.mjs";

export const PREFIX = "ledger:";
const HEARD = "kdsharp-kept";

/** The lesson of a page by its address: `.../lessons/05_known_blur.html` is `05_known_blur`. */
export function lessonOf(address) {
  return (address.split(/[?#]/)[0].split("/").pop() ?? "").replace(/\.\w+$/, "");
}

/**
 * The entries of an island's lesson: `recall(name)`, `keep(name, entry)`, which notes when she `met` it first (a store
 * keeps no order, and a report reads in that of the page), and `hear(name, heard)`, which is called with
 * each new version of an entry, whichever island of the page made it, until `ended` (an AbortSignal).
 */
export function diary(model) {
  const { lesson: said, kept } = model.get("facts");
  const lesson = said || lessonOf(globalThis.location?.pathname ?? "");
  const whole = (name) => `${PREFIX}${lesson}:${name}`;
  return {
    lesson,
    recall: (name) => (kept ? (kept[name] ?? null) : recall(whole(name))),
    keep(name, given) {
      const met = this.recall(name)?.met ?? performance.timeOrigin + performance.now();
      const entry = { ...given, met };
      if (kept) {
        kept[name] = entry;
        model.send({ keep: [name, entry] });
      } else keep(whole(name), entry);
      globalThis.dispatchEvent(new CustomEvent(HEARD, { detail: { lesson, name, entry } }));
    },
    hear(name, heard, ended) {
      const pass = ({ detail }) => {
        if (detail.lesson !== lesson || detail.name !== name) return;
        if (kept) kept[name] = detail.entry;
        heard(detail.entry);
      };
      globalThis.addEventListener(HEARD, pass, { signal: ended });
    },
  };
}
