// An account as a row of the table.

import { copy, element, fill, icon, slotsOf } from "./dom.js";
import { asCount, asDay, asDistance, asMoney, asPoints, asScore, asShare, daysUntil, NONE } from "./figures.js";
import { foremost, reasonSentence } from "./reasons.js";
import { called, isolated, numeral, tn, wordNode } from "./text.js";

const SOON = 60; // days before a renewal from which it stands out

/** A new row; keep it and give it to `refresh`. */
export function rowFor(account) {
  const tree = copy("row-template");
  const row = tree.querySelector("tr");
  row.slots = slotsOf(row);
  row.dataset.account = account.account_id;
  refresh(row, account);
  return row;
}

/** Writes what changed of an account into its row. */
export function refresh(row, account) {
  const { slots } = row;
  fill(slots.name, isolated(account.name || account.account_id));
  slots.name.setAttribute("href", `?account=${encodeURIComponent(account.account_id)}`);
  fill(slots.under, under(account));
  writeHealth(slots, account);
  fill(slots.coverage, isolated(asShare(account.coverage)));
  fill(slots.stage, account.stage ? wordNode("stage", account.stage) : NONE);
  fill(slots.mrr, isolated(asMoney(account.mrr)));
  fill(slots.renewal, renewal(account.renews_at));
  fill(slots.owner, account.owner ? isolated(account.owner) : NONE);
  const reason = foremost(account);
  fill(slots.why, reason ? reasonSentence(reason) : NONE);
  fill(slots.flags, flags(account.open_signals));
}

/** Badge, band word, score and change; the panel's headline uses the same. */
export function writeHealth(slots, account) {
  const band = account.band ?? "unknown";
  slots.badge.dataset.band = band;
  slots.icon.setAttribute("href", `#icon-${band}`);
  fill(slots.band, wordNode("band", band));
  fill(slots.score, numeral(asScore(account.score)));
  fill(slots.change, change(account));
}

/** Segment and plan; the account id where the name is not it. */
export function under(account) {
  const parts = [account.segment && called("segment", account.segment), account.plan].filter(Boolean);
  return parts.flatMap((part, place) => (place ? [" · ", isolated(part)] : [isolated(part)]));
}

function change({ score, previous }) {
  if (score == null || previous == null) return NONE;
  const moved = Math.round((score - previous) * 10) / 10;
  const way = moved > 0 ? "up" : moved < 0 ? "down" : "same";
  return element("span", `moved ${way}`, icon(way), numeral(asPoints(moved)));
}

export function renewal(date) {
  if (!date) return NONE;
  const days = daysUntil(date);
  const near = days >= 0 && days <= SOON;
  return element("span", near ? "soon" : "", isolated(asDay(date)), element("span", "under", isolated(asDistance(date))));
}

function flags(open) {
  if (!open) return null;
  const label = tn("{count} open signal", "{count} open signals", open);
  const flag = element("span", "flag", icon("churn_risk"), numeral(asCount(open)));
  flag.title = label;
  flag.setAttribute("role", "img");
  flag.setAttribute("aria-label", label);
  return flag;
}
