// Files made in the browser from what a panel shows.

import { colours } from "./dom.js";

export function save(name, kind, content) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: kind });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Text that a spreadsheet would run as a formula begins with an apostrophe, as in the API's own CSV.
function cell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^ *[=+\-@\t\r\n＝＋－＠]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// A table {columns: [{key, label, unit}], rows} as CSV; figures are in full, in the unit the heading names.
export function csv(table) {
  const columns = table.columns.filter((one) => one.file !== false);
  const head = columns.map((one) => cell(one.unit ? `${one.label} (${one.unit})` : one.label));
  const lines = table.rows.map((row) => columns.map((one) => cell(row[one.key])).join(","));
  return "\ufeff" + [head.join(","), ...lines].join("\r\n") + "\r\n";
}

// A picture that stands alone: colours of the light theme in place of the page's own, on a ground of its own.
export function standalone(text) {
  const light = colours("light");
  const whole = text.replace(/var\((--[\w-]+)\)/g, (_, name) => light.of(name));
  const ground = light.of("--surface");
  light.done();
  return whole.replace(/(<svg\b[^>]*>)/, `$1<rect width="100%" height="100%" fill="${ground}"/>`);
}

export async function png(text, { width, height, scale = 2 }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => {
    canvas.toBlob(done, "image/png");
  });
}
