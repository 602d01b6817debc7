// Finds the islands of a page and lets each run without a kernel, when the reader comes near it.

/** Stands for anywidget's model where there is no kernel: it holds values, and tells who listens. */
export class PageModel {
  constructor(values) {
    this.values = values;
    this.listeners = [];
  }
  get(name) {
    return this.values[name];
  }
  set(name, value) {
    this.values[name] = value;
    for (const [event, listen] of this.listeners) if (event === `change:${name}`) listen();
  }
  on(event, listen) {
    this.listeners.push([event, listen]);
  }
  off() {
    this.listeners = [];
  }
  save_changes() {}
  send() {}
}

/** Run one island in the place of its still; `load(name)` gives its module. */
export async function mount(root, load) {
  const facts = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const el = document.createElement("div");
  const island = await load(root.dataset.island);
  await island.render({ model: new PageModel({ facts, answer: {} }), el });
  root.querySelector(".kdsharp-still").replaceWith(el);
  root.dataset.ready = "";
}

/** Open a sealed still: where its island cannot run, nobody shall miss what is in it. */
export function unseal(root) {
  const seal = root.querySelector(".kdsharp-still > noscript");
  if (seal) seal.outerHTML = seal.textContent;
}

/** Run all islands of the page, each when it is less than a screen away; printing runs none. */
export function findIslands(load) {
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        mount(target, load).catch((error) => {
          target.dataset.failed = error.message; // the still stays
          unseal(target);
          console.error(error);
        });
      }
    },
    { rootMargin: "100%" },
  );
  const all = document.querySelectorAll("[data-island]");
  for (const root of all) watch.observe(root);
  addEventListener("beforeprint", () => all.forEach(unseal));
}
