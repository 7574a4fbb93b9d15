/* The health of the site: its nodes in a table, its messages in plots. */

import { el, setText } from "./dom.js";
import { Plot } from "./plot.js";
import { subscribeHealth } from "./stream.js";
import { Table } from "./table.js";

const RETRY_MS = 3000;
const VERDICTS = ["healthy", "degraded", "lost"];
const COUNTERS = [
  ["bytes_per_second", (value, { t, format }) => t("per_second", { value: format.bytes(value) })],
  ["frames", (value, { format }) => format.number(value), "frames_total"],
  ["identical", (value, { format }) => format.number(value)],
  ["decoded", (value, { format }) => format.number(value)],
  ["malformed", (value, { format }) => format.number(value)],
  ["throttled", (value, { format }) => format.number(value)],
  ["waiting", (value, { format }) => format.number(value)],
];

export class Health {
  constructor(context) {
    this.context = context;
    const { t, format } = context;
    this.frames = new Plot(context, t("plot_frames"), [[t("plot_frames"), "--plot-1"]], (value) =>
      format.number(value),
    );
    this.latency = new Plot(
      context,
      t("plot_latency"),
      [
        [t("p50"), "--plot-1"],
        [t("p99"), "--plot-2"],
      ],
      (value) => format.milliseconds(value),
    );
    this.counters = COUNTERS.map(([key, show, title = key]) => {
      const value = el("dd", {}, "–");
      const element = el("div", { class: "fact" }, el("dt", {}, t(title)), value);
      return { key, show, value, element };
    });
    this.table = new Table(t("nodes"), this.#columns(), { sort: 1, descends: true });
    this.element = el(
      "div",
      { class: "health" },
      el("div", { class: "plots" }, this.frames.element, this.latency.element),
      el("dl", { class: "facts" }, ...this.counters.map(({ element }) => element)),
      this.table.element,
    );
  }

  start() {
    this.isShown = true;
    this.watched = null;
    this.onTick = () => this.#watch();
    this.context.stream.addEventListener("tick", this.onTick);
    this.#watch();
  }

  stop() {
    this.isShown = false;
    this.context.stream.removeEventListener("tick", this.onTick);
    this.unsubscribe?.().catch(() => {});
    this.frames.stop();
    this.latency.stop();
  }

  /* Follows the site's stream: a new subscription whenever that has a new one. */
  async #watch() {
    const { stream } = this.context;
    const session = stream.isLive ? stream.generation : null;
    const isRetryDue = Date.now() - (this.failedAt ?? 0) > RETRY_MS;
    if (!session || session === this.watched || !isRetryDue) return;
    this.watched = session;
    this.unsubscribe?.().catch(() => {});
    this.unsubscribe = null;
    try {
      const unsubscribe = await subscribeHealth(stream.connection, stream.entryId, (message) =>
        this.#take(message),
      );
      if (this.isShown) this.unsubscribe = unsubscribe;
      else unsubscribe().catch(() => {});
    } catch {
      this.watched = null;
      this.failedAt = Date.now();
    }
  }

  #take({ health, metrics, samples }) {
    if (!health) return;
    this.table.show(health.map((row) => this.#rowOf(row)));
    this.frames.add(samples.map(([at, frames]) => [at, frames]));
    this.latency.add(samples.map(([at, , p50, p99]) => [at, p50, p99]));
    for (const { key, show, value } of this.counters) setText(value, show(metrics[key], this.context));
  }

  #rowOf([node, verdict, reason, state, path, roundTrip, age, reconnects, malformed, ...rest]) {
    const [heap, clients, bootedAt] = rest;
    const { name, address } = this.context.site.nodes.get(node) ?? { name: String(node) };
    return {
      ...{ node, name, address, verdict, reason, state, path, roundTrip, age },
      ...{ reconnects, malformed, heap, clients, bootedAt },
    };
  }

  #columns() {
    const { t, format } = this.context;
    const said = (sensor, value) => this.context.localize(sensor, value);
    const number = (title, key, show) => ({
      title: t(title),
      value: (row) => row[key],
      text: (row) => show(row[key]),
    });
    return [
      { title: t("node"), value: (row) => row.name, text: (row) => row.name },
      {
        title: t("verdict"),
        value: (row) => VERDICTS.indexOf(row.verdict),
        text: (row) => said("health", row.verdict),
        state: (row) => row.verdict,
      },
      {
        title: t("why"),
        value: (row) => said("health_reason", row.reason),
        text: (row) => said("health_reason", row.reason),
      },
      { title: t("address"), value: (row) => row.address, text: (row) => row.address ?? "" },
      { title: t("path"), value: (row) => row.path, text: (row) => said("path", row.path) },
      number("round_trip", "roundTrip", (value) => format.milliseconds(value)),
      number("age", "age", (value) => format.duration(value)),
      number("reconnects", "reconnects", (value) => format.number(value)),
      number("malformed", "malformed", (value) => format.number(value)),
      number("heap", "heap", (value) => format.bytes(value)),
      number("clients", "clients", (value) => format.number(value)),
      number("booted", "bootedAt", (value) => format.time(value)),
    ];
  }
}
