// Words and sentences in the language of the page.  Everything that comes from outside stays isolated text.

const root = document.documentElement;
export const language = root.lang;
export const locale = language === "he" ? "he-IL" : "en";
let messages = {};

/** Fetches the catalogue; until then, and for unknown sentences, English stands. */
export async function loadMessages(address) {
  messages = await (await fetch(address)).json();
}

/** A sentence with its {places} filled by plain text. */
export function t(msgid, parts = {}) {
  const text = messages[msgid] ?? msgid;
  return (Array.isArray(text) ? text[0] : text).replace(/\{(\w+)\}/g, (whole, place) => parts[place] ?? whole);
}

/** A sentence about a number of things; {count} is written by the reader's own rules. */
export function tn(one, other, count, parts = {}) {
  const forms = messages[one] ?? [one, other];
  const form = Array.isArray(forms) ? forms[count === 1 ? 0 : 1] : count === 1 ? one : other;
  const all = { count: new Intl.NumberFormat(locale).format(count), ...parts };
  return form.replace(/\{(\w+)\}/g, (whole, place) => all[place] ?? whole);
}

/** A sentence as nodes: text goes in isolated, so that a name in another direction cannot disturb its neighbours. */
export function sentence(msgid, parts) {
  return (messages[msgid] ?? msgid).split(/(\{\w+\})/).filter(Boolean).map((piece) => {
    const place = /^\{(\w+)\}$/.exec(piece)?.[1];
    const part = place === undefined ? piece : parts[place] ?? "";
    return place === undefined || part instanceof Node ? part : isolated(part);
  });
}

/** Text from outside, in its own direction. */
export function isolated(text) {
  const element = document.createElement("bdi");
  element.textContent = text;
  return element;
}

/** A number, which reads from left to right everywhere, its sign in front. */
export function numeral(text) {
  const element = isolated(text);
  element.dir = "ltr";
  return element;
}

/** What a key of a scorecard is called: translated, or the key made readable when it is the scorecard's own. */
export function word(context, key) {
  const text = messages[`${context}\u0004${key}`];
  if (text !== undefined) return text;
  const readable = String(key).replaceAll(/[_.\-]+/g, " ").trim();
  return readable.charAt(0).toUpperCase() + readable.slice(1);
}

/** The same as a node; a scorecard's own word is isolated. */
export function wordNode(context, key) {
  const text = word(context, key);
  return `${context}\u0004${key}` in messages ? document.createTextNode(text) : isolated(text);
}

/** What a key from outside is called: translated where we know it, else as it was written. */
export function called(context, key) {
  return messages[`${context}\u0004${key}`] ?? key;
}

/** The first context that knows the key, else the last. */
export function wordOf(contexts, key) {
  return wordNode(contexts.find((context) => `${context}\u0004${key}` in messages) ?? contexts.at(-1), key);
}
