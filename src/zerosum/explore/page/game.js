// The game: frames come by a WebSocket, what is pressed goes back by it.

import { colours, drawChart, drawDots, drawHeat, drawPushes, plane } from "./drawing.js";
import { say, unpack } from "./messages.js";

const NUMBERS = ["generator_lr", "discriminator_lr", "k", "width"];
const COLUMNS = ["step", "discriminator-loss", "generator-loss", "divergence", "modes"];
const MOST_HISTORY = 4000;
const AGAIN = 1000; // milliseconds until a lost connection is tried again
const element = (id) => document.getElementById(id);

let socket = null;
let state = null;
let frame = null;
let history = [];
let drawn = true;
let nameData = () => {};

// `rename` is told which data are played, whenever these are others.
export function showGame(choices, rename) {
  nameData = rename;
  const form = element("settings");
  for (const [field, words] of Object.entries(choices)) {
    const own = field === "game" || field === "regularizer" ? [new Option("the recipe's", "")] : [];
    form.elements[field].replaceChildren(...own, ...words.map((word) => new Option(word, word)));
  }
  form.addEventListener("change", restart);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    restart();
  });
  element("restart").addEventListener("click", restart);
  element("play").addEventListener("click", () => tell(state?.pace.playing ? "pause" : "play"));
  element("iteration").addEventListener("click", () => tell("iteration"));
  element("line").addEventListener("click", () => tell("line"));
  element("slow").addEventListener("change", () => tell("pace", { slow: element("slow").checked }));
  element("stride").addEventListener("change", () => tell("pace", { stride: Number(element("stride").value) }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  connect();
}

function tell(command, values = {}) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ command, ...values }));
}

function restart() {
  const form = element("settings");
  for (const field of form.elements) field.removeAttribute("aria-invalid");
  say("");
  const settings = {};
  for (const { name, value } of form.elements) {
    const typed = value.trim();
    if (!name || typed === "") continue;
    if (NUMBERS.includes(name) && !Number.isFinite(Number(typed))) {
      refuse(name, `a number is needed, not “${typed}”`);
      return;
    }
    settings[name] = NUMBERS.includes(name) ? Number(typed) : typed;
  }
  tell("restart", { settings });
}

// Says what is wrong with a setting, in the words of its label, and marks it until it is right.
function refuse(name, problem) {
  const field = element("settings").elements[name];
  field.setAttribute("aria-invalid", "true");
  say(`${field.labels[0].firstChild.textContent.trim()}: ${problem}`);
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/game`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : take(unpack(data))));
  socket.addEventListener("close", () => {
    say("The program has ended, or is out of reach: start 'zerosum explore' again and open the address that it prints.");
    setTimeout(connect, AGAIN);
  });
}

function hear(message) {
  if (message.error) {
    if (element("settings").elements[message.field]) refuse(message.field, message.problem);
    else say(message.error);
    return;
  }
  const before = state;
  state = message;
  say(message.message);
  element("play").textContent = message.pace.playing ? "Pause" : "Play";
  element("slow").checked = message.pace.slow;
  element("caption").setAttribute("aria-live", message.pace.playing && !message.pace.slow ? "off" : "polite");
  element("stride").value = String(message.pace.stride);
  element("command").textContent = message.command;
  element("python").textContent = message.python;
  element("k-times").textContent = message.own.k > 1 ? `(k = ${message.own.k} times, with the next line)` : "";
  if (JSON.stringify(before?.settings) !== JSON.stringify(message.settings)) showSettings(message);
}

function showSettings({ settings, own }) {
  const form = element("settings");
  nameData(settings.data);
  for (const [name, value] of Object.entries(settings)) {
    form.elements[name].value = value ?? "";
    form.elements[name].removeAttribute("aria-invalid");
    if (NUMBERS.includes(name)) form.elements[name].placeholder = own[name] ?? "";
  }
}

function take(next) {
  if (next.arrays.history) {
    remember(next);
    return;
  }
  if (next.line === "start" || next.step < (history.at(-1)?.step ?? 0)) history = [];
  if (next.line === "done" || next.line === "start") history.push(Object.fromEntries(COLUMNS.map((name) => [name, next[name]])));
  if (history.length > MOST_HISTORY) history = history.filter((_, number) => number % 2 === 0);
  frame = next;
  if (drawn) {
    drawn = false;
    requestAnimationFrame(redraw);
  }
}

// What was measured before this page was opened.
function remember({ columns, arrays }) {
  const { values, shape } = arrays.history;
  history = Array.from({ length: shape[0] }, (_, row) =>
    Object.fromEntries(columns.map((name, column) => [name, values[row * shape[1] + column]])));
}

function redraw() {
  drawn = true;
  if (!frame) return;
  element("step").textContent = describeStep();
  element("caption").textContent = frame.caption;
  for (const item of element("algorithm").children) {
    if (item.dataset.lines === frame.line) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  const flat = frame.dimension === 1;
  element("best-figure").hidden = flat;
  element("best-figure").parentElement.classList.toggle("single", flat);
  element("drawn-legend").hidden = !frame.arrays["drawn-fake"];
  (flat ? drawLine : drawPlane)();
  drawHistory();
  showFigures();
}

function describeStep() {
  const [step, next, steps] = [frame.step, frame.step + 1, frame.steps].map((number) => number.toLocaleString("en"));
  const between = frame.line === "start" || frame.line === "done";
  return between ? `${step} of ${steps} iterations are done.` : `Iteration ${next} of ${steps}:`;
}

function describeAnswer() {
  return frame.probabilities
    ? "D's answer: its probability that a point here is real"
    : "D's answer, which in this game is no probability: shown from its mean for fakes to its mean for real points";
}

function drawPlane() {
  const [board, best, palette] = [element("board"), element("best"), colours()];
  board.width = board.height = best.height = best.width;
  const { arrays } = frame;
  drawHeat(board, arrays.d.values, frame.cells);
  const place = plane(board, frame);
  drawPushes(board, place, arrays.fake, arrays.push, frame.half, palette.text);
  drawDots(board, place, arrays.real, palette.real);
  drawDots(board, place, arrays.fake, palette.fake);
  if (arrays["drawn-real"]) drawDots(board, place, arrays["drawn-real"], palette.real, { radius: 4.5, hollow: true });
  if (arrays["drawn-fake"]) drawDots(board, place, arrays["drawn-fake"], palette.fake, { radius: 4.5, hollow: true });
  drawHeat(best, arrays.best.values, frame.cells, arrays.seen.values);
  element("board-caption").textContent = `${describeAnswer()}. Blue: real; orange: generated.`;
}

// Figure 1 of the paper: both densities, D and D* over the line; below, points and where the fakes are pushed.
function drawLine() {
  const [board, palette] = [element("board"), colours()];
  board.width = 1000;
  board.height = 620;
  const pen = board.getContext("2d");
  const { arrays } = frame;
  const floor = board.height - 46;
  const most = 1.15 * Math.max(...arrays["p-data"].values, ...arrays["p-g"].values);
  const width = board.width / frame.cells;
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, board.width, board.height);
  const trace = (values, top, colour, dash, fill = false) => {
    pen.beginPath();
    pen.setLineDash(dash);
    values.forEach((value, cell) => pen.lineTo((cell + 0.5) * width, floor - (value / top) * (floor - 10)));
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 2;
    if (fill) {
      pen.lineTo(board.width, floor);
      pen.lineTo(0, floor);
      pen.globalAlpha = 0.25;
      pen.fill();
      pen.globalAlpha = 1;
    } else pen.stroke();
    pen.setLineDash([]);
  };
  trace(arrays["p-g"].values, most, palette.fake, [], true);
  trace(arrays["p-g"].values, most, palette.fake, []);
  trace(arrays["p-data"].values, most, palette.real, []);
  trace(arrays.d.values, 1.05, palette.text, []);
  trace(arrays.best.values, 1.05, palette.text, [3, 5]);
  pen.strokeStyle = palette.line;
  pen.lineWidth = 1;
  pen.strokeRect(0, 10, board.width, floor - 10);
  const place = plane(board, frame);
  drawPushes(board, place, arrays.fake, arrays.push, frame.half, palette.text, floor + 30);
  drawDots(board, place, arrays.real, palette.real, { radius: 2.2, height: floor + 12 });
  drawDots(board, place, arrays.fake, palette.fake, { radius: 2.2, height: floor + 30 });
  for (const kind of ["real", "fake"]) {
    const points = arrays[`drawn-${kind}`];
    if (points) drawDots(board, place, points, palette[kind], { radius: 4, hollow: true, height: floor + (kind === "real" ? 12 : 30) });
  }
  element("board-caption").textContent =
    `Blue: the density of the data, exact; orange: the generator's, counted from 4,096 fakes. Black or white, solid: ` +
    `${describeAnswer()}, from 0 to 1; dotted: the best one, D* = p_data / (p_data + p_g), for this generator (Proposition 1).`;
}

function drawHistory() {
  const palette = colours();
  const xs = history.map((each) => each.step);
  const column = (name) => history.map((each) => each[name]);
  const range = { from: 0, to: Math.max(1, frame.step) };
  drawChart(element("losses"), [
    { xs, ys: column("discriminator-loss"), colour: palette.real },
    { xs, ys: column("generator-loss"), colour: palette.fake },
  ], range);
  drawChart(element("divergences"), [
    { xs, ys: column("divergence"), colour: palette.text },
    { xs: [0, range.to], ys: [frame.floor, frame.floor], colour: palette.real, dashed: true },
  ], { low: 0, high: Math.LN2, ...range });
  element("modes-figure").hidden = frame["modes-in-all"] < 2;
  drawChart(element("modes"), [{ xs, ys: column("modes"), colour: palette.text }], { low: 0, high: frame["modes-in-all"], ...range });
}

function showFigures() {
  const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));
  const rows = [
    ["Jensen-Shannon divergence in cells, in nats", number(frame.divergence)],
    ["what 4,096 real points score, by the noise of counting alone", number(frame.floor)],
  ];
  if (frame["modes-in-all"] > 1) rows.push(["modes covered", `${frame.modes} of ${frame["modes-in-all"]}`]);
  rows.push(
    ["fakes within 3 sigma of a mode", `${(100 * frame["high-quality"]).toFixed(1)}%`],
    ["discriminator's loss", number(frame["discriminator-loss"])],
    ["penalty added to it", number(frame.penalty)],
    ["generator's loss", number(frame["generator-loss"])],
    ["mean size of a push: the gradient of the generator's loss at a fake", number(frame.push)],
  );
  if (frame.probabilities) {
    rows.push(
      ["mean D(x) of real points", number(frame["d-real"])],
      ["mean D(G(z)) of fakes", number(frame["d-fake"])],
      ["V(D, G)", number(frame.value)],
      ["the most that V can be for this generator: −log 4 + 2 times the divergence", number(frame["best-value"])],
    );
  }
  element("figures").replaceChildren(
    ...rows.flatMap(([term, value]) => [["dt", term], ["dd", value]]).map(([tag, text]) => {
      const made = document.createElement(tag);
      made.textContent = text;
      return made;
    }),
  );
}
