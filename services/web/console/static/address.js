// The page's address: which account is open and what is filtered, so that a link shows what its sender saw.

export const FIELDS = ["search", "band", "stage", "signal", "segment", "owner", "sort"];

/** The filters in the address. */
export function filtersHere() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(FIELDS.map((field) => [field, query.get(field) ?? ""]));
}

/** The account in the address, or null. */
export function accountHere() {
  return new URLSearchParams(location.search).get("account");
}

/** Writes filters into the address without a step in the history. */
export function rememberFilters(filters) {
  history.replaceState(null, "", addressWith((query) => {
    for (const field of FIELDS) set(query, field, filters[field]);
  }));
}

/** Writes the open account into the address, a step that "back" undoes. */
export function rememberAccount(account) {
  if (account !== accountHere()) history.pushState(null, "", addressWith((query) => set(query, "account", account)));
}

/** This address in another language. */
export function addressIn(language) {
  return addressWith((query) => query.set("lang", language));
}

function addressWith(change) {
  const query = new URLSearchParams(location.search);
  query.delete("lang");
  change(query);
  return query.size ? `?${query}` : location.pathname;
}

function set(query, field, value) {
  if (value) query.set(field, value);
  else query.delete(field);
}
