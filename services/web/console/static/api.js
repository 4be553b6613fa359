// The public API, and the three ways in which asking it can fail.

export class SignedOut extends Error {}
export class Away extends Error {}
export class Refusal extends Error {}

const PATIENCE = 15_000; // milliseconds

/** The JSON answer of a path of our own; throws SignedOut, Away (try again) or Refusal (do not). */
export async function get(path, parameters = {}) {
  const answer = await ask(path, parameters);
  return answer.json();
}

/** An SVG of our own as an element, or null when there is nothing to draw. */
export async function drawing(path, parameters = {}) {
  const answer = await ask(path, parameters);
  if (answer.status === 204) return null;
  const root = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  return root.localName === "svg" ? document.importNode(root, true) : null;
}

async function ask(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value != null));
  const answer = await reach(query.size ? `${path}?${query}` : path);
  if (answer.status === 401 || answer.status === 403) throw new SignedOut(path);
  if (answer.status >= 500 || answer.status === 429) throw new Away(`${path} answered ${answer.status}`);
  if (!answer.ok) throw new Refusal(await reasonOf(answer));
  return answer;
}

async function reach(address) {
  try {
    return await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Away(String(error));
  }
}

async function reasonOf(answer) {
  const text = await answer.text();
  try {
    const fault = JSON.parse(text);
    return String(fault.detail ?? fault.title ?? answer.status);
  } catch {
    return `${answer.status}`;
  }
}
