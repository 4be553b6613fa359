// What the list shows: accounts read from the API, kept current by facts, and put right against the API now and then.

import { get } from "./api.js";
import { after, comparison, passes } from "./order.js";

const PAGE = 50;
const MOST = 200; // rows of one answer; a longer list keeps its later rows as facts left them
const RIGHTING = 4000; // milliseconds from a fact to the next reading of what is shown
const HELD = 2000; // changes
const REMEMBERED = 30_000; // milliseconds within which the read model catches up with the stream

export class Portfolio {
  accounts = new Map();
  filters = {};
  next = null;
  #standing = new Map(); // account and family -> its latest (generation, sequence)
  #ahead = []; // changes that the API's answers may not hold yet: the stream is faster than the read model
  #wanted = PAGE; // rows asked for
  #edge = null; // the last row read; what belongs after it comes with the next page
  #reading = 0;
  #righting = null;

  /** `shown(unasked)` after every answer; `failed(error)` when putting right fails. */
  constructor({ shown, failed }) {
    Object.assign(this, { shown, failed });
  }

  /** The accounts to show, in order. */
  get order() {
    const all = [...this.accounts.values()].filter((account) => passes(account, this.filters));
    return all.sort(comparison(this.filters.sort));
  }

  /** Reads the first page (or as much as is shown) anew; returns the cursor to stream from, null if overtaken. */
  async read(limit = PAGE, unasked = false) {
    const reading = ++this.#reading;
    const answer = await get("/api/accounts", { ...query(this.filters), limit });
    if (reading !== this.#reading) return null;
    this.accounts = new Map();
    this.#wanted = limit;
    this.#take(answer, unasked);
    return answer.cursor;
  }

  /** Reads the page after the last row; returns its accounts. */
  async more() {
    const reading = ++this.#reading;
    const answer = await get("/api/accounts", { ...query(this.filters), limit: PAGE, after: this.next });
    if (reading !== this.#reading) return [];
    this.#wanted += PAGE;
    this.#take(answer);
    return answer.accounts;
  }

  /** Takes a change in; returns whether it shows. */
  heard(change) {
    if (!this.#isNews(change)) return false;
    this.#ahead.push({ change, until: performance.now() + REMEMBERED });
    if (this.#ahead.length > HELD) this.#ahead.shift();
    this.#rightSoon();
    return this.#apply(change);
  }

  /** An answer into the list, and onto it what was heard after it was true. */
  #take({ accounts, next }, unasked = false) {
    for (const account of accounts) this.accounts.set(account.account_id, account);
    this.next = next;
    this.#edge = accounts.at(-1) ?? null;
    const time = performance.now();
    const answered = new Map(accounts.map((account) => [account.account_id, Date.parse(account.changed_at)]));
    const isNewer = ({ account_id: id, at }) => !(answered.get(id) >= Date.parse(at));
    this.#ahead = this.#ahead.filter(({ change, until }) => until > time && isNewer(change));
    const isMissing = ({ account_id: id }) => answered.has(id) || !this.accounts.has(id);
    for (const { change } of this.#ahead) if (isMissing(change)) this.#apply(change);
    if (this.#ahead.length) this.#rightSoon();
    this.shown(unasked);
  }

  #rightSoon() {
    this.#righting ??= setTimeout(() => this.#putRight(), RIGHTING);
  }

  /** Of one account and family nothing older counts, and nothing twice. */
  #isNews({ account_id, type, generation, sequence, data }) {
    const family = `${account_id} ${type.split(".")[1]}`;
    const standing = this.#standing.get(family) ?? { generation: -1, sequence: -1, seen: new Set() };
    const step = generation - standing.generation || sequence - standing.sequence;
    const what = `${type} ${data.kind ?? ""}`;
    if (step < 0 || (step === 0 && standing.seen.has(what))) return false;
    const seen = step === 0 ? standing.seen.add(what) : new Set([what]);
    this.#standing.set(family, { generation, sequence, seen });
    return true;
  }

  #apply(change) {
    const known = this.accounts.get(change.account_id);
    const fresh = after(known, change);
    if (!known && !(passes(fresh, this.filters) && this.#within(fresh))) return false;
    this.accounts.set(change.account_id, fresh);
    return true;
  }

  /** Whether an account not read yet belongs before the last row; otherwise "more" will bring it. */
  #within(account) {
    return this.next === null || this.#edge === null || comparison(this.filters.sort)(account, this.#edge) < 0;
  }

  async #putRight() {
    this.#righting = null;
    if (this.#wanted > MOST) return;
    try {
      await this.read(this.#wanted, true);
    } catch (error) {
      this.failed(error);
    }
  }
}

/** The filters of the page as the API names them. */
function query({ search, ...same }) {
  return { ...same, q: search };
}
