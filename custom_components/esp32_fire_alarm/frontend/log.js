/* The alarm log: filtered, and exported as it is filtered. */

import { download, toCsv } from "./csv.js";
import { el, setText } from "./dom.js";
import { entryOf, remarksOf } from "./log-words.js";
import { fetchLog } from "./stream.js";
import { Table } from "./table.js";

const SHOWN = 100;
const GATHER_MS = 500; // in a flood the log changes with every frame
const KINDS = {
  log_all: () => true,
  log_alarm: (entry) => entry.isFire,
  log_trouble: (entry) => entry.kind === "trouble",
  log_test: (entry) => entry.kind === "alarm" && !entry.isFire,
  log_standing: (entry) => entry.endedAt === null,
};

/* The mark of an entry; what was no fire has none. */
function markOf({ kind, isFire }) {
  if (kind === "trouble") return "trouble";
  return isFire ? "alarm" : null;
}

export class Log {
  constructor(context) {
    this.context = context;
    this.entries = [];
    this.most = SHOWN;
    const { t } = context;
    const refresh = () => this.#show();
    this.search = el("input", { type: "search", on: { input: refresh } });
    const options = Object.keys(KINDS).map((key) => el("option", { value: key }, t(key)));
    this.kind = el("select", { on: { change: refresh } }, ...options);
    this.count = el("span", { class: "count", role: "status" });
    this.fault = el("p", { class: "fault", role: "alert" });
    this.table = new Table(t("tab_log"), this.#columns());
    this.empty = el("p", { class: "nothing", hidden: true }, t("log_empty"));
    this.more = el("button", { class: "act", hidden: true, on: { click: () => this.#showAll() } });
    this.element = el(
      "div",
      { class: "log" },
      el(
        "div",
        { class: "row" },
        el("label", {}, t("log_search"), this.search),
        el("label", {}, t("log_kind"), this.kind),
        this.count,
        el("button", { class: "act", on: { click: () => this.#export() } }, t("log_export")),
      ),
      this.fault,
      this.table.element,
      this.empty,
      this.more,
    );
  }

  start() {
    this.fetch();
  }

  stop() {
    clearTimeout(this.timer);
  }

  update(changes) {
    if (!changes.log || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.fetch();
    }, GATHER_MS);
  }

  async fetch() {
    const { stream, t } = this.context;
    try {
      const rows = await fetchLog(stream.connection, stream.entryId);
      this.entries = rows.map(entryOf);
      setText(this.fault, "");
    } catch (error) {
      setText(this.fault, t("failed", { why: error?.message ?? String(error) }));
    }
    this.#show();
  }

  #chosen() {
    const text = this.search.value.trim().toLocaleLowerCase();
    const isKind = KINDS[this.kind.value];
    return this.entries.filter(
      (entry) => isKind(entry) && (!text || this.#textOf(entry).includes(text)),
    );
  }

  #textOf(entry) {
    const { name, area } = this.#zoneOf(entry);
    const words = [name, area, entry.zone, this.#kindOf(entry), entry.acknowledgedBy];
    return [...words, ...remarksOf(entry, this.context)].join(" ").toLocaleLowerCase();
  }

  #show() {
    const { t } = this.context;
    const chosen = this.#chosen();
    this.table.show(chosen.slice(0, this.most));
    this.empty.hidden = chosen.length > 0;
    this.more.hidden = chosen.length <= this.most;
    setText(this.more, t("log_more", { n: chosen.length }));
    setText(this.count, t("log_count", { n: chosen.length, all: this.entries.length }));
  }

  #showAll() {
    this.most = Infinity;
    this.#show();
  }

  #zoneOf(entry) {
    const { site, t } = this.context;
    const zone = site.zones.get(entry.zone);
    return { name: zone?.name ?? t("zone_n", { n: entry.zone }), area: zone?.area ?? "" };
  }

  #kindOf(entry) {
    return this.context.t(entry.kind === "alarm" ? "state_alarm" : "state_trouble");
  }

  #columns() {
    const { t, format } = this.context;
    const acknowledged = ({ acknowledgedAt, acknowledgedBy }) =>
      acknowledgedAt === null
        ? ""
        : t("by_at", { by: acknowledgedBy, time: format.time(acknowledgedAt) });
    const ended = (entry) =>
      entry.endedAt === null ? t("standing") : format.time(entry.endedAt);
    return [
      { title: t("raised"), text: (entry) => format.time(entry.raisedAt) },
      {
        title: t("kind"),
        text: (entry) => this.#kindOf(entry),
        state: (entry) => markOf(entry),
      },
      { title: t("zone"), text: (entry) => String(entry.zone) },
      { title: t("name"), text: (entry) => this.#zoneOf(entry).name },
      { title: t("area"), text: (entry) => this.#zoneOf(entry).area },
      { title: t("ended"), text: ended },
      { title: t("acknowledged_by"), text: acknowledged },
      { title: t("remarks"), text: (entry) => remarksOf(entry, this.context).join(", ") },
    ];
  }

  #export() {
    const { t, site } = this.context;
    const iso = (at) => (at === null ? "" : new Date(at).toISOString());
    const rows = this.#chosen().map((entry) => [
      iso(entry.raisedAt),
      this.#kindOf(entry),
      entry.zone,
      this.#zoneOf(entry).name,
      this.#zoneOf(entry).area,
      iso(entry.endedAt),
      entry.acknowledgedBy ?? "",
      iso(entry.acknowledgedAt),
      remarksOf(entry, this.context).join(", "),
    ]);
    const head = [
      `${t("raised")} (UTC)`,
      ...["kind", "zone", "name", "area"].map((key) => t(key)),
      `${t("ended")} (UTC)`,
      t("acknowledged_who"),
      `${t("acknowledged_by")} (UTC)`,
      t("remarks"),
    ];
    const day = new Date().toISOString().slice(0, 10);
    const name = `${site.title} ${day}`.replace(/[^\p{L}\p{N}]+/gu, "-");
    download(`${name}.csv`, toCsv([head, ...rows]), this.element);
  }
}
