// Questions to the program, its answers, and what is wrong in a line.

const ALIGNMENT = 4;
const SIZE = 4; // bytes of a message's length, where several are one answer

const ENDED = "the program has ended: start 'zerosum explore' again and open the address it prints";

// A message as explore/frames.py packs it: the header's fields, and `arrays` by name, each with `values` and `shape`.
export function unpack(buffer) {
  const start = ALIGNMENT + new DataView(buffer).getUint32(0, true);
  const { arrays: listed, ...about } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, ALIGNMENT, start - ALIGNMENT)));
  const arrays = {};
  let place = start;
  for (const { name, type, shape } of listed) {
    const kind = type === "float32" ? Float32Array : Uint8Array;
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = { values: new kind(buffer, place, count), shape };
    place += Math.ceil((count * kind.BYTES_PER_ELEMENT) / ALIGNMENT) * ALIGNMENT;
  }
  return { ...about, arrays };
}

const said = new Map();

// Shows a line at the top until the same part of the page says another one, or nothing.
export function say(text, part = "page") {
  const status = document.getElementById("status");
  said.set(part, text);
  const lines = [...new Set(said.values())].filter(Boolean);
  status.textContent = lines.join(" · ");
  status.hidden = !lines.length;
}

async function answerOf(response) {
  if (response.ok) return response;
  const text = await response.text();
  let line = text.trim();
  try {
    line = JSON.parse(text).error;
  } catch { /* it is a line already */ }
  throw new Error(line || `the program answered ${response.status}`);
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error(ENDED);
  }
  return answerOf(response);
}

export async function askJson(path) {
  return (await reach(path)).json();
}

export async function askArrays(path, question) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question) };
  return unpack(await (await reach(path, options)).arrayBuffer());
}

// Sends bytes; calls `take` with each message of the answer, which has its length before it, as it comes.
export async function send(path, content, signal, take) {
  const reader = (await reach(path, { method: "POST", body: content, signal })).body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read().catch(() => Promise.reject(new Error(ENDED)));
    if (done) return;
    held = join(held, value);
    let size;
    while (held.length >= SIZE && held.length >= (size = SIZE + new DataView(held.buffer).getUint32(0, true))) {
      take(unpack(held.slice(SIZE, size).buffer));
      held = held.slice(size);
    }
  }
}

function join(start, end) {
  const whole = new Uint8Array(start.length + end.length);
  whole.set(start);
  whole.set(end, start.length);
  return whole;
}

// Runs one task at a time; of those that come meanwhile, only the newest. What fails is said for its part of the page.
export function newest(task, part) {
  let busy = false;
  let waiting = null;
  return async function run(...given) {
    if (busy) {
      waiting = given;
      return;
    }
    busy = true;
    try {
      await task(...given);
      say("", part);
    } catch (error) {
      say(error.message, part);
    }
    busy = false;
    if (waiting) {
      const next = waiting;
      waiting = null;
      await run(...next);
    }
  };
}
