// A latent space: a place in it is how its latent was drawn and how far it was moved; the program keeps the latents.

import { fillStrip } from "./drawing.js";
import { askArrays, newest } from "./messages.js";
import { makeSample, picturesView } from "./pictures.js";
import { pointsView } from "./points.js";
import { showSearch } from "./search.js";

const REACH = 4; // standard deviations
const element = (id) => document.getElementById(id);

let space = null;
let view = null;
let moves = {};
let direction = 0;
const SLOTS = ["a", "b"];
const chosen = { a: null, b: null };

export function showLatents(found, whyNot) {
  element("no-space").textContent = whyNot;
  element("no-space").hidden = !whyNot;
  element("space").hidden = !found;
  if (!found) return;
  space = found;
  element("space").classList.toggle("of-points", found.shape.length === 1);
  view = found.shape.length === 1 ? pointsView(found, choose) : picturesView(found, choose);
  element("class-label").hidden = !found.classes.length;
  element("class").replaceChildren(new Option("any", ""), ...found.classes.map((name) => new Option(name, name)));
  element("truncation-label").hidden = !found.truncates;
  const truncation = element("truncation");
  truncation.max = String(found["most-truncation"] + 0.1); // its right end is none
  truncation.value = truncation.max;
  for (const kind of [...element("kind").options]) kind.hidden = kind.disabled = !found.directions[kind.value];
  element("kind").value = found.directions.sefa ? "sefa" : "ganspace";
  element("nearest").hidden = !found.training;
  element("seed").addEventListener("change", drawGrid);
  element("next-seed").addEventListener("click", () => {
    element("seed").value = /^\d+$/.test(element("seed").value.trim()) ? String(BigInt(element("seed").value.trim()) + 1n) : "0";
    drawGrid();
  });
  for (const id of ["class", "truncation"]) element(id).addEventListener("input", drawGrid);
  element("kind").addEventListener("change", makeSliders);
  element("put-back").addEventListener("click", putBack);
  element("nearest").addEventListener("click", () => findTraining());
  element("share").addEventListener("input", () => lookAround());
  if (found.finds) showSearch(found["most-bytes"], askSeed, (...given) => makeSample(...given, choose));
  makeSliders();
  drawGrid();
}

function askSeed() {
  const { seed, label } = drawnPlace(0);
  return label === undefined ? { seed } : { seed, label };
}

function drawnPlace(index) {
  const truncation = Number(element("truncation").value);
  const place = { seed: element("seed").value.trim(), index };
  if (element("class").value) place.label = element("class").value;
  if (space.truncates && truncation <= space["most-truncation"]) place.truncation = truncation;
  return place;
}

function movedPlace() {
  const [kind, amounts] = [element("kind").value, Object.entries(moves)];
  return { ...chosen.a, moves: amounts.map(([number, amount]) => ({ kind, number: Number(number), amount })) };
}

const drawGrid = newest(async () => {
  const truncation = Number(element("truncation").value);
  element("truncation-value").textContent = truncation <= space["most-truncation"] ? truncation.toFixed(1) : "none";
  const answer = await askArrays("latents/draw", { place: drawnPlace(0), count: view.count });
  element("sample-command").textContent = answer.command;
  view.showSamples(answer.arrays, drawnPlace);
  if (!isFound(chosen.a)) clearMoves();
  SLOTS.forEach((slot, index) => {
    if (!isFound(chosen[slot])) chosen[slot] = drawnPlace(index);
  });
  showAll();
}, "drawGrid");

const isFound = (place) => Number.isInteger(place?.found);

function choose(place, slot = document.querySelector("[name=slot]:checked").value) {
  chosen[slot] = place;
  if (slot === "a") clearMoves();
  showAll();
}

function clearMoves() {
  moves = {};
  element("training").replaceChildren();
  for (const slider of document.querySelectorAll("#sliders input")) {
    slider.value = "0";
    slider.nextElementSibling.textContent = "0.0";
  }
}

function putBack() {
  clearMoves();
  showAll();
}

function showAll() {
  view.mark(chosen);
  showMoved();
  goBetween();
  goAlong();
  lookAround();
}

function makeSliders() {
  const kind = element("kind").value;
  moves = {};
  direction = 0;
  element("sliders").replaceChildren(
    ...Array.from({ length: space.directions[kind] }, (_, number) => {
      const [label, name, slider, output] = ["label", "span", "input", "output"].map((tag) => document.createElement(tag));
      Object.assign(slider, { type: "range", min: -REACH, max: REACH, step: 0.1, value: 0 });
      name.textContent = String(number + 1);
      slider.setAttribute("aria-label", `direction ${number + 1}, in standard deviations`);
      output.textContent = "0.0";
      slider.addEventListener("input", () => {
        moves[number] = Number(slider.value);
        output.textContent = moves[number].toFixed(1);
        direction = number;
        showMoved();
        goAlong();
      });
      label.append(name, slider, output);
      return label;
    }),
  );
  if (chosen.a) showAll();
}

const showMoved = newest(async () => {
  const { arrays } = await askArrays("latents/show", movedPlace());
  view.showMoved(arrays);
}, "showMoved");

const goBetween = newest(async () => {
  const { arrays } = await askArrays("latents/go", { start: chosen.a, goal: chosen.b, steps: view.steps });
  view.showBetween(arrays);
}, "goBetween");

const goAlong = newest(async () => {
  element("along-name").textContent = `direction ${direction + 1}, from −${REACH} to ${REACH} standard deviations`;
  if (!space.directions[element("kind").value]) return;
  const question = { place: chosen.a, kind: element("kind").value, number: direction, reach: REACH, steps: view.steps };
  const { arrays } = await askArrays("latents/along", question);
  view.showAlong(arrays);
}, "goAlong");

const lookAround = newest(async () => {
  const share = Number(element("share").value);
  element("share-value").textContent = `${Math.round(100 * share)}% of the way to other samples`;
  const { arrays } = await askArrays("latents/around", { place: chosen.a, share });
  view.showAround(arrays);
}, "lookAround");

const findTraining = newest(async () => {
  element("training").textContent = "Comparing with all training images …";
  let answer;
  try {
    answer = await askArrays("latents/training", movedPlace());
  } catch (error) {
    element("training").replaceChildren();
    throw error;
  }
  const { arrays, distances } = answer;
  fillStrip(element("training"), arrays.pictures, distances.map((distance) => distance.toFixed(0)));
  const note = document.createElement("p");
  note.className = "quiet";
  note.textContent = "The number is the root mean square difference of a pixel, of 255.";
  element("training").append(note);
}, "findTraining");
