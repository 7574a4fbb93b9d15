/* What the marks mean, how many zones have each, and which of them to show. */

import { el, setAttribute, setText } from "./dom.js";
import { STATES } from "./model.js";

const GROUPS = ["node", "area"];

export class Legend {
  constructor(context, { group, arrange, show }) {
    this.context = context;
    this.chosen = new Set();
    const { t } = context;
    this.states = new Map(
      STATES.map((state) => {
        const count = el("span", { class: "count" });
        const button = el(
          "button",
          { "aria-pressed": "false", "data-state": state, on: { click: () => this.#choose(state) } },
          el("span", { class: "mark", "aria-hidden": "true" }),
          el("span", {}, t(`state_${state}`)),
          count,
        );
        return [state, { button, count }];
      }),
    );
    this.onShow = show;
    this.groups = new Map(
      GROUPS.map((name) => [
        name,
        el(
          "button",
          { "aria-pressed": String(name === group), on: { click: () => this.#arrange(name) } },
          t(`group_${name}`),
        ),
      ]),
    );
    this.onArrange = arrange;
    const buttons = [...this.states.values()].map(({ button }) => button);
    this.element = el(
      "div",
      { class: "legend" },
      el("div", { class: "states", role: "group", "aria-label": t("filter") }, ...buttons),
      el(
        "div",
        { class: "groups", role: "group", "aria-label": t("group") },
        ...this.groups.values(),
      ),
    );
  }

  /* The states to show, null for all. */
  get shown() {
    return this.chosen.size ? this.chosen : null;
  }

  update() {
    const counts = this.context.site.counts();
    for (const [state, { button, count }] of this.states) {
      setText(count, this.context.format.number(counts[state]));
      setAttribute(button, "data-none", counts[state] === 0);
    }
  }

  #choose(state) {
    if (!this.chosen.delete(state)) this.chosen.add(state);
    setAttribute(this.states.get(state).button, "aria-pressed", this.chosen.has(state));
    this.onShow(this.shown);
  }

  #arrange(group) {
    for (const [name, button] of this.groups) setAttribute(button, "aria-pressed", name === group);
    this.onArrange(group);
  }
}
