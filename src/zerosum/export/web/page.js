"use strict";

// A classic script: as a module it could not say what is wrong when the page is opened as a file.

const UNIFORM = Math.sqrt(3); // the bound of uniform latents, whose variance is 1 like that of normal ones
const WIDEST = { normal: 3, uniform: UNIFORM };
const element = (id) => document.getElementById(id);
const make = (name, properties) => Object.assign(document.createElement(name), properties);

let about, session, ort;
let samples = []; // what is shown: { latents, class, noise, pixels }
let chosen = 0;
let busy = Promise.resolve(); // the runtime computes one thing at a time

// Randomness is a function of (seed, purpose, sample), so that sample 3 is the same whatever the number of samples.
function stream(seed, purpose, number) {
  let state = (seed ^ Math.imul(purpose + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  for (let warming = 0; warming < 8; warming++) next();
  return next;
}

function normal(next) {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function drawLatents(seed, number, truncation) {
  const [first, again] = [stream(seed, 0, number), stream(seed, 1, number)];
  return Float32Array.from({ length: about.latent }, (_, place) => {
    let value = about.prior === "normal" ? normal(first) : (2 * first() - 1) * UNIFORM;
    if (place >= about.latent - about.binary) return value < 0 ? -1 : 1;
    if (truncation === null) return value;
    if (about.prior === "uniform") return value * truncation;
    while (Math.abs(value) > truncation) value = normal(again);
    return value;
  });
}

function drawClass(seed, number) {
  const seen = Object.values(about.classes);
  const wanted = element("class").value;
  if (seen.length === 0) return null;
  if (wanted !== "") return Number(wanted);
  let left = stream(seed, 2, number)() * seen.reduce((sum, count) => sum + count, 0);
  const found = seen.findIndex((count) => (left -= count) < 0);
  return found < 0 ? seen.length - 1 : found;
}

function drawNoise(seed, number) {
  const next = stream(seed, 3, number);
  return Float32Array.from({ length: about.noise }, next);
}

// Fill in the pixels, uint8 [C, H, W], of samples that have latents (and class, and noise).
function generate(group) {
  busy = busy.then(async () => {
    const size = group.length;
    const feeds = { latents: new ort.Tensor("float32", join(group, "latents"), [size, about.latent]) };
    if (group[0].class !== null) {
      feeds.classes = new ort.Tensor("int64", BigInt64Array.from(group, (each) => BigInt(each.class)), [size]);
    }
    if (about.noise) feeds.noise = new ort.Tensor("float32", join(group, "noise"), [size, about.noise]);
    const { samples: made } = await session.run(feeds);
    const each = made.data.length / size;
    group.forEach((sample, number) => (sample.pixels = made.data.slice(number * each, (number + 1) * each)));
  });
  return busy;
}

function join(group, name) {
  const joined = new Float32Array(group.length * group[0][name].length);
  group.forEach((sample, number) => joined.set(sample[name], number * sample[name].length));
  return joined;
}

function paint(canvas, pixels) {
  const [, height, width] = about.shape;
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  const planes = about.channels.map((channel) => channel * height * width);
  const colours = planes.length < 3 ? [planes[0], planes[0], planes[0]] : planes.slice(0, 3);
  const alpha = planes.length % 2 === 0 ? planes.at(-1) : null;
  for (let place = 0; place < height * width; place++) {
    colours.forEach((plane, colour) => (image.data[4 * place + colour] = pixels[plane + place]));
    image.data[4 * place + 3] = alpha === null ? 255 : pixels[alpha + place];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function truncation() {
  const slider = element("truncation");
  const value = slider.value === slider.max ? null : Number(slider.value);
  element("truncation-value").value = value === null ? "off" : value.toFixed(2);
  return value;
}

let drawing = 0; // the number of the newest request: what is late is not shown

async function draw() {
  const seed = element("seed");
  if (!seed.reportValidity()) return;
  const [base, within, mine] = [seed.valueAsNumber, truncation(), ++drawing];
  const group = Array.from({ length: Number(element("count").value) }, (_, number) => ({
    latents: drawLatents(base, number, within),
    class: drawClass(base, number),
    noise: drawNoise(base, number),
  }));
  await generate(group);
  if (mine !== drawing) return;
  samples = group;
  const columns = Math.sqrt(samples.length);
  element("grid").style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  while (element("grid").children.length > samples.length) element("grid").lastChild.remove();
  samples.forEach(show);
  choose(Math.min(chosen, samples.length - 1));
}

// Buttons stay while what they show changes: a click that ends the typing of a seed would else hit none.
function show(sample, number) {
  const button = element("grid").children[number] ?? addButton(number);
  button.setAttribute("aria-label", `Sample ${number + 1}${describeClass(sample)}`);
  paint(button.firstChild, sample.pixels);
}

function addButton(number) {
  const button = make("button", { type: "button", onclick: () => choose(number) });
  button.append(make("canvas"));
  element("grid").append(button);
  return button;
}

function describeClass(sample) {
  return sample.class === null ? "" : `, class ${Object.keys(about.classes)[sample.class]}`;
}

let edited; // a copy of the chosen sample, whose latents the sliders change

function choose(number) {
  chosen = number;
  [...element("grid").children].forEach((button, place) => button.setAttribute("aria-pressed", place === number));
  const sample = samples[number];
  edited = { ...sample, latents: sample.latents.slice() };
  element("chosen-number").textContent = `${number + 1}${describeClass(sample)}`;
  paint(element("large"), sample.pixels);
  for (const [place, slider] of [...element("latents").querySelectorAll("input")].entries()) {
    slider.value = edited.latents[place];
  }
}

async function edit(place, value) {
  const mine = edited;
  mine.latents[place] = value;
  await generate([mine]);
  if (mine === edited) paint(element("large"), mine.pixels);
}

function save() {
  element("large").toBlob((blob) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: `sample-${element("seed").value}-${chosen + 1}.png` });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

function makeControls() {
  const uniform = about.prior === "uniform";
  Object.assign(element("truncation"), uniform ? { min: 0.05, max: 1, value: 1 } : { min: 0.1, max: 3, value: 3 });
  element("truncation").parentElement.hidden = about.binary === about.latent;
  const names = Object.keys(about.classes);
  element("class-label").hidden = names.length === 0;
  element("class").append(make("option", { value: "", textContent: "all" }));
  names.forEach((name, number) => element("class").append(make("option", { value: number, textContent: name })));
  for (let place = 0; place < about.latent; place++) {
    const coin = place >= about.latent - about.binary;
    const widest = coin ? 1 : WIDEST[about.prior];
    const slider = make("input", { type: "range", min: -widest, max: widest, step: coin ? 2 : "any" });
    slider.addEventListener("input", () => edit(place, slider.valueAsNumber).catch(fail));
    const label = make("label", { textContent: String(place + 1) });
    label.append(slider);
    element("latents").append(label);
  }
  for (const id of ["seed", "count", "class"]) element(id).addEventListener("change", () => draw().catch(fail));
  element("truncation").addEventListener("input", () => draw().catch(fail));
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  element("next").addEventListener("click", () => {
    element("seed").value = ((element("seed").valueAsNumber || 0) + 1) % 2 ** 32;
    draw().catch(fail);
  });
  element("reset").addEventListener("click", () => choose(chosen));
  element("save").addEventListener("click", save);
}

function describe() {
  const [channels, height, width] = about.shape;
  document.title = about.name;
  element("name").textContent = about.name;
  element("about").textContent =
    `Pictures of ${height}×${width} pixels and ${channels} channel${channels === 1 ? "" : "s"}: a generative adversarial ` +
    `network makes them in your browser, as many as you like. None is a photo.`;
  element("footer").textContent =
    `Trained with ${about.software}; computed by onnxruntime-web ${about.runtime} (MIT licence). ` +
    `Seeds are this page's own: the same seed gives the same samples here, and others in Python.`;
}

function fail(error) {
  const status = element("status");
  status.setAttribute("role", "alert");
  status.hidden = false;
  status.textContent =
    location.protocol === "file:"
      ? "Browsers do not let a page that was opened as a file load the generator. Serve its folder, e.g. with " +
        "'python3 -m http.server', and open http://localhost:8000."
      : `The generator cannot run here: ${error.message ?? error}`;
}

async function fetchOk(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} is missing beside the page (${answer.status})`);
  return answer;
}

async function begin() {
  const folder = new URL("runtime/", location.href).href;
  const [described, file, runtime] = await Promise.all([
    fetchOk("about.json").then((answer) => answer.json()),
    fetchOk("generator.onnx").then((answer) => answer.arrayBuffer()),
    import(`${folder}ort.wasm.min.mjs`),
  ]);
  [about, ort] = [described, runtime];
  ort.env.wasm.wasmPaths = folder;
  ort.env.wasm.numThreads = 1;
  session = await ort.InferenceSession.create(new Uint8Array(file), { executionProviders: ["wasm"] });
  describe();
  makeControls();
  await draw();
  element("status").hidden = true;
  element("main").hidden = false;
}

begin().catch(fail);
