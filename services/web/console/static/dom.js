// Small hands for the page: copies of its templates, and filling their slots without touching what has not changed.

/** A fresh copy of a template's content. */
export function copy(id) {
  return document.getElementById(id).content.cloneNode(true);
}

/** The elements of a tree by their data-slot. */
export function slotsOf(tree) {
  return Object.fromEntries([...tree.querySelectorAll("[data-slot]")].map((slot) => [slot.dataset.slot, slot]));
}

/** Puts text or nodes into an element; text is never read as markup. */
export function fill(element, ...content) {
  const nodes = content.flat().filter((part) => part != null && part !== "");
  if (nodes.length === element.childNodes.length && nodes.every((node, i) => same(node, element.childNodes[i]))) return;
  element.replaceChildren(...nodes);
}

/** An element with a class and content. */
export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.flat().filter((part) => part != null && part !== ""));
  return made;
}

/** An icon of the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

function same(wanted, present) {
  if (typeof wanted === "string") return present.nodeType === Node.TEXT_NODE && present.data === wanted;
  return present.isEqualNode(wanted);
}
