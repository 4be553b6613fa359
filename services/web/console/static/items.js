// The entries of the panel's lists: measures, signal episodes, stages and activities.

import { element, icon } from "./dom.js";
import { asDistance, asMinute, asMoney, asNumber, asScore } from "./figures.js";
import { standingSentence } from "./reasons.js";
import { isolated, numeral, sentence, wordNode, wordOf } from "./text.js";

const STANDING = 3; // reasons of an open signal: its indicator first, then what weighs most

/** A measure, 0-100, as a bar. */
export function measureItem([name, score]) {
  const bar = element("span", "bar-fill");
  bar.style.inlineSize = `${Math.max(0, Math.min(100, score))}%`;
  const track = element("span", "bar-track", bar);
  track.setAttribute("aria-hidden", "true");
  const weak = score < 40 ? "weak" : "";
  return element("li", weak, element("span", "measure", wordNode("measure", name)), track, element("span", "score", numeral(asScore(score))));
}

/** One episode of a signal. */
export function signalItem(signal) {
  const open = signal.cleared_at === null;
  const head = element("p", "episode-head", icon(signal.family), element("strong", "", wordNode("signal", signal.kind)),
    element("span", `level level-${signal.level}`, wordNode("level", signal.level)),
    signal.money == null ? null : element("span", "money", isolated(asMoney(signal.money))));
  const lines = (signal.reasons ?? []).slice(0, STANDING).map((reason) => element("p", "quiet", standingSentence(reason)));
  return element("li", open ? "open" : "closed", head, element("p", "when", times(signal)), open ? lines : null);
}

function times({ raised_at, escalated_at, cleared_at }) {
  if (cleared_at) return sentence("Cleared {when}; it began {began}", { when: moment(cleared_at), began: moment(raised_at) });
  if (escalated_at) return sentence("Open since {when}, worse since {worse}", { when: moment(raised_at), worse: moment(escalated_at) });
  return sentence("Open since {when}", { when: moment(raised_at) });
}

/** A move to another stage. */
export function stageItem({ from, to, because, at }) {
  const guards = (because ?? []).flatMap((guard, place) => [place ? ", " : "", guardNode(guard)]);
  return element("li", "", element("strong", "", wordNode("stage", to)), " ",
    element("span", "quiet", sentence("after {stage}", { stage: wordNode("stage", from) })),
    element("p", "when", moment(at)), guards.length ? element("p", "quiet", guards) : null);
}

/** A guard of the scorecard, `kind:name`, in a word. */
function guardNode(guard) {
  return wordOf(["guard", "measure", "indicator"], guard.replace(/^[a-z]+:/, ""));
}

/** Something that happened at the account. */
export function activityItem({ type, at, data }) {
  const name = type.replace(/^kesher\./, "");
  const details = told(data ?? {});
  return element("li", "", element("strong", "", wordNode("activity", name)), details.length ? " " : null,
    details.length ? element("span", "details", details) : null, element("p", "when", moment(at)));
}

/** The few details of an activity that say most. */
function told({ priority, kind, role, amount, currency, metric, score, ...data }) {
  const words = [["priority", priority], ["touchpoint", kind], ["role", role]].filter(([, key]) => key);
  const money = amount == null ? null : [asNumber(Number(amount)), currency].filter(Boolean).join(" ");
  const survey = metric == null ? null : `${String(metric).toUpperCase()} ${asNumber(Number(score))}`;
  const texts = [money, survey, data.ticket, data.user, data.plan, data.comment].filter((text) => text != null && text !== "");
  const parts = [...words.map(([context, key]) => wordNode(context, key)), ...texts.map((text) => isolated(String(text)))];
  return parts.slice(0, 3).flatMap((part, place) => (place ? [" · ", part] : [part]));
}

function moment(instant) {
  const time = element("time", "", isolated(asDistance(instant)));
  time.dateTime = instant;
  time.title = asMinute(instant);
  return time;
}
