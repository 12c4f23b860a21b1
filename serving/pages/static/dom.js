// Elements in one call: el("p", {class: "lead"}, "text", child). Text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function el(name, props = {}, ...children) {
  return fill(document.createElement(name), props, children);
}

export function svg(name, props = {}, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

// A colour of the style sheet as it stands in one theme ("light", "dark") or, without one, now.
export function colours(theme) {
  const probe = el("div", theme ? { "data-theme": theme } : {});
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const all = new Map();
  const of = (name) => {
    if (!all.has(name)) all.set(name, style.getPropertyValue(name).trim());
    return all.get(name);
  };
  return { of, done: () => probe.remove() };
}

// Settings a browser may refuse to keep (private windows): then they last as long as the page.
export function kept(store, name, value) {
  try {
    if (value === undefined) return window[store].getItem(name);
    if (value === null) window[store].removeItem(name);
    else window[store].setItem(name, value);
  } catch {
    // Nothing is kept.
  }
  return value ?? null;
}
