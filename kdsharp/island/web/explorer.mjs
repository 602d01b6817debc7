// A slider or two over pictures: from the kernel where there is one, else from the frames that were drawn beforehand.
import { fill, make } from "./make.mjs";
import { neighbours, place, sliderRows } from "./sliders.mjs";

const PHONE = 350; // pixels that a phone shows beside each other; a wider picture is drawn narrow, or moved sideways

function render({ model, el }) {
  const { title, sliders, frames, width, narrow, lettering, photo, first } = model.get("facts");
  const shape = sliders.map((slider) => slider.values.length);
  const image = make("img", { width, src: first[0], alt: first[1], "data-lettering": lettering ?? undefined, "data-photo": photo });
  const phone = matchMedia("(max-width: 600px)"), source = make("source", { media: phone.media, width: narrow ?? width });
  const pan = () => make("div", { class: "kdsharp-pan", tabindex: 0, role: "region", "aria-label": `${title}: the picture` }, image);
  const stage = first[2] ? make("picture", {}, source, image) : width > PHONE ? pan() : image;
  if (first[2]) source.srcset = first[2];
  const spoken = make("p", { class: "kdsharp-unseen", "aria-live": "polite" });
  const trouble = make("p", { class: "kdsharp-note", role: "alert", hidden: true });
  let wanted = null, asked = null, number = 0; // the newest position, the one that the kernel draws, how many it has drawn

  const show = ([address, alt, small]) => {
    source.srcset = small ?? address; // a live kernel draws no narrow form
    source.width = small ? narrow : width;
    image.src = address;
    image.alt = spoken.textContent = alt;
  };
  const fetchNear = (position) => {
    for (const near of neighbours(position, shape)) {
      const [address, , small] = frames[place(near, shape)];
      new Image().src = phone.matches && small ? small : address;
    }
  };
  const ask = () => {
    asked = wanted;
    el.setAttribute("aria-busy", "true");
    model.send({ position: asked, number: ++number }); // an answer that is the last one again would not be heard
  };
  const moved = (position) => {
    if (frames) {
      show(frames[place(position, shape)]);
      fetchNear(position);
      return;
    }
    wanted = position;
    if (asked === null) ask(); // one at a time: what lies between is skipped
  };
  const { rows, position } = sliderRows(sliders, moved);
  model.on("change:answer", () => {
    const { picture, error } = model.get("answer");
    el.removeAttribute("aria-busy");
    trouble.hidden = !error;
    if (error) trouble.textContent = error;
    else show(picture);
    const newer = asked !== wanted;
    asked = null;
    if (newer) ask();
  });
  fill(el, "explorer", make("p", {}, make("b", {}, title)), ...rows, stage, trouble, spoken);
  if (frames) fetchNear(position());
}

export default { render };
