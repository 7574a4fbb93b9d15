/* The wall itself: every zone a cell, in rows of a module or an area. */

import { el, setAttribute, setText } from "./dom.js";
import { Bit, Word } from "./model.js";
import { moveIn } from "./roving.js";

/* The rows of the wall: what they are called, and their zones. */
export function rowsOf(site, group, t) {
  if (group === "area") return rowsByArea(site, t);
  const modules = [...site.modules.values()];
  modules.sort((one, other) => one.node - other.node || one.number - other.number);
  return modules.map((module) => {
    const node = site.nodes.get(module.node);
    const nodeName = node?.name ?? "";
    return {
      title: module.name ?? nodeName,
      label: module.name ? `${nodeName}, ${module.name}` : nodeName,
      modules: [module],
      zones: module.zones,
    };
  });
}

function rowsByArea(site, t) {
  const byArea = new Map();
  for (const zone of site.zones.values()) {
    if (!byArea.has(zone.area)) byArea.set(zone.area, []);
    byArea.get(zone.area).push(zone);
  }
  const named = [...byArea].filter(([area]) => area !== null);
  named.sort(([one], [other]) => one.localeCompare(other, undefined, { numeric: true }));
  const rows = byArea.has(null) ? [...named, [null, byArea.get(null)]] : named;
  return rows.map(([area, zones]) => ({
    title: area ?? t("no_area"),
    label: area ?? t("no_area"),
    modules: [],
    zones: zones.sort((one, other) => one.number - other.number),
  }));
}

/* Everything about a zone in one sentence, as a screen reader says it. */
export function sentenceOf(zone, { t, format }) {
  const words = [zone.name];
  const number = t("zone_n", { n: zone.number });
  if (zone.name !== number) words.push(number);
  words.push(t(`state_${zone.state}`));
  if (zone.isFirst) words.push(t("first"));
  if (zone.is(Bit.ALARM) && zone.state !== "alarm") words.push(t("alarm_while_disabled"));
  if (zone.is(Bit.HELD) && zone.state !== "held") words.push(t("held"));
  if (zone.raisedAt) words.push(format.time(zone.raisedAt));
  if (zone.is(Bit.ACKNOWLEDGED)) words.push(t("acknowledged"));
  if (zone.area) words.push(zone.area);
  return words.join(", ");
}

export class Wall {
  constructor(context, group) {
    this.context = context;
    this.group = group;
    this.cells = new Map();
    this.rows = [];
    this.shown = null; // the states to show, null for all
    const { t } = context;
    this.grid = el("div", {
      class: "grid",
      role: "grid",
      on: {
        click: (event) => this.#open(event.target),
        keydown: (event) => this.#press(event),
        focusin: (event) => this.#rove(event.target),
      },
    });
    this.nothing = el("p", { class: "nothing", hidden: true }, t("nothing_to_show"));
    this.element = el("div", { class: "wall", "data-group": group }, this.grid, this.nothing);
  }

  /* Brings the wall up to date with what changed, or draws all of it anew. */
  update(changes) {
    if (changes.layout || !this.rows.length) this.#draw();
    for (const zone of changes.zones.keys()) this.#showZone(zone);
    if (changes.modules.size || changes.nodes.size) this.#showRows();
    if (changes.zones.size && this.shown) this.#filter();
  }

  arrange(group) {
    this.group = group;
    setAttribute(this.element, "data-group", group);
    this.#draw();
  }

  /* Shows only zones in these states; null shows all. */
  show(states) {
    this.shown = states;
    this.#filter();
  }

  focusZone(zone) {
    this.cells.get(zone.number)?.focus();
  }

  #draw() {
    const { site, t } = this.context;
    const focused = this.#zoneOf(this.grid.getRootNode().activeElement)?.number;
    this.cells.clear();
    setAttribute(this.grid, "aria-label", t("wall_label", { site: site.title }));
    this.rows = rowsOf(site, this.group, t).map((row) => this.#drawRow(row));
    this.grid.replaceChildren(...this.rows.map((row) => row.element));
    for (const zone of site.zones.values()) this.#showZone(zone);
    this.#showRows();
    this.#filter();
    if (focused) this.cells.get(focused)?.focus();
  }

  #drawRow(row) {
    const title = el("span", { class: "name" }, row.title);
    const note = el("span", { class: "note" });
    const header = el("div", { role: "rowheader", class: "title", title: row.label }, title, note);
    const cells = row.zones.map((zone) => {
      const cell = el("div", { role: "gridcell", class: "cell", tabindex: "-1" });
      const number = el("span", { class: "number" }, String(zone.number));
      cell.append(el("div", { class: "face", "aria-hidden": "true" }, number));
      cell.zone = zone;
      this.cells.set(zone.number, cell);
      return cell;
    });
    const group = el("div", { class: "cells", role: "presentation" }, ...cells);
    const element = el("div", { role: "row", class: "block" }, header, group);
    element.style.setProperty("--zones", cells.length);
    return { ...row, element, header, note, cells };
  }

  #showZone(zone) {
    const cell = this.cells.get(zone.number);
    if (!cell) return;
    if (cell.shownCode === zone.code && cell.shownAt === zone.raisedAt) {
      if (cell.shownName === zone.name) return;
    }
    cell.shownCode = zone.code;
    cell.shownAt = zone.raisedAt;
    cell.shownName = zone.name;
    cell.dataset.state = zone.state;
    cell.toggleAttribute("data-first", zone.isFirst);
    cell.toggleAttribute("data-held", zone.is(Bit.HELD));
    cell.toggleAttribute("data-acknowledged", zone.is(Bit.ACKNOWLEDGED));
    cell.toggleAttribute("data-set-off", zone.is(Bit.ALARM) && zone.state !== "alarm");
    cell.setAttribute("aria-label", sentenceOf(zone, this.context));
  }

  #showRows() {
    const { site, t } = this.context;
    for (const row of this.rows) {
      const notes = row.modules.flatMap((module) => {
        const node = site.nodes.get(module.node);
        return [
          node?.word === Word.LOST ? t("node_lost") : null,
          node?.word === Word.HELD ? t("node_held") : null,
          node?.word === Word.FRESH && module.answers === 0 ? t("module_offline") : null,
          module.bell ? t("bell_on") : null,
          node?.standby ? t("on_standby") : null,
        ].filter(Boolean);
      });
      setText(row.note, notes.join(", "));
      setAttribute(row.header, "title", [row.label, ...notes].join(", "));
      setAttribute(row.element, "aria-label", [row.label, ...notes].join(", "));
    }
  }

  #filter() {
    let isAny = false;
    for (const { element, cells } of this.rows) {
      let isRow = false;
      for (const cell of cells) {
        cell.hidden = this.shown !== null && !this.shown.has(cell.zone.state);
        isRow ||= !cell.hidden;
      }
      element.hidden = !isRow;
      isAny ||= isRow;
    }
    this.nothing.hidden = isAny;
    this.#keepReachable();
  }

  /* One cell that is shown, and only one, is in the order of the Tab key. */
  #keepReachable() {
    const cells = [...this.cells.values()];
    const before = this.cells.get(this.current);
    const current = before && !before.hidden ? before : cells.find((cell) => !cell.hidden);
    for (const cell of cells) cell.tabIndex = cell === current ? 0 : -1;
    this.current = current?.zone.number ?? this.current;
  }

  #zoneOf(target) {
    return target?.closest?.(".cell")?.zone;
  }

  #open(target) {
    const zone = this.#zoneOf(target);
    if (zone) this.context.open(zone);
  }

  #rove(target) {
    const zone = this.#zoneOf(target);
    if (!zone) return;
    const before = this.cells.get(this.current);
    if (before) before.tabIndex = -1;
    this.current = zone.number;
    this.cells.get(zone.number).tabIndex = 0;
  }

  #press(event) {
    const cell = event.target.closest(".cell");
    if (!cell || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open(cell);
      return;
    }
    const rows = this.rows
      .filter((row) => !row.element.hidden)
      .map((row) => row.cells.filter((one) => !one.hidden));
    const next = moveIn(rows, cell, event);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
}
