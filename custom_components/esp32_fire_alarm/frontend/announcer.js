/* Says what is new to people who do not see the wall. */

import { el, setText } from "./dom.js";
import { Word } from "./model.js";

const GATHER_MS = 250; // a flood is said in one sentence

export class Announcer {
  constructor(context) {
    this.context = context;
    this.alarms = [];
    this.lost = [];
    this.isOver = false;
    this.loud = el("div", { class: "hidden", "aria-live": "assertive", role: "alert" });
    this.calm = el("div", { class: "hidden", "aria-live": "polite", role: "status" });
    this.element = el("div", {}, this.loud, this.calm);
  }

  /* Notes what is new; `isStart` when all of it is. */
  update(changes, isStart) {
    for (const [zone, before] of changes.zones) {
      if (zone.state === "alarm" && before.state !== "alarm") this.alarms.push(zone);
      if (zone.state !== "alarm" && before.state === "alarm") this.isOver = true;
    }
    for (const [node, before] of changes.nodes) {
      if (!isStart && node.word !== Word.FRESH && before === Word.FRESH) this.lost.push(node);
    }
    if (!this.timer && (this.alarms.length || this.lost.length || this.isOver)) {
      this.timer = setTimeout(() => this.#say(), GATHER_MS);
    }
  }

  stop() {
    clearTimeout(this.timer);
  }

  #say() {
    const { t, site } = this.context;
    const standing = site.alarms().length;
    if (this.alarms.length) {
      const [first] = this.alarms.sort((one, other) => one.order - other.order);
      const n = this.alarms.length;
      const total = standing > n ? ` ${t("say_in_alarm", { n: standing })}` : "";
      // A new element each time: the same alarm may come twice.
      const sentence = `${t("say_alarms", { n, zone: first.name })}${total}`;
      this.loud.replaceChildren(el("p", {}, sentence));
    } else if (this.isOver && !standing) {
      setText(this.loud, "");
      setText(this.calm, t("say_over"));
    }
    if (this.lost.length) {
      const [node] = this.lost;
      const key = this.lost.length === 1 ? "say_node_lost" : "say_nodes_lost";
      setText(this.calm, t(key, { node: node.name, n: this.lost.length }));
    }
    this.alarms = [];
    this.lost = [];
    this.isOver = false;
    this.timer = null;
  }
}
