// Tells listeners of a screen reader what changed, politely: at most one sentence every few seconds.

import { tn } from "./text.js";

const PAUSE = 5000; // milliseconds

export class News {
  #place;
  #waiting = new Map();
  #timer = null;

  constructor(place) {
    this.#place = place;
  }

  /** `sentence` about an account; a later one about the same account replaces it. */
  tell(id, sentence) {
    this.#waiting.set(id, sentence);
    this.#timer ??= setTimeout(() => this.#speak(), PAUSE);
  }

  #speak() {
    const sentences = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#timer = null;
    this.#place.textContent =
      sentences.length === 1 ? sentences[0] : tn("{count} account changed", "{count} accounts changed", sentences.length);
  }
}
