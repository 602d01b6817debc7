// A loupe for every photo of a page: press on it, or Enter; it follows the mouse and the arrow keys; Escape closes it.
import { make } from "./make.mjs";

export const GAIN = 3; // the loupe's pixels for one of the page; the file has two, so that a fine screen shows squares
const SIDE = 210, STEP = 12;
const WORDS = "Press for a loupe; by keyboard: Enter, then the arrow keys; Escape closes it.";

/** Where the picture lies under a loupe whose middle shows the place (x, y) of it, as a background is placed. */
export const offset = (x, y, side = SIDE, gain = GAIN) => [side / 2 - gain * x, side / 2 - gain * y];

/** Let the photos of a page be looked at closely, those too that an island shows later. */
export function lendLoupe(page) {
  const glass = make("div", { class: "kdsharp-loupe", "aria-hidden": "true", hidden: true });
  let image = null, at = [0, 0];
  page.body.append(glass);

  const close = () => {
    glass.hidden = true;
    image = null;
  };
  const show = () => {
    const box = image.getBoundingClientRect(), [x, y] = at, [left, top] = offset(x, y);
    const within = (value, most) => Math.max(0, Math.min(most - SIDE, value));
    const view = image.closest(".kdsharp-pan")?.getBoundingClientRect() ?? box; // what is moved sideways is seen in part
    Object.assign(glass.style, {
      left: `${within(Math.max(view.left, box.left + x) - SIDE / 2, innerWidth)}px`,
      top: `${within(box.top + y - SIDE / 2, innerHeight)}px`,
      backgroundImage: `url("${image.currentSrc || image.src}")`,
      backgroundSize: `${GAIN * box.width}px ${GAIN * box.height}px`,
      backgroundPosition: `${left}px ${top}px`,
    });
    glass.hidden = false;
  };
  const look = (target, x, y) => {
    image = target;
    at = [Math.max(0, Math.min(target.clientWidth, x)), Math.max(0, Math.min(target.clientHeight, y))];
    show();
  };
  const place = (event, target) => {
    const box = target.getBoundingClientRect();
    look(target, event.clientX - box.left, event.clientY - box.top);
  };

  page.addEventListener("click", (event) => {
    const target = event.target.closest?.("img[data-photo]");
    if (!target || target === image) close();
    else place(event, target);
  });
  page.addEventListener("pointermove", (event) => {
    if (!image || event.pointerType !== "mouse") return;
    const { left, right, top, bottom } = image.getBoundingClientRect(), { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) close();
    else place(event, image);
  });
  page.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    const target = event.target;
    if (!target.matches?.("img[data-photo]")) return;
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key === "Enter") {
      if (target === image) close();
      else look(target, target.clientWidth / 2, target.clientHeight / 2);
    } else if (step && target === image) {
      look(target, at[0] + step[0], at[1] + step[1]);
      event.preventDefault();
    }
  }, true); // an island keeps its keys to itself
  page.addEventListener("focusout", (event) => { if (event.target === image) close(); });
  addEventListener("scroll", () => { if (image) show(); }, true);
  page.addEventListener("load", ({ target }) => { if (target === image) show(); }, true); // a slider has drawn it anew

  const offer = () => {
    for (const each of page.querySelectorAll("img[data-photo]:not([tabindex])")) Object.assign(each, { tabIndex: 0, title: WORDS });
  };
  offer();
  new MutationObserver(offer).observe(page.body, { childList: true, subtree: true });
}
