// Facts as they happen.  Resumes after the last one seen, with growing patience, and never loses its place.

const EVENTS = ["health", "lifecycle", "churn_risk", "upsell"];
const LONGEST = 30; // seconds between attempts
const ASLEEP = 60_000; // milliseconds a hidden page keeps its connection

export class Stream {
  #source = null;
  #cursor = null;
  #failures = 0;
  #timer = null;
  #sleep = null;

  /** `heard(fact)`, `lost()` when the place is too old, `state(name, seconds)`; `probe()` throws why the door is shut. */
  constructor({ heard, lost, state, probe }) {
    Object.assign(this, { heard, lost, state, probe });
    document.addEventListener("visibilitychange", () => this.#rest());
    addEventListener("online", () => this.again());
  }

  /** Facts after this cursor from now on. */
  follow(cursor) {
    this.#cursor = cursor;
    this.#open();
  }

  /** Tries at once instead of waiting. */
  again() {
    if (this.#cursor !== null && this.#source?.readyState !== EventSource.OPEN) this.#open();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.stop();
    const source = new EventSource(`/api/stream?cursor=${encodeURIComponent(this.#cursor)}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.state("live");
    });
    source.addEventListener("error", () => this.#broken(source));
    source.addEventListener("reset", () => {
      this.stop();
      this.lost();
    });
    for (const name of EVENTS) source.addEventListener(name, (event) => this.#take(event));
  }

  #take(event) {
    if (event.lastEventId) this.#cursor = event.lastEventId;
    this.heard(JSON.parse(event.data));
  }

  async #broken(source) {
    if (source !== this.#source) return;
    this.stop();
    this.#failures += 1;
    const seconds = wait(this.#failures);
    this.#timer = setTimeout(() => this.#open(), seconds * 1000);
    try {
      await this.probe();
      this.state("away", seconds, this.#failures);
    } catch (error) {
      this.state("shut", seconds, this.#failures, error);
    }
  }

  #rest() {
    clearTimeout(this.#sleep);
    if (document.hidden) this.#sleep = setTimeout(() => this.stop(), ASLEEP);
    else this.again();
  }
}

/** Seconds to wait after so many failures: 1, 2, 4 … 30, spread so that all pages do not return at once. */
export function wait(failures) {
  return Math.ceil(Math.min(LONGEST, 2 ** (failures - 1)) * (0.75 + Math.random() / 2));
}
