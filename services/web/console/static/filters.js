// The filter form and the band tiles: two faces of the same filters.

import { FIELDS, filtersHere, rememberFilters } from "./address.js";
import { called, word } from "./text.js";

const TYPING = 250; // milliseconds after the last key

export class Filters {
  #form;
  #tiles;
  #clear;
  #timer = null;
  #called = new Map(); // what a segment is called -> the segment

  /** `changed(filters)` whenever a person changes them. */
  constructor({ form, tiles, clear, clearers, refine, changed }) {
    this.#form = form;
    this.#tiles = [...tiles];
    this.#clear = clear;
    this.changed = changed;
    this.values = filtersHere();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#typed());
    for (const tile of this.#tiles) tile.addEventListener("click", () => this.#press(tile.dataset.band));
    for (const clearer of clearers) clearer.addEventListener("click", () => this.set({}));
    refine.addEventListener("click", () => this.#unfold(refine));
    this.#write();
  }

  get any() {
    return FIELDS.some((field) => field !== "sort" && this.values[field]);
  }

  set(values) {
    this.values = Object.fromEntries(FIELDS.map((field) => [field, values[field] ?? (field === "sort" ? this.values.sort : "")]));
    this.#write();
    rememberFilters(this.values);
    this.changed(this.values);
  }

  /** Offers what the portfolio has: in a datalist the names, in a select the names under their words. */
  offer(list, names, wordOf = (name) => name) {
    const known = new Set([...list.options].map((option) => option.value));
    for (const name of names) if (name && !known.has(name)) list.append(new Option(wordOf(name), name));
  }

  /** Offers segments under what they are called, and remembers which is which. */
  segments(names) {
    const { list } = this.#form.elements.segment;
    const fresh = [...names].filter((name) => name && !this.#called.has(called("segment", name)));
    for (const name of fresh) this.#called.set(called("segment", name), name);
    this.offer(list, fresh.map((name) => called("segment", name)));
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.set(this.#written()), TYPING);
  }

  #written() {
    const values = Object.fromEntries(new FormData(this.#form));
    return { ...values, segment: this.#called.get(values.segment) ?? values.segment };
  }

  /** On a narrow page the filters wait behind a button. */
  #unfold(refine) {
    const open = this.#form.toggleAttribute("data-open");
    refine.setAttribute("aria-expanded", String(open));
  }

  #press(band) {
    this.set({ ...this.values, band: this.values.band === band ? "" : band });
  }

  #write() {
    for (const field of FIELDS) {
      const control = this.#form.elements[field];
      if (field === "stage") this.offer(control, [this.values.stage], (stage) => word("stage", stage));
      if (field === "segment") this.segments([this.values.segment]);
      const shown = field === "segment" ? called(field, this.values[field]) : this.values[field];
      if (control !== document.activeElement && control.value !== shown) control.value = shown;
      if (control.tagName === "SELECT" && control.selectedIndex < 0) {
        control.selectedIndex = 0; // the address asked for what there is not
        this.values[field] = control.value;
      }
      control.toggleAttribute("data-set", field !== "sort" && Boolean(this.values[field]));
    }
    for (const tile of this.#tiles) tile.setAttribute("aria-pressed", String(tile.dataset.band === this.values.band));
    this.#clear.hidden = !this.any;
  }
}
