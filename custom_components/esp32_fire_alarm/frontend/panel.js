/* The wall as a page of its own, in Home Assistant's sidebar. */

import "./board.js";
import { el } from "./dom.js";
import { translator } from "./words.js";

const LOOK_MS = 1000;
const COVER = `
  position: fixed; inset: 0; z-index: 1000; display: grid; place-items: center;
  margin: 0; padding: 24px; font: 20px/1.4 system-ui, sans-serif; text-align: center;
  color: #fff; background: #4a148c;`;

class Panel extends HTMLElement {
  #board = null;

  set hass(hass) {
    this.lastHass = hass;
    if (this.#board) this.#board.hass = hass;
  }

  set narrow(narrow) {
    this.isNarrow = narrow;
    if (this.#board) this.#board.narrow = narrow;
  }

  /* Its path is the site and the view, so that both survive a reload. */
  set route({ prefix, path }) {
    this.base = prefix;
    this.place = placeOf(path);
    if (this.#board) this.#board.go(this.place);
  }

  set panel(_) {}

  connectedCallback() {
    const board = (this.#board = document.createElement("esp32-fire-alarm-board"));
    board.settings = { views: true, ...this.place };
    board.addEventListener("place", ({ detail }) => this.#go(detail));
    this.style.display = "block";
    this.style.height = "100%";
    this.replaceChildren(board);
    board.narrow = this.isNarrow;
    board.hass = this.lastHass;
  }

  disconnectedCallback() {
    this.replaceChildren();
    this.#board = null;
    setTimeout(() => this.#comeBack(), LOOK_MS);
  }

  /*
   * While Home Assistant starts it does not know this page yet, takes it off the
   * screen and forgets it. A screen on a wall has nobody who would load it anew.
   */
  async #comeBack() {
    const isOurs = () => !this.isConnected && location.pathname.startsWith(this.base);
    if (!isOurs() || this.cover) return;
    const { connection, language } = this.lastHass;
    const text = translator(language)("not_running");
    this.cover = el("p", { role: "alert", style: COVER }, text);
    document.body.append(this.cover);
    while (isOurs()) {
      try {
        const panels = await connection.sendMessagePromise({ type: "get_panels" });
        if (this.base.slice(1) in panels && !document.hidden && isOurs()) location.reload();
      } catch {
        // Not there yet.
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.cover.remove();
    this.cover = null;
  }

  #go({ entry_id: entryId, view }) {
    history.replaceState(null, "", `${this.base}/${entryId}/${view}`);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: true } }));
  }
}

function placeOf(path) {
  const [, entryId, view] = (path ?? "").split("/");
  return { ...(entryId && { entry_id: entryId }), view: view || "wall" };
}

customElements.define("esp32-fire-alarm-panel", Panel);
