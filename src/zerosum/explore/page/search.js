// Looks for a picture in the latent space: one that is dropped on the page, or chosen as a file.

import { drawPicture } from "./drawing.js";
import { send } from "./messages.js";

const SHOWN = 8; // pictures that were looked for
const element = (id) => document.getElementById(id);

let searching = null;

// `ask` returns the seed and the class; `makeSample` makes the button of a sample that can be chosen.
export function showSearch(mostBytes, ask, makeSample) {
  element("search").hidden = false;
  const start = (files) => search(files, mostBytes, ask(), makeSample);
  element("picture").addEventListener("change", () => {
    const files = [...element("picture").files];
    element("picture").value = ""; // so that the same one can be chosen again
    if (files.length) start(files);
  });
  element("stop-search").addEventListener("click", () => searching?.abort());
  acceptDrops(start);
}

// Anywhere on the page: beside the box, the browser would leave the page and open the picture.
function acceptDrops(start) {
  const isShown = () => !element("latents").hidden;
  const mark = (over) => element("search").classList.toggle("over", over);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(isShown());
  });
  document.addEventListener("dragleave", (event) => mark(event.relatedTarget !== null && isShown()));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (!isShown()) return;
    const folder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folder) tell("That is a folder: drop one picture.");
    else start([...event.dataTransfer.files]);
  });
}

async function search(files, mostBytes, asked, makeSample) {
  searching?.abort();
  const mine = (searching = new AbortController());
  try {
    const content = await read(files, mostBytes);
    showBusy(true);
    tell("Sending the picture …");
    await send(`latents/find?${new URLSearchParams(asked)}`, content, mine.signal, (answer) => {
      if (answer.error) throw new Error(answer.error);
      if (answer.doing) showProgress(answer);
      else showFound(files[0].name, answer, makeSample);
    });
  } catch (error) {
    if (mine === searching) tell(mine.signal.aborted ? "Stopped." : error.message);
  }
  if (mine === searching) showBusy(false);
}

async function read(files, mostBytes) {
  if (!files.length) throw new Error("That is no file: save the picture first, and drop the file.");
  if (files.length > 1) throw new Error(`These are ${files.length} files: drop one picture.`);
  if (files[0].size > mostBytes) throw new Error(`The file is too large: at most ${mostBytes / 1e6} MB are read.`);
  try {
    return await files[0].arrayBuffer();
  } catch {
    throw new Error(`${files[0].name} cannot be read.`);
  }
}

function showBusy(busy) {
  for (const id of ["search-progress", "stop-search"]) element(id).hidden = !busy;
  if (busy) element("search-progress").removeAttribute("value");
}

function tell(words) {
  element("search-state").textContent = words;
}

function showProgress({ doing, part, parts }) {
  if (parts) element("search-progress").value = part / parts;
  else element("search-progress").removeAttribute("value");
  tell(doing[0].toUpperCase() + doing.slice(1) + " …");
}

// The picture as the generator could make it, what was found, which can be chosen as any other sample, and how near.
function showFound(name, answer, makeSample) {
  const row = document.createElement("div");
  row.className = "found";
  const picture = document.createElement("canvas");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${name}, as large as a sample`);
  drawPicture(picture, answer.arrays.pictures, 0);
  const words = document.createElement("p");
  words.className = "quiet";
  const label = answer.place.label === null ? "" : ` Class ${answer.place.label}.`;
  words.textContent = `${name}, and the nearest sample that was found.${label} Error: ${answer["error-in-words"]}. Latent: ${answer["length-in-words"]}.`;
  row.append(picture, makeSample(answer.place, answer.arrays.pictures, 1, `sample found for ${name}`), words);
  element("found").prepend(row);
  while (element("found").children.length > SHOWN) element("found").lastChild.remove();
  tell("Found. Click it to set A or B.");
}
