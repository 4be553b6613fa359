// The panel beside the list: everything about one account.

import { drawing, get, Refusal } from "./api.js";
import { copy, element, fill, slotsOf } from "./dom.js";
import { asMoney, asScore, asShare, NONE } from "./figures.js";
import { activityItem, measureItem, signalItem, stageItem } from "./items.js";
import { byWeight, reasonSentence } from "./reasons.js";
import { renewal, under, writeHealth } from "./row.js";
import { isolated, language, sentence, t, wordNode } from "./text.js";

const SETTLING = 500; // milliseconds from a fact to reading the account anew
const CATCHING_UP = 1500; // milliseconds that the read model is given to catch up with the stream
const TRIES = 10;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export class Panel {
  account = null;
  #place;
  #slots = null;
  #timer = null;
  #news = -Infinity; // epoch milliseconds of the latest change heard; an older answer is not shown over it
  #tries = TRIES;

  /** `place` is the aside; `closed()` when the person closes it; `failed(error)` when the account cannot be read. */
  constructor(place, { chart, closed, failed }) {
    Object.assign(this, { chart, closed, failed });
    this.#place = place;
    place.addEventListener("keydown", (event) => event.key === "Escape" && this.closed());
  }

  /** Shows an account: at once what the list knows, then the rest. */
  async open(id, known) {
    this.account = id;
    this.#news = -Infinity;
    this.#place.replaceChildren(copy("panel-template"));
    this.#slots = slotsOf(this.#place);
    this.#slots.close.addEventListener("click", () => this.closed());
    fill(this.#slots.name, isolated(known?.name || id));
    if (known) this.#head(known);
    this.#place.hidden = false;
    this.#place.setAttribute("aria-busy", "true");
    this.#place.scrollTop = 0;
    this.#slots.name.focus({ preventScroll: true });
    await this.read();
  }

  close() {
    clearTimeout(this.#timer);
    this.account = null;
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  /** The account changed at `at`: its headline at once, the rest in a moment. */
  heard(account, at) {
    if (account) this.#head(account);
    this.#news = Math.max(this.#news, Date.parse(at));
    this.#tries = TRIES;
    this.#readIn(SETTLING);
  }

  #readIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.read(), milliseconds);
  }

  /** Reads the account anew. */
  async read() {
    const id = this.account;
    try {
      const [detail, chart] = await Promise.all([
        get(`/api/accounts/${encodeURIComponent(id)}`),
        drawing(this.chart, { account: id, language, zone }),
      ]);
      if (id !== this.account) return;
      if (Date.parse(detail.changed_at) >= this.#news || this.#tries-- <= 0) this.#write(detail, chart);
      else this.#readIn(CATCHING_UP);
    } catch (error) {
      if (id !== this.account) return;
      if (error instanceof Refusal) this.#apologise(error);
      else this.failed(error);
    }
  }

  #apologise({ message }) {
    this.#place.querySelector(".panel-body").replaceChildren(
      element("p", "", t("This account cannot be shown.")), element("p", "quiet", isolated(message)));
    this.#place.removeAttribute("aria-busy");
  }

  #head(account) {
    const slots = this.#slots;
    fill(slots.name, isolated(account.name || account.account_id));
    fill(slots.under, idAnd(account));
    writeHealth(slots, account);
    fill(slots.stage, account.stage ? wordNode("stage", account.stage) : NONE);
    fill(slots.mrr, isolated(asMoney(account.mrr)));
    fill(slots.renewal, renewal(account.renews_at));
    for (const field of ["owner", "plan"]) fill(slots[field], account[field] ? isolated(account[field]) : NONE);
    fill(slots.coverage, isolated(asShare(account.coverage)));
    fill(slots.reasons, listed(byWeight(account.reasons).map(reasonItem), t("Nothing has moved yet.")));
  }

  #write(detail, chart) {
    const slots = this.#slots;
    this.#head(detail);
    const measures = Object.entries(detail.measures ?? {}).sort(([, one], [, two]) => one - two);
    fill(slots.measures, listed(measures.map(measureItem), t("No measure has data yet.")));
    fill(slots.missing, missing(detail.missing ?? []));
    fill(slots.signals, listed(detail.signals.map(signalItem), t("No signals so far.")));
    fill(slots.stages, listed(detail.stages.map(stageItem), t("Still in its first stage.")));
    fill(slots.activities, listed(detail.activities.map(activityItem), t("Nothing recorded besides usage.")));
    fill(slots.chart, chart ? described(chart, detail) : element("p", "quiet", t("Not enough history yet.")));
    this.#place.removeAttribute("aria-busy");
  }
}

function idAnd(account) {
  const id = element("bdi", "id");
  id.textContent = account.account_id;
  const rest = under(account);
  return rest.length ? [id, " · ", ...rest] : [id];
}

function reasonItem(reason) {
  return element("li", reason.effect < 0 ? "down" : "up", reasonSentence(reason));
}

function missing(measures) {
  if (!measures.length) return null;
  const names = measures.flatMap((measure, place) => (place ? [", ", wordNode("measure", measure)] : [wordNode("measure", measure)]));
  return sentence("No data yet for: {measures}", { measures: element("span", "", names) });
}

function described(chart, { history }) {
  const scores = history.map((point) => point.score).filter((score) => score != null);
  const text = t("Health between {low} and {high} over {count} points", {
    low: asScore(Math.min(...scores)), high: asScore(Math.max(...scores)), count: scores.length,
  });
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", text);
  return chart;
}

function listed(items, otherwise) {
  return items.length ? items : [element("li", "quiet", otherwise)];
}
