// The figures above the list.

import { get } from "./api.js";
import { fill } from "./dom.js";
import { asCount, asMoney } from "./figures.js";
import { isolated, sentence } from "./text.js";

const PAUSE = 2000; // milliseconds between two readings

export class Summary {
  #root;
  #timer = null;

  /** `stages(names)` hears which stages there are; `failed(error)` when figures cannot be read. */
  constructor(root, { failed, stages }) {
    this.#root = root;
    Object.assign(this, { failed, stages });
  }

  /** Reads the figures; throws as the API does. */
  async read() {
    this.#write(await get("/api/portfolio"));
  }

  /** Something changed: reads again soon, many changes in one reading. */
  soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.read().catch(this.failed);
    }, PAUSE);
  }

  #write(figures) {
    const total = Object.values(figures.bands).reduce((sum, count) => sum + count, 0);
    for (const [band, count] of Object.entries(figures.bands)) {
      fill(this.#at(`[data-count="${band}"]`), isolated(asCount(count)));
      this.#at(`[data-share="${band}"]`).style.flexGrow = total ? count / total : 0;
    }
    this.stages(Object.keys(figures.stages));
    fill(this.#at("#mrr-at-risk"), isolated(asMoney(figures.mrr_at_risk)));
    fill(this.#at("#mrr-total"), sentence("of {mrr} in all", { mrr: asMoney(figures.mrr) }));
    const { churn_risk: risks = 0, upsell: chances = 0 } = figures.open_signals;
    fill(this.#at("#open-signals"), isolated(asCount(risks + chances)));
    fill(this.#at("#signal-kinds"), sentence("{risks} risk, {chances} upsell", { risks: asCount(risks), chances: asCount(chances) }));
  }

  #at(selector) {
    return this.#root.querySelector(selector);
  }
}
