// Samples that are points: all in one plane, by their first two coordinates; points on the line in rows of their own.

import { colours, drawDots, drawPath, plane } from "./drawing.js";

const COUNT = 256;
const STEPS = 33; // of a way: one may lead from mode to mode at a leap
const FLAT = 260; // the canvas's height for points on the line, in pixels
const ROWS = { samples: 0.15, around: 0.4, along: 0.6, between: 0.8 }; // shares of that height
const NEAR = 24; // pixels from a click to the point that is meant
const element = (id) => document.getElementById(id);

// How latents.js shows what it was answered; `choose` is told a sample's place, and the slot where that is named.
export function pointsView({ shape, window: frame }, choose) {
  const canvas = element("plane");
  const shown = {};
  const flat = shape[0] === 1;
  if (flat) canvas.height = FLAT;
  const rowOf = (name) => (flat ? ROWS[name] * canvas.height : null);
  let placeAt = null;

  function show(name, points) {
    shown[name] = points;
    requestAnimationFrame(() => draw(canvas, frame, shown, rowOf));
  }

  canvas.addEventListener("click", (event) => {
    const index = findNearest(canvas, plane(canvas, frame), shown.samples, rowOf("samples"), event);
    if (index !== null) choose(placeAt(index));
  });
  for (const slot of ["a", "b"]) {
    Object.assign(element(`number-${slot}`), { max: COUNT, required: true });
    element(`number-${slot}`).addEventListener("change", (event) => {
      if (event.target.reportValidity()) choose(placeAt(Number(event.target.value) - 1), slot);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(canvas, frame, shown, rowOf));
  return {
    count: COUNT,
    steps: STEPS,
    showSamples({ points }, at) {
      placeAt = at;
      show("samples", points);
    },
    mark(chosen) {
      for (const [slot, { index }] of Object.entries(chosen)) element(`number-${slot}`).value = String(index + 1);
    },
    showMoved: ({ points }) => show("moved", points),
    showBetween: ({ points }) => show("between", points),
    showAlong: ({ points }) => show("along", points),
    showAround: ({ points }) => show("around", points),
  };
}

function draw(canvas, frame, shown, rowOf) {
  const pen = canvas.getContext("2d");
  const palette = colours();
  const place = plane(canvas, frame);
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  if (shown.samples) drawDots(canvas, place, shown.samples, palette.fake, { height: rowOf("samples") });
  if (shown.around) drawDots(canvas, place, shown.around, palette.quiet, { radius: 4, hollow: true, height: rowOf("around") });
  for (const [name, colour] of [["along", palette.real], ["between", palette.text]]) {
    if (!shown[name]) continue;
    drawPath(canvas, place, shown[name], colour, rowOf(name));
    drawDots(canvas, place, shown[name], colour, { radius: 2.5, height: rowOf(name) });
  }
  if (shown.moved) drawDots(canvas, place, shown.moved, palette.text, { radius: 7, hollow: true, height: rowOf("along") });
  if (shown.between) nameEnds(pen, place, shown.between, palette, rowOf("between"));
  element("plane-words").textContent = describe(frame, shown);
}

// The way from A to B begins at A and ends at B.
function nameEnds(pen, place, way, palette, row) {
  pen.font = "bold 16px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.lineWidth = 4;
  pen.strokeStyle = palette.ground;
  pen.fillStyle = palette.text;
  for (const [name, point] of [["A", pointOf(way, 0)], ["B", pointOf(way, way.shape[0] - 1)]]) {
    const at = [place.x(point[0]), (row ?? place.y(point[1])) - 8];
    pen.strokeText(name, ...at);
    pen.fillText(name, ...at);
  }
}

function describe({ middle, half }, { between, moved }) {
  const round = (value) => value.toFixed(2).replace("-", "−");
  const write = (point) => `(${[...point].map(round).join(", ")})`;
  const ends = between ? ` A is ${write(pointOf(between, 0))}, B is ${write(pointOf(between, between.shape[0] - 1))}` : "";
  const where = moved && between ? `${ends}; A, moved, is ${write(pointOf(moved, 0))}.` : "";
  const sides = middle.map((each) => `${round(each - half)} to ${round(each + half)}`);
  return `${where} The picture reaches from ${sides.join(" across, and from ")}${sides.length > 1 ? " upwards" : ""}.`.trim();
}

function pointOf({ values, shape }, number) {
  return values.subarray(number * shape[1], (number + 1) * shape[1]);
}

// The sample next to a click, if one is near.
function findNearest(canvas, place, samples, row, event) {
  if (!samples) return null;
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  let [nearest, least] = [null, NEAR];
  for (let index = 0; index < samples.shape[0]; index += 1) {
    const point = pointOf(samples, index);
    const distance = Math.hypot(place.x(point[0]) - x, (row ?? place.y(point[1])) - y);
    if (distance < least) [nearest, least] = [index, distance];
  }
  return nearest;
}
