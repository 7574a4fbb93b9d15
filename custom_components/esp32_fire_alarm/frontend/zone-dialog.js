/* Everything about one zone, and what to do about it. */

import { openDialog } from "./dialog.js";
import { askHomeAssistant, el, setAttribute, setText } from "./dom.js";
import { entryOf, remarksOf } from "./log-words.js";
import { Bit } from "./model.js";
import { fetchZone } from "./stream.js";

const LATEST = 4;

export class ZoneDialog {
  constructor(context, host, number, onClose) {
    this.context = context;
    this.host = host;
    this.number = number;
    this.details = null;
    const { t } = context;
    this.state = el("p", { class: "state" });
    this.facts = el("dl", { class: "details" });
    this.buttons = el("div", { class: "acts" });
    this.fault = el("p", { class: "fault", role: "alert" });
    this.latest = el("ul", { class: "latest" });
    const head = el("h3", {}, t("latest"));
    this.past = el("section", { hidden: true }, head, this.latest);
    const { dialog, heading } = openDialog(
      host.shadowRoot,
      t,
      { title: this.zone.name, kind: "zone", onClose },
      ...[this.state, this.facts, this.fault, this.buttons, this.past],
    );
    this.dialog = dialog;
    this.heading = heading;
    this.update();
    this.fetch();
  }

  get zone() {
    return this.context.site.zones.get(this.number);
  }

  close() {
    this.dialog.close();
  }

  /* Fetches what the wall does not know: who, why, until when, and the past. */
  async fetch() {
    const { stream } = this.context;
    try {
      this.details = await fetchZone(stream.connection, stream.entryId, this.number);
      setText(this.fault, "");
    } catch (error) {
      const why = error?.message ?? String(error);
      setText(this.fault, this.context.t("failed", { why }));
    }
    this.update();
  }

  update() {
    const { zone } = this;
    if (!zone) {
      this.close();
      return;
    }
    const { t } = this.context;
    setText(this.heading, zone.name);
    setAttribute(this.state, "data-state", zone.state);
    const words = [t(`state_${zone.state}`)];
    if (zone.isFirst) words.push(t("first"));
    if (zone.is(Bit.ALARM) && zone.state !== "alarm") words.push(t("alarm_while_disabled"));
    if (zone.is(Bit.HELD) && zone.state !== "held") words.push(t("held"));
    if (zone.is(Bit.DRILL)) words.push(t("drill"));
    if (zone.is(Bit.RESYNC)) words.push(t("found_late"));
    setText(this.state, words.join(" · "));
    this.#updateFacts(zone);
    this.#updateButtons(zone);
    this.#updateLatest();
  }

  #updateFacts(zone) {
    const { t, format, site } = this.context;
    const node = site.nodeOf(zone);
    const standing = this.details?.log.map(entryOf).filter((one) => one.endedAt === null) ?? [];
    const acknowledged = standing.find((one) => one.acknowledgedAt !== null);
    const rows = [
      [t("zone"), String(zone.number)],
      [t("area"), zone.area ?? "–"],
      [t("node"), node?.name ?? "–"],
      [t("address"), node?.address ?? "–"],
      [t("module"), zone.module.name ?? t("module_n", { n: zone.module.number })],
      zone.raisedAt && [t("since"), format.time(zone.raisedAt)],
      zone.order > 0 && [t("order"), t("nth_alarm", { n: zone.order })],
      zone.is(Bit.ALARM) && [t("input"), t(zone.is(Bit.LIVE) ? "input_active" : "input_normal")],
      acknowledged && [
        t("acknowledged_by"),
        t("by_at", {
          by: acknowledged.acknowledgedBy,
          time: format.time(acknowledged.acknowledgedAt),
        }),
      ],
      ...(this.details?.impairments ?? []).flatMap((one) => this.#impairment(one)),
    ].filter(Boolean);
    this.facts.replaceChildren(
      ...rows.map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", {}, text))),
    );
  }

  #impairment({ kind, by, since, until, why }) {
    const { t, format } = this.context;
    const word = t(kind === "disabled" ? "state_disabled" : "state_test");
    const end = until === null ? t("until_enabled") : t("until", { time: format.time(until) });
    const who = t("taken_out_by", { by, time: format.time(since) });
    return [[t("taken_out"), [word, who, end, why].filter(Boolean).join(", ")]];
  }

  #updateButtons(zone) {
    const { t, acts } = this.context;
    const entity = this.details?.entity;
    const isOut = (bit, action) => zone.is(bit) && acts.can(action);
    const canTakeOut = (bit, action) => !zone.is(bit) && acts.can(action);
    const wanted = !entity
      ? []
      : [
          zone.raisedAt &&
            !zone.is(Bit.ACKNOWLEDGED) &&
            acts.can("acknowledge") && ["acknowledge", () => this.#acknowledge(entity), "primary"],
          ["history", () => this.#showHistory(entity)],
          canTakeOut(Bit.DISABLED, "disable_zone") && [
            "disable",
            () => acts.disable(zone, entity),
          ],
          isOut(Bit.DISABLED, "enable_zone") && [
            "enable",
            () => acts.putBack(zone, entity, "enable_zone"),
          ],
          canTakeOut(Bit.TEST, "start_walk_test") &&
            zone.state !== "alarm" && ["start_test", () => acts.test(zone, entity)],
          isOut(Bit.TEST, "stop_walk_test") && [
            "stop_test",
            () => acts.putBack(zone, entity, "stop_walk_test"),
          ],
        ].filter(Boolean);
    const key = `${entity} ${wanted.map(([name]) => name)}`;
    if (key === this.buttonsKey) return;
    this.buttonsKey = key;
    this.buttons.replaceChildren(
      ...wanted.map(([name, act, kind = ""]) =>
        el("button", { class: `act ${kind}`, "data-act": name, on: { click: act } }, t(name)),
      ),
    );
  }

  #updateLatest() {
    const { t, format } = this.context;
    const log = (this.details?.log ?? []).slice(-LATEST).reverse().map(entryOf);
    this.past.hidden = !log.length;
    this.latest.replaceChildren(
      ...log.map((entry) => {
        const end = entry.endedAt === null ? t("standing") : format.time(entry.endedAt);
        const words = [
          t(entry.kind === "alarm" ? "state_alarm" : "state_trouble"),
          `${format.time(entry.raisedAt)} – ${end}`,
          ...remarksOf(entry, this.context),
        ];
        return el("li", {}, words.join(" · "));
      }),
    );
  }

  async #acknowledge(entity) {
    const { t, acts } = this.context;
    try {
      await acts.acknowledge(entity);
      await this.fetch();
    } catch (error) {
      setText(this.fault, t("failed", { why: error?.message ?? String(error) }));
    }
  }

  #showHistory(entity) {
    // Home Assistant's dialog would open behind this one.
    this.close();
    askHomeAssistant(this.host, "hass-more-info", { entityId: entity });
  }
}
