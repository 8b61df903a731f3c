// Samples that are pictures: a grid of buttons, and strips.

import { drawPicture, fillStrip } from "./drawing.js";

const LARGE = 40; // pixels
const element = (id) => document.getElementById(id);
const placeOf = new WeakMap();

// How latents.js shows what it was answered; `choose` is told the place of a sample that is clicked.
export function picturesView({ shape }, choose) {
  element("space").classList.toggle("large-pictures", Math.max(...shape.slice(1)) > LARGE);
  return {
    count: 36,
    steps: 9,
    showSamples({ pictures }, placeAt) {
      const buttons = Array.from({ length: pictures.shape[0] }, (_, index) => makeSample(placeAt(index), pictures, index, `sample ${index + 1}`, choose));
      element("grid").replaceChildren(...buttons);
    },
    mark,
    showMoved: ({ pictures }) => drawPicture(element("large"), pictures, 0),
    showBetween: ({ pictures }) => fillStrip(element("between"), pictures),
    showAlong: ({ pictures }) => fillStrip(element("along"), pictures),
    showAround: ({ pictures }) => fillStrip(element("around"), pictures, ["A"]),
  };
}

// A button with picture `number` of those given.
export function makeSample(place, pictures, number, name, choose) {
  const button = document.createElement("button");
  const canvas = document.createElement("canvas");
  button.type = "button";
  button.className = "sample";
  button.setAttribute("aria-label", name);
  button.addEventListener("click", () => choose(place));
  drawPicture(canvas, pictures, number);
  button.append(canvas);
  placeOf.set(button, place);
  return button;
}

// Says on each sample whether it is A, B, both or none.
function mark(chosen) {
  for (const button of document.querySelectorAll(".sample")) {
    const own = placeOf.get(button);
    const slots = Object.keys(chosen).filter((slot) => chosen[slot].index === own.index && chosen[slot].found === own.found);
    if (slots.length) button.dataset.slots = slots.join(" ").toUpperCase();
    else delete button.dataset.slots;
    button.setAttribute("aria-pressed", String(slots.length > 0));
  }
}
