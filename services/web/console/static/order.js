// Which accounts belong to the list and in which order, decided as the API decides it, and what a change does to one.

const instant = (text) => (text ? Date.parse(text) : null);
const KEYS = {
  score: (account) => account.score ?? null,
  mrr: (account) => account.mrr ?? null,
  renews_at: (account) => instant(account.renews_at),
  changed_at: (account) => instant(account.changed_at),
  name: (account) => account.name?.toLowerCase() ?? null,
};

/** Compares two accounts for a sort of KEYS, turned round by a minus; those without a value come last, equals go by id. */
export function comparison(sort) {
  const way = sort?.startsWith("-") ? -1 : 1;
  const of = KEYS[sort?.replace(/^-/, "")] ?? KEYS.score;
  return (one, two) => compared(of(one), of(two), way) || compared(one.account_id, two.account_id, way);
}

function compared(one, two, way) {
  if (one === two) return 0;
  if (one === null) return 1;
  if (two === null) return -1;
  return one < two ? -way : way;
}

/** Whether an account passes the filters of the page. */
export function passes(account, filters) {
  if (filters.band && (account.band ?? "unknown") !== filters.band) return false;
  const wanted = ["stage", "owner", "segment"].filter((field) => filters[field]);
  if (wanted.some((field) => account[field] !== filters[field])) return false;
  if (filters.signal && !account.open_signals) return false;
  const search = filters.search?.toLocaleLowerCase();
  return !search || [account.name, account.account_id].some((text) => text?.toLocaleLowerCase().includes(search));
}

const EMPTY = { name: null, plan: null, segment: null, owner: null, mrr: null, renews_at: null, stage: null, band: null,
  score: null, previous: null, coverage: null, reasons: [], open_signals: 0, changed_at: null };

/** The account after a change of the stream; `account` may be undefined, for one not seen yet. */
export function after(account, change) {
  const { account: snapshot, ...data } = change.data;
  const known = account ?? { account_id: change.account_id, ...EMPTY };
  const fields = ["name", "plan", "segment", "owner", "mrr", "renews_at", "stage"];
  const fresh = snapshot ? Object.fromEntries(fields.map((field) => [field, snapshot[field] ?? null])) : {};
  return { ...known, ...fresh, ...moved(known, change.type, data), changed_at: change.at };
}

function moved(known, type, data) {
  if (type === "kesher.health.changed") {
    const { score, previous, band, coverage, reasons } = data;
    return { score, previous, band, coverage, reasons };
  }
  if (type === "kesher.lifecycle.changed") return { stage: data.to };
  if (type.endsWith(".raised")) return { open_signals: known.open_signals + 1 };
  if (type.endsWith(".cleared")) return { open_signals: Math.max(0, known.open_signals - 1) };
  return {};
}
