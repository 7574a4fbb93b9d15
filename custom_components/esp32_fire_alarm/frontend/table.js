/* Tables: a head that sorts, or not, and rows that are written only as needed. */

import { el, setAttribute, setText } from "./dom.js";

/*
 * `columns` are { title, value, text, state }: what a row is sorted by, what its
 * cell says, and which mark it has, if any. `caption` names the table for screen
 * readers.
 */
export class Table {
  constructor(caption, columns, { sort = null, descends = false } = {}) {
    this.columns = columns;
    this.sort = sort;
    this.descends = descends;
    this.rows = [];
    this.isSortable = sort !== null;
    this.heads = columns.map(({ title }, place) => this.#head(title, place));
    this.body = el("tbody");
    this.element = el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", {}, el("thead", {}, el("tr", {}, ...this.heads)), this.body),
    );
    this.#showSort();
  }

  show(rows) {
    this.rows = rows;
    const shown = this.isSortable ? this.#sorted() : rows;
    while (this.body.rows.length > shown.length) this.body.lastChild.remove();
    shown.forEach((row, place) => this.#showRow(this.body.rows[place], row));
  }

  #head(title, place) {
    if (!this.isSortable) return el("th", { scope: "col" }, title);
    const button = el("button", { on: { click: () => this.#sortBy(place) } }, title);
    return el("th", { scope: "col" }, button);
  }

  #sortBy(place) {
    this.descends = this.sort === place ? !this.descends : false;
    this.sort = place;
    this.#showSort();
    this.show(this.rows);
  }

  #showSort() {
    this.heads.forEach((head, place) => {
      const direction = this.descends ? "descending" : "ascending";
      setAttribute(head, "aria-sort", this.sort === place ? direction : null);
    });
  }

  #sorted() {
    const { value } = this.columns[this.sort];
    const sign = this.descends ? -1 : 1;
    return [...this.rows].sort((one, other) => sign * compare(value(one), value(other)));
  }

  #showRow(element, row) {
    const line = element ?? this.body.insertRow();
    this.columns.forEach((column, place) => {
      const cell = line.cells[place] ?? line.insertCell();
      setText(cell, column.text(row));
      if (column.state) setAttribute(cell, "data-state", column.state(row));
    });
  }
}

/* What is not known comes last. */
function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  if (typeof one === "string") return one.localeCompare(other, undefined, { numeric: true });
  return one - other;
}
