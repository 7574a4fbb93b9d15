/* The wall as a page of its own, in Home Assistant's sidebar. */

import "./board.js";

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
