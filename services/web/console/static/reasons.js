// Why health moved, and why a signal stands, in sentences a person can read.

import { asNumber, asPoints, asScore } from "./figures.js";
import { numeral, sentence, wordNode, wordOf } from "./text.js";

const N_ = (msgid) => msgid; // for the translators: a sentence
const SENTENCES = {
  fell: N_("{measure} fell: {from} → {to}, {effect} points"),
  rose: N_("{measure} rose: {from} → {to}, {effect} points"),
  appeared: N_("Now known: {measure} at {to}, {effect} points"),
  vanished: N_("No longer known: {measure}, last at {from}, {effect} points"),
  weighs: N_("Another weight for {measure}, still at {to}: {effect} points"),
  capped: N_("“{cap}” holds health at {to} at most: {effect} points"),
  released: N_("“{cap}” no longer holds health down: {effect} points"),
  weighting: N_("Other weights apply now: {effect} points"),
  scorecard: N_("A new scorecard applies: {effect} points"),
  other: N_("Smaller changes together: {effect} points"),
};

/** A reason as nodes. */
export function reasonSentence(reason) {
  const parts = { from: numeral(asScore(reason.from)), to: numeral(asScore(reason.to)), effect: numeral(asPoints(reason.effect)) };
  const [kind, cap] = reason.measure.startsWith("cap:") ? ["cap", reason.measure.slice(4)] : [reason.measure, ""];
  if (kind === "cap") {
    const template = reason.to == null ? SENTENCES.released : SENTENCES.capped;
    return sentence(template, { ...parts, cap: wordOf(["cap", "indicator"], cap) });
  }
  if (["weighting", "scorecard", "other"].includes(kind)) return sentence(SENTENCES[kind], parts);
  return sentence(SENTENCES[direction(reason)], { ...parts, measure: wordNode("measure", kind) });
}

const STANDING = {
  holds: N_("Indicator: {indicator}"),
  costs: N_("{measure} {to} of 100 costs {points} points"),
  stands: N_("{measure} {to} of 100"),
};

/** A reason of a signal as nodes.  Nothing moved: it says what holds, and what a measure costs health now; of an upsell,
 * how the measure stands that it watches. */
export function standingSentence({ measure, to, effect }) {
  const [, indicator] = /^indicator:(.*)$/.exec(measure) ?? [];
  if (indicator !== undefined) return sentence(STANDING.holds, { indicator: wordNode("indicator", indicator) });
  const parts = { measure: wordNode("measure", measure), to: numeral(asScore(to)), points: numeral(asNumber(-effect)) };
  return sentence(effect < 0 ? STANDING.costs : STANDING.stands, parts);
}

/** Reasons by weight, the heaviest first; the remainder last. */
export function byWeight(reasons) {
  const rank = (reason) => (reason.measure === "other" ? -1 : Math.abs(reason.effect));
  return [...(reasons ?? [])].sort((one, two) => rank(two) - rank(one));
}

/** The reason that says most about the way health went, when it went a way at all. */
export function foremost({ score, previous, reasons }) {
  const way = Math.sign((score ?? 0) - (previous ?? score ?? 0));
  const sorted = byWeight(reasons);
  return sorted.find((reason) => way === 0 || Math.sign(reason.effect) === way) ?? sorted[0];
}

function direction({ from, to }) {
  if (from == null) return to == null ? "weighs" : "appeared";
  if (to == null) return "vanished";
  if (asScore(from) === asScore(to)) return "weighs";
  return to < from ? "fell" : "rose";
}
