// The page's tie to its server: reads, follows the stream, says so when it breaks, and mends it by itself.

import { Refusal, SignedOut } from "./api.js";
import { Stream, wait } from "./stream.js";
import { t } from "./text.js";

const QUIET = 2; // failed attempts before a banner says more than the indicator
const RETURN = 15; // seconds between looks at whether a person has signed in again elsewhere

export class Connection {
  #failures = 0;
  #timer = null;
  #countdown = null;

  /** `read()` loads everything and returns the cursor to follow; `heard(change)` takes a change; `probe()` a light request. */
  constructor({ read, heard, probe, banner, live }) {
    Object.assign(this, { read, banner, live });
    this.stream = new Stream({ heard, probe, lost: () => this.connect(), state: (...state) => this.#told(...state) });
    banner.retry.addEventListener("click", () => this.retry());
  }

  /** Reads all and follows from there; when that fails, again after a while. */
  async connect() {
    clearTimeout(this.#timer);
    try {
      const cursor = await this.read();
      if (cursor !== null) this.stream.follow(cursor);
      this.#failures = 0;
      this.#calm();
    } catch (error) {
      this.stream.stop();
      this.trouble(error);
    }
  }

  /** Something could not be read: says what, and tries again by itself unless trying is pointless. */
  trouble(error) {
    this.#failures += 1;
    if (error instanceof Refusal) return this.#warn(t("That did not work."), error.message);
    const seconds = error instanceof SignedOut ? RETURN : wait(this.#failures);
    this.#say(error, seconds);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), seconds * 1000);
  }

  retry() {
    this.#indicate("connecting", t("Connecting"));
    this.connect();
  }

  #told(state, seconds, failures, error) {
    if (state === "live") {
      this.#failures = 0;
      this.#calm();
      this.#indicate("live", t("Live"));
    } else if (error instanceof SignedOut) this.trouble(error);
    else if (failures >= QUIET && error) this.#say(error, seconds);
    else this.#indicate("connecting", t("Reconnecting"));
  }

  #say(error, seconds) {
    if (error instanceof SignedOut) {
      this.#indicate("away", t("Signed out"));
      this.#warn(t("Your session has ended."), t("Open a new login link, here or in another tab; this page goes on by itself."));
      return;
    }
    this.#indicate("away", t("Not connected"));
    this.#count(seconds, (left) =>
      this.#warn(t("Kesher does not answer."), left > 0
        ? t("What you see may be out of date. Trying again in {seconds} s.", { seconds: left })
        : t("What you see may be out of date. Trying again now.")));
  }

  #count(seconds, write) {
    clearInterval(this.#countdown);
    let left = seconds;
    write(left);
    this.#countdown = setInterval(() => write((left = Math.max(0, left - 1))), 1000);
  }

  #warn(title, text) {
    this.banner.show(title, text);
  }

  #calm() {
    clearInterval(this.#countdown);
    this.banner.hide();
  }

  #indicate(state, text) {
    this.live.place.dataset.live = state;
    if (this.live.word.textContent !== text) this.live.word.textContent = text;
  }
}
