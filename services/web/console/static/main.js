// The console: reads the portfolio, follows the stream, and keeps list, figures and panel in step.

import { accountHere, addressIn, rememberAccount } from "./address.js";
import { get } from "./api.js";
import { Connection } from "./connection.js";
import { asPoints, asScore, useCurrency } from "./figures.js";
import { Filters } from "./filters.js";
import { List } from "./list.js";
import { News } from "./news.js";
import { Panel } from "./panel.js";
import { Portfolio } from "./portfolio.js";
import { Summary } from "./summary.js";
import { loadMessages, t, word } from "./text.js";

const BEAT = 400; // milliseconds between two drawings of what the stream brought
const at = (id) => document.getElementById(id);
const console_ = at("console");
const changed = new Set(); // account ids not drawn yet
let beat = null;

useCurrency(console_.dataset.currency);
await loadMessages(console_.dataset.messages);

const list = new List(at("rows"));
const news = new News(at("news"));
const summary = new Summary(console_, { failed: trouble, stages });
const portfolio = new Portfolio({ shown: (unasked) => (unasked ? soon() : draw()), failed: trouble });
const panel = new Panel(at("panel"), { chart: console_.dataset.chart, closed: close, failed: (error) => connection.trouble(error) });
const filters = new Filters({
  form: at("filters"), tiles: document.querySelectorAll("[data-band].tile"), clear: at("clear"),
  clearers: document.querySelectorAll("[data-clear]"), refine: at("refine"), changed: refilter,
});
const connection = new Connection({
  read: async () => (await Promise.all([portfolio.read(), summary.read()]))[0],
  probe: () => get("/api/portfolio"),
  heard, banner: banner(), live: { place: document.querySelector("[data-live]"), word: at("live-word") },
});

portfolio.filters = filters.values;
at("more").addEventListener("click", more);
at("rows").addEventListener("click", chosen);
addEventListener("popstate", follow);
document.addEventListener("keydown", shortcut);
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", () => link.setAttribute("href", addressIn(link.dataset.language)));
}
await connection.connect();
follow();

// ---- what the stream brings ------------------------------------------------------------------------------------

function heard(change) {
  const shown = portfolio.heard(change);
  summary.soon();
  if (change.account_id === panel.account) panel.heard(portfolio.accounts.get(panel.account), change.at);
  if (!shown) return;
  changed.add(change.account_id);
  announce(change);
  soon();
}

function soon() {
  beat ??= setTimeout(step, BEAT);
}

/** Writes what changed; moves rows only while nobody points at them. */
function step() {
  beat = null;
  if (document.hidden || list.settled) {
    draw(new Set(changed));
    changed.clear();
    return;
  }
  for (const account of portfolio.accounts.values()) list.write(account);
  for (const id of changed) list.light(id);
  changed.clear();
  beat = setTimeout(step, BEAT * 2);
}

function announce({ account_id: id, type, data }) {
  const name = portfolio.accounts.get(id)?.name || id;
  if (type === "kesher.health.changed" && data.score != null) {
    news.tell(id, t("{name}: health {score}, {change} points", { name, score: asScore(data.score),
      change: asPoints(data.previous == null ? 0 : data.score - data.previous) }));
  } else if (type.endsWith(".raised")) {
    news.tell(id, t("{name}: new signal, {signal}", { name, signal: word("signal", data.kind) }));
  }
}

// ---- what the page shows ---------------------------------------------------------------------------------------

function draw(lit = new Set()) {
  const accounts = portfolio.order;
  list.show(accounts, lit);
  list.select(panel.account);
  at("accounts").setAttribute("aria-busy", "false");
  at("accounts").hidden = accounts.length === 0;
  at("nothing-yet").hidden = accounts.length > 0 || filters.any;
  at("nothing-found").hidden = accounts.length > 0 || !filters.any;
  at("more").hidden = portfolio.next === null;
  filters.offer(at("owners"), new Set(accounts.map((account) => account.owner)));
  filters.segments(new Set(accounts.map((account) => account.segment)));
}

function stages(names) {
  filters.offer(at("filters").elements.stage, names, (name) => word("stage", name));
}

async function refilter(values) {
  portfolio.filters = values;
  at("accounts").setAttribute("aria-busy", "true");
  try {
    await portfolio.read();
  } catch (error) {
    trouble(error);
  }
}

async function more() {
  const first = await portfolio.more().catch(trouble);
  if (first?.length) list.link(first[0].account_id)?.focus();
}

function trouble(error) {
  connection.trouble(error);
}

// ---- one account -------------------------------------------------------------------------------------------------

function chosen(event) {
  const row = event.target.closest("tr[data-account]");
  if (!row || event.metaKey || event.ctrlKey || event.shiftKey || getSelection().toString()) return;
  event.preventDefault();
  rememberAccount(row.dataset.account);
  follow();
}

/** Opens or closes the panel as the address says. */
function follow() {
  const account = accountHere();
  if (account === panel.account) return;
  document.body.toggleAttribute("data-panel", account !== null);
  list.select(account);
  if (account === null) panel.close();
  else panel.open(account, portfolio.accounts.get(account));
}

function close() {
  const left = panel.account;
  rememberAccount(null);
  follow();
  (list.link(left) ?? at("accounts")).focus({ preventScroll: true });
}

function shortcut(event) {
  if (event.key === "Escape" && panel.account !== null && !event.target.closest?.("input, select")) close();
  if (event.key !== "/" || event.target.closest?.("input, select, textarea")) return;
  event.preventDefault();
  at("filters").elements.search.focus();
}

function banner() {
  return {
    retry: at("banner-retry"),
    show(title, text) {
      if (at("banner-title").textContent !== title) at("banner-title").textContent = title;
      at("banner-text").textContent = text;
      at("banner").hidden = false;
    },
    hide: () => (at("banner").hidden = true),
  };
}
