// Numbers, money, dates and spans of time, as the reader's language writes them.

import { locale } from "./text.js";

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const signed = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const minute = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const STEPS = [
  // a unit serves from so many of it on: "in 7 weeks" says more than "next month"
  { unit: "year", seconds: 31_557_600, from: 2 },
  { unit: "month", seconds: 2_629_800, from: 2 },
  { unit: "week", seconds: 604_800, from: 2 },
  { unit: "day", seconds: 86_400, from: 1 },
  { unit: "hour", seconds: 3_600, from: 1 },
  { unit: "minute", seconds: 60, from: 0 },
];
export const NONE = "–";

let money = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** Money is in one currency throughout. */
export function useCurrency(currency) {
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
  money = new Intl.NumberFormat(locale, { ...options, maximumFractionDigits: 0 });
}

const known = (value, format) => (value == null || Number.isNaN(value) ? NONE : format(value));

export const asCount = (value) => known(value, whole.format);
export const asScore = (value) => known(value, whole.format);
export const asPoints = (value) => known(value, (points) => signed.format(points).replace("-", "−"));
export const asNumber = (value) => known(value, tenths.format);
export const asShare = (value) => known(value, share.format);
export const asMoney = (value) => known(value, money.format);
export const asDay = (text) => known(text, (known) => day.format(new Date(known)));
export const asMinute = (text) => known(text, (known) => minute.format(new Date(known)));

/** How far an instant is from now: "3 days ago", "in 2 weeks". */
export function asDistance(text) {
  return known(text, (instant) => {
    const away = (new Date(instant) - Date.now()) / 1000;
    const { unit, seconds } = STEPS.find((step) => Math.abs(away) >= step.seconds * step.from);
    return relative.format(Math.round(away / seconds) || 0, unit);
  });
}

/** Days from today until a date; negative when it has passed, null when there is none. */
export function daysUntil(text) {
  return text == null ? null : Math.floor((new Date(text) - Date.now()) / 86_400_000);
}
