/*
 * The wall as a card for people's own dashboards. Every page of Home Assistant
 * loads this file, so it loads the rest only where there is such a card.
 */

const TYPE = "esp32-fire-alarm-card";
const WORDS = {
  en: {
    name: "Fire alarm wall",
    description: "All zones of a fire alarm site at a glance",
    entry_id: "Site",
    title: "Title",
    group: "Arrange",
    node: "By node",
    area: "By area",
    failed: "The fire alarm wall could not be loaded. Load this page anew.",
  },
  id: {
    name: "Dinding alarm kebakaran",
    description: "Semua zona sebuah lokasi alarm kebakaran dalam sekali pandang",
    entry_id: "Lokasi",
    title: "Judul",
    group: "Susunan",
    node: "Per node",
    area: "Per area",
    failed: "Dinding alarm kebakaran tidak dapat dimuat. Muat ulang halaman ini.",
  },
};

function words() {
  return WORDS[document.documentElement.lang.split("-")[0]] ?? WORDS.en;
}

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
    const text = words();
    const options = ["node", "area"].map((value) => ({ value, label: text[value] }));
    return {
      computeLabel: ({ name }) => text[name],
      schema: [
        { name: "entry_id", selector: { config_entry: { integration: "esp32_fire_alarm" } } },
        { name: "title", selector: { text: {} } },
        {
          name: "group",
          selector: { select: { mode: "dropdown", options } },
        },
      ],
    };
  }

  static getStubConfig() {
    return { group: "node" };
  }

  async #draw() {
    try {
      await import("./board.js");
    } catch {
      // After an update the files that go with this one are there no more.
      this.textContent = words().failed;
      return;
    }
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

function define() {
  if (customElements.get(TYPE)) return;
  customElements.define(TYPE, Card);
  const { name, description } = words();
  (window.customCards ??= []).push({ type: TYPE, name, description, preview: true });
}

// Home Assistant puts a registry of its own in the place of the browser's while it
// loads. What was defined before, by a file that came faster, is not in it.
customElements.whenDefined("home-assistant").then(define);
