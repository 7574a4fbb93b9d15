/*
 * The wall as a card for people's own dashboards. Every page of Home Assistant
 * loads this file, so it loads the rest only where there is such a card.
 */

const TYPE = "esp32-fire-alarm-card";
const NAMES = {
  en: ["Fire alarm wall", "All zones of a fire alarm site at a glance"],
  id: ["Dinding alarm kebakaran", "Semua zona sebuah lokasi alarm kebakaran dalam sekali pandang"],
};

class Card extends HTMLElement {
  #board = null;

  setConfig(config) {
    this.config = config;
    if (this.#board) this.#draw();
  }

  set hass(hass) {
    const isFirst = !this.lastHass;
    this.lastHass = hass;
    if (this.#board) this.#board.hass = hass;
    else if (isFirst) this.#draw();
  }

  connectedCallback() {
    if (this.lastHass) this.#draw();
  }

  disconnectedCallback() {
    this.replaceChildren();
    this.#board = null;
  }

  getCardSize() {
    return 12;
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6 };
  }

  static getConfigForm() {
    return {
      schema: [
        { name: "entry_id", selector: { config_entry: { integration: "esp32_fire_alarm" } } },
        { name: "title", selector: { text: {} } },
        {
          name: "group",
          selector: { select: { mode: "dropdown", options: ["node", "area"] } },
        },
      ],
    };
  }

  static getStubConfig() {
    return { group: "node" };
  }

  async #draw() {
    await import("./board.js");
    if (!this.isConnected) return;
    const board = document.createElement("esp32-fire-alarm-board");
    const { entry_id, title, group } = this.config ?? {};
    board.settings = { entry_id, title, group, view: "wall" };
    const frame = document.createElement("ha-card");
    frame.style.overflow = "hidden";
    frame.append(board);
    this.replaceChildren(frame);
    this.#board = board;
    board.hass = this.lastHass;
  }
}

if (!customElements.get(TYPE)) {
  customElements.define(TYPE, Card);
  const [name, description] = NAMES[document.documentElement.lang.split("-")[0]] ?? NAMES.en;
  (window.customCards ??= []).push({ type: TYPE, name, description, preview: true });
}
