// The rows on the page: which, in which order, moving gently to their new places.

import { refresh, rowFor } from "./row.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const MOVABLE = 150; // rows; beyond that moving costs more than it shows
const SETTLED = 1500; // milliseconds without pointer before rows may move under it

export class List {
  #rows = new Map();
  #body;
  #pointed = -Infinity;

  constructor(body) {
    this.#body = body;
    body.addEventListener("pointermove", () => (this.#pointed = performance.now()));
    body.addEventListener("pointerleave", () => (this.#pointed = -Infinity));
  }

  /** Whether rows may change places: not while a person is pointing at one. */
  get settled() {
    return performance.now() - this.#pointed > SETTLED;
  }

  /** Shows these accounts in this order; `changed` ids are lit up for a moment. */
  show(accounts, changed = new Set()) {
    const before = this.#tops();
    const focused = this.#body.contains(document.activeElement) ? document.activeElement : null;
    const wanted = accounts.map((account) => this.#row(account));
    this.#drop(new Set(accounts.map((account) => account.account_id)));
    this.#arrange(wanted);
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.#glide(before);
    for (const id of changed) this.#light(this.#rows.get(id));
  }

  /** Writes one account without moving it. */
  write(account) {
    const row = this.#rows.get(account.account_id);
    if (row) refresh(row, account);
  }

  light(id) {
    this.#light(this.#rows.get(id));
  }

  select(id) {
    for (const [key, row] of this.#rows) {
      row.toggleAttribute("data-selected", key === id);
      if (key === id) row.slots.name.setAttribute("aria-current", "true");
      else row.slots.name.removeAttribute("aria-current");
    }
  }

  link(id) {
    return this.#rows.get(id)?.slots.name;
  }

  #row(account) {
    const known = this.#rows.get(account.account_id);
    if (known) refresh(known, account);
    else this.#rows.set(account.account_id, rowFor(account));
    return this.#rows.get(account.account_id);
  }

  #drop(kept) {
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const ghost of this.#body.querySelectorAll(".ghost")) ghost.remove();
  }

  #arrange(wanted) {
    let next = this.#body.firstElementChild;
    for (const row of wanted) {
      if (row === next) next = next.nextElementSibling;
      else this.#body.insertBefore(row, next);
    }
  }

  #tops() {
    if (still.matches || this.#rows.size > MOVABLE) return new Map();
    return new Map([...this.#rows.values()].map((row) => [row, row.offsetTop]));
  }

  #glide(before) {
    for (const [row, top] of before) {
      const moved = row.isConnected ? top - row.offsetTop : 0;
      if (!moved) continue;
      const from = { transform: `translateY(${moved}px)` };
      row.animate([from, { transform: "none" }], { duration: 420, easing: "cubic-bezier(.2, .7, .2, 1)" });
    }
  }

  #light(row) {
    if (!row) return;
    row.classList.remove("lit");
    void row.offsetWidth; // restarts the animation
    row.classList.add("lit");
    row.addEventListener("animationend", () => row.classList.remove("lit"), { once: true });
  }
}
