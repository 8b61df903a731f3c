// A run, asked for again and again while it trains.

import { colours, drawChart } from "./drawing.js";
import { askJson, newest } from "./messages.js";

const EVERY = 2000; // milliseconds
const QUIET = 120; // seconds without a line, after which a run seems to stand still
const element = (id) => document.getElementById(id);

let steps = [];
let shown = null;
let run = null;

export function showRun() {
  element("time").addEventListener("input", () => showPicture());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCurves);
  const again = async () => {
    await refresh();
    setTimeout(again, EVERY);
  };
  again();
}

const refresh = newest(async () => {
  run = await askJson("run");
  element("run-known").hidden = false;
  element("run-about").textContent = run.about;
  element("progress").value = run.done / run.steps;
  element("run-state").textContent = describeState();
  showPictures();
  drawCurves();
  showScores();
  showFindings();
}, "run");

function describeState() {
  const done = `${run.done.toLocaleString("en")} of ${run.steps.toLocaleString("en")} iterations in ${Math.round(run.seconds)} s`;
  if (run.done >= run.steps) return `${done}: finished`;
  const silent = Math.round(run.silent ?? 0);
  return silent > QUIET ? `${done}; nothing new for ${silent} s: it was stopped, or is slow` : `${done}; last news ${silent} s ago`;
}

function showPictures() {
  const slider = element("time");
  const follows = Number(slider.value) === Number(slider.max);
  steps = run.pictures;
  element("run-pictures").hidden = !steps.length;
  slider.max = String(Math.max(0, steps.length - 1));
  if (follows) slider.value = slider.max;
  showPicture();
}

function showPicture() {
  const step = steps[Number(element("time").value)];
  if (step === undefined || step === shown) return;
  shown = step;
  element("time-value").textContent = `after ${step.toLocaleString("en")} iterations`;
  element("time-picture").src = `run/pictures/${step}`;
  element("time-picture").alt = `samples after ${step} iterations`;
}

function drawCurves() {
  if (!run) return;
  const [palette, { curves }] = [colours(), run];
  const range = { from: 0, to: run.steps };
  const curve = (name, colour) => ({ xs: curves.step, ys: curves[name], colour });
  drawChart(element("run-losses"), [curve("discriminator_loss", palette.real), curve("generator_loss", palette.fake)], range);
  const answers = run.probabilistic
    ? [curve("d_real", palette.real), curve("d_fake", palette.fake)]
    : [curve("pair_accuracy", palette.text)];
  drawChart(element("run-answers"), answers, { low: 0, high: 1, ...range });
  element("run-answers-caption").textContent = run.probabilistic
    ? "Mean D(x) of real samples (blue) and D(G(z)) of fakes (orange)"
    : "Share of pairs in which D puts the real sample above the generated one";
}

function showScores() {
  const last = run.scores.at(-1)?.step;
  const scores = run.scores.filter((score) => score.step === last);
  element("run-scores").hidden = !scores.length;
  const rows = scores.map((score) => {
    const row = document.createElement("tr");
    const real = score.real === null || score.real === undefined ? "" : format(score.real);
    const interval = `${format(score.low)} to ${format(score.high)}`;
    for (const text of [score.metric, format(score.value), interval, real, score.better, score.samples.toLocaleString("en")]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  element("run-scores").querySelector("tbody").replaceChildren(...rows);
  const features = [...new Set(scores.map((score) => score.features))].join(", ");
  element("run-scores-note").textContent = `After ${(last ?? 0).toLocaleString("en")} iterations, measured in ${features}; the report says with what each may be compared.`;
}

function showFindings() {
  element("verdict").textContent = run.verdict || (run.findings.length ? "" : "None so far.");
  const lines = [
    ...run.findings.map((each) => `Step ${each.step.toLocaleString("en")}: ${each.began ? "" : "no longer so: "}${each.sentence} (${each.name})`),
    ...run.advice,
  ];
  element("findings").replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }),
  );
}

function format(value) {
  return value === null ? "–" : Number(value.toPrecision(3)).toString();
}
