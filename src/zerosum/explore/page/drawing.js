// Heat maps, points, curves and pictures on canvases, in the page's colours.

const TINT = 0.5; // how strong a heat map's colours get
const STRONG = 0.85; // of one whose colours fade
const HEIGHT = 140; // of a chart, in pixels of the page
const ARROW = 0.16; // the longest arrow, of the window's half width

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["ground", "text", "quiet", "line", "real", "fake"].map((name) => [name, read(name)]));
}

function parts(hex) {
  const full = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join("") : hex.slice(1);
  return [0, 2, 4].map((place) => parseInt(full.slice(place, place + 2), 16));
}

// Cells [x][y] as bytes: 0 is the colour of fakes, 255 that of real samples, half-way the ground. The colour of each
// fades with its byte of `seen`, if that is given.
export function drawHeat(canvas, values, count, seen = null) {
  const palette = colours();
  const [ground, real, fake] = [palette.ground, palette.real, palette.fake].map(parts);
  const small = new OffscreenCanvas(count, count);
  const pen = small.getContext("2d");
  const image = pen.createImageData(count, count);
  for (let x = 0; x < count; x += 1) {
    for (let y = 0; y < count; y += 1) {
      const lead = values[x * count + y] / 127.5 - 1;
      const toward = lead > 0 ? real : fake;
      const share = (seen ? STRONG * (seen[x * count + y] / 255) : TINT) * Math.abs(lead);
      const place = 4 * ((count - 1 - y) * count + x);
      for (let part = 0; part < 3; part += 1) image.data[place + part] = ground[part] + share * (toward[part] - ground[part]);
      image.data[place + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  const big = canvas.getContext("2d");
  big.imageSmoothingEnabled = true;
  big.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// From a window around `middle` to pixels; of points on the line, the height is given.
export function plane(canvas, { middle, half }) {
  const scale = canvas.width / (2 * half);
  return {
    x: (value) => (value - middle[0] + half) * scale,
    y: (value) => canvas.height - (value - middle[1] + half) * scale,
    scale,
  };
}

export function drawDots(canvas, place, { values, shape }, colour, { radius = 2.2, hollow = false, height = null } = {}) {
  const pen = canvas.getContext("2d");
  const [count, dimension] = shape;
  pen.fillStyle = pen.strokeStyle = colour;
  pen.lineWidth = 1.2;
  for (let number = 0; number < count; number += 1) {
    const x = place.x(values[number * dimension]);
    const y = height ?? place.y(values[number * dimension + 1]);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    if (hollow) pen.stroke();
    else pen.fill();
  }
}

// A line through points, in their order.
export function drawPath(canvas, place, { values, shape }, colour, height = null) {
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let number = 0; number < shape[0]; number += 1) {
    pen.lineTo(place.x(values[number * shape[1]]), height ?? place.y(values[number * shape[1] + 1]));
  }
  pen.stroke();
}

// The length grows with the root of a push, so that small ones can be seen, and no longer than ARROW.
export function drawPushes(canvas, place, points, pushes, half, colour, height = null) {
  const pen = canvas.getContext("2d");
  const [count, dimension] = pushes.shape;
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.75;
  pen.beginPath();
  for (let number = 0; number < count; number += 1) {
    const push = pushes.values.subarray(number * dimension, (number + 1) * dimension);
    const size = Math.sqrt(Math.hypot(...push) * half);
    if (!(size > 0)) continue;
    const factor = ((ARROW * half * half) / (size * (1 + size))) * place.scale;
    const x = place.x(points.values[number * dimension]);
    const y = height ?? place.y(points.values[number * dimension + 1]);
    const [dx, dy] = [push[0] * factor, dimension === 2 ? -push[1] * factor : 0];
    const length = Math.hypot(dx, dy);
    if (length < 1) continue;
    const head = Math.min(4, length / 2) / length;
    pen.moveTo(x, y);
    pen.lineTo(x + dx, y + dy);
    pen.lineTo(x + dx - head * (dx + dy * 0.6), y + dy - head * (dy - dx * 0.6));
    pen.moveTo(x + dx, y + dy);
    pen.lineTo(x + dx - head * (dx - dy * 0.6), y + dy - head * (dy + dx * 0.6));
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

// Curves [{xs, ys, colour, dashed}] in one frame; the range of y is that of the values unless it is given.
export function drawChart(canvas, curves, { low = null, high = null, from = null, to = null } = {}) {
  const pen = canvas.getContext("2d");
  const palette = colours();
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || canvas.width;
  const height = HEIGHT;
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  pen.scale(scale, scale);
  const [left, right, top, bottom] = [44, width - 8, 8, height - 20];
  const xs = curves.flatMap((curve) => [curve.xs[0], curve.xs.at(-1)]).filter(Number.isFinite);
  const ys = curves.flatMap((curve) => [...curve.ys]).filter((y) => y !== null && Number.isFinite(y));
  if (!xs.length || !ys.length) {
    pen.fillStyle = palette.quiet;
    pen.font = "14px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText(Math.max(0, ...xs) > 0 ? "no finite number" : "no iteration yet", width / 2, height / 2);
    return;
  }
  const [x0, x1] = [from ?? Math.min(...xs), to ?? Math.max(...xs)];
  let [y0, y1] = [low ?? Math.min(...ys), high ?? Math.max(...ys)];
  if (y1 - y0 < 1e-9) [y0, y1] = [y0 - 0.5, y1 + 0.5];
  const x = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (right - left);
  const y = (value) => bottom - ((value - y0) / (y1 - y0)) * (bottom - top);
  pen.strokeStyle = palette.line;
  pen.lineWidth = 1;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.fillStyle = palette.quiet;
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "right";
  pen.fillText(short(y1), left - 4, top + 10);
  pen.fillText(short(y0), left - 4, bottom);
  pen.fillText(Math.round(x1).toLocaleString("en"), right, height - 5);
  pen.textAlign = "left";
  pen.fillText(Math.round(x0).toLocaleString("en"), left, height - 5);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, right - left, bottom - top);
  pen.clip();
  for (const { xs: across, ys: up, colour, dashed } of curves) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.setLineDash(dashed ? [3, 4] : []);
    pen.beginPath();
    let drawing = false;
    for (let number = 0; number < across.length; number += 1) {
      const value = up[number];
      if (value === null || !Number.isFinite(value)) {
        drawing = false;
        continue;
      }
      if (drawing) pen.lineTo(x(across[number]), y(value));
      else pen.moveTo(x(across[number]), y(value));
      drawing = true;
    }
    pen.stroke();
  }
  pen.restore();
}

function short(value) {
  return Math.abs(value) >= 1000 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
}

// Picture `number` of bytes [N, C, H, W]: gray, gray with alpha, RGB or RGBA.
export function drawPicture(canvas, { values, shape }, number) {
  const [, channels, height, width] = shape;
  const area = height * width;
  const pixels = values.subarray(number * channels * area, (number + 1) * channels * area);
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  const gray = channels <= 2;
  for (let place = 0; place < area; place += 1) {
    for (let part = 0; part < 3; part += 1) image.data[4 * place + part] = pixels[(gray ? 0 : part) * area + place];
    image.data[4 * place + 3] = channels % 2 === 0 ? pixels[(channels - 1) * area + place] : 255;
  }
  pen.putImageData(image, 0, 0);
}

// All pictures of a message, each with a caption if there are any.
export function fillStrip(strip, pictures, captions = []) {
  const figures = Array.from({ length: pictures.shape[0] }, (_, number) => {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", captions[number] ?? `picture ${number + 1}`);
    drawPicture(canvas, pictures, number);
    figure.append(canvas);
    if (captions[number]) {
      const caption = document.createElement("figcaption");
      caption.textContent = captions[number];
      figure.append(caption);
    }
    return figure;
  });
  strip.replaceChildren(...figures);
}
