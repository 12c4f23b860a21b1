// What every page has: the theme, the key, and the line that says which model speaks.

import { get, key } from "./api.js";
import { el, kept } from "./dom.js";
import { day } from "./words.js";

const THEME = "forecarbon-theme";
const NEXT = { auto: "dark", dark: "light", light: "auto" };
const SAID = { auto: "as the system", dark: "dark", light: "light" };
const SIGN = { auto: "\u25d0", dark: "\u25cf", light: "\u25cb" };

function wear(theme) {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
}

function themeButton() {
  let theme = kept("localStorage", THEME) ?? "auto";
  if (!NEXT[theme]) theme = "auto";
  const button = el("button", { type: "button", class: "tool", id: "theme" });
  const tell = () => {
    button.replaceChildren(el("span", { "aria-hidden": "true" }, SIGN[theme]), el("span", { class: "wide-only" }, ` ${theme === "auto" ? "Auto" : SAID[theme][0].toUpperCase() + SAID[theme].slice(1)}`));
    button.setAttribute("aria-label", `Colours: ${SAID[theme]}. Change to ${SAID[NEXT[theme]]}`);
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    kept("localStorage", THEME, theme);
    wear(theme);
    tell();
  });
  wear(theme);
  tell();
  return button;
}

function keyButton() {
  if (!key()) return null;
  const button = el("button", { type: "button", class: "tool", onclick: () => {
    key(null);
    location.reload();
  } }, "Forget the key");
  return button;
}

function tools() {
  document.getElementById("tools").replaceChildren(...[keyButton(), themeButton()].filter(Boolean));
}

// To be called once by every page's script.
export function start() {
  tools();
  document.addEventListener("forecarbon:key", tools);
  tell();
  document.addEventListener("forecarbon:key", tell);
  return document.getElementById("page");
}

async function tell() {
  const place = document.getElementById("made");
  try {
    const told = await get("/v1/clusters");
    place.replaceChildren(`Model ${told.model_version}. Figures as known at ${day(told.as_of)}. `, told.degraded ? el("strong", {}, told.degraded) : "");
  } catch {
    place.replaceChildren("No model answers just now.");
  }
}
