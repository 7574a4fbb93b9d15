/* The head of the wall: the site in one line, lamps, counts, and what to do. */

import { el, setAttribute, setText } from "./dom.js";
import { Bit, LAMPS } from "./model.js";

const ALARMS_SHOWN = 5;

/* What the whole site is in, and the sentence that goes with it. */
export function verdictOf({ site, t, format }) {
  const { summary, lamps } = site;
  const alarms = site.alarms();
  const counts = site.counts();
  if (summary.fire || alarms.length) {
    const [first] = alarms;
    return {
      level: "alarm",
      headline: t("head_alarm"),
      extra: alarms.length ? t("zones_in_alarm", { n: alarms.length }) : "",
      detail: first
        ? t("first_alarm", { zone: first.name, time: format.time(first.raisedAt) })
        : t("alarm_without_zone"),
    };
  }
  const missing = summary.zones - summary.supervised;
  const facts = [
    [counts.trouble, "in_trouble"],
    [summary.nodes - summary.connected, "nodes_lost"],
    [summary.offline, "modules_offline"],
    [missing, "not_supervised"],
    [counts.disabled + counts.test, "impaired"],
  ];
  const said = facts.filter(([n]) => n > 0).map(([n, key]) => t(key, { n }));
  if (summary.trouble) {
    if (!said.length && lamps.lit.trouble) said.push(t("panel_trouble"));
    return { level: "trouble", headline: t("head_trouble"), extra: "", detail: said.join(" · ") };
  }
  if (!missing) said.unshift(t("all_supervised"));
  const isBlind = summary.supervised === 0;
  return {
    level: isBlind ? "unknown" : "normal",
    headline: t(isBlind ? "head_unknown" : "head_normal"),
    extra: "",
    detail: said.join(" · "),
  };
}

export class Head {
  constructor(context) {
    this.context = context;
    const { t } = context;
    this.headline = el("span", { class: "headline" });
    this.extra = el("span", { class: "extra" });
    this.detail = el("p", { class: "detail" });
    this.silence = el("p", { class: "silence", hidden: true });
    this.supervised = this.#fact("supervised");
    this.connected = this.#fact("connected");
    this.lamps = new Map(LAMPS.map((lamp) => [lamp, el("li", { class: "lamp" })]));
    this.buttons = el("div", { class: "acts" });
    this.alarms = el("ol", { class: "alarms", "aria-label": t("alarms") });
    this.banner = el(
      "div",
      { class: "banner", "data-level": "unknown" },
      el("span", { class: "sign", "aria-hidden": "true" }),
      el(
        "div",
        { class: "verdict" },
        el("h1", {}, this.headline, " ", this.extra),
        this.detail,
        this.silence,
      ),
      el("dl", { class: "facts" }, this.supervised.element, this.connected.element),
    );
    this.element = el(
      "header",
      { class: "head" },
      this.banner,
      el(
        "div",
        { class: "row" },
        el("ul", { class: "lamps", "aria-label": t("lamps") }, ...this.lamps.values()),
        this.buttons,
      ),
      this.alarms,
    );
    this.#addButtons();
  }

  update() {
    const { site, t, format } = this.context;
    const { level, headline, extra, detail } = verdictOf(this.context);
    const { summary } = site;
    setAttribute(this.banner, "data-level", level);
    setText(this.headline, headline);
    setText(this.extra, extra);
    setText(this.detail, detail);
    this.silence.hidden = !summary.silenced;
    if (summary.silenced) {
      const [until, by] = summary.silenced;
      setText(this.silence, t("silenced_until", { time: format.time(until), by }));
    }
    this.#showFact(this.supervised, summary.supervised, summary.zones);
    this.#showFact(this.connected, summary.connected, summary.nodes);
    this.#updateLamps();
    this.#updateAlarms();
    this.#updateButtons();
  }

  #fact(key) {
    const value = el("dd");
    const label = el("dt", {}, this.context.t(key));
    return { value, element: el("div", { class: "fact" }, label, value) };
  }

  #showFact({ element, value }, n, all) {
    const { format } = this.context;
    setText(value, `${format.number(n)}/${format.number(all)}`);
    setAttribute(element, "data-short", n < all);
  }

  #updateLamps() {
    const { site, t } = this.context;
    const { known, lit } = site.lamps;
    for (const [lamp, element] of this.lamps) {
      const n = lit[lamp] ?? 0;
      const name = t(`lamp_${lamp}`);
      const isSome = n > 0 && n < known;
      let text = t("lamp_off", { lamp: name });
      if (!known) text = t("lamp_unknown", { lamp: name });
      else if (isSome) text = t("lamp_lit_some", { lamp: name, n, known });
      else if (n) text = t("lamp_lit", { lamp: name });
      setAttribute(element, "data-lamp", lamp);
      setAttribute(element, "data-lit", !known ? "unknown" : n > 0 ? "on" : "off");
      if (element.title === text) continue;
      element.title = text;
      element.replaceChildren(
        el("span", { class: "hidden" }, text),
        el("span", { "aria-hidden": "true" }, isSome ? `${name} ${n}/${known}` : name),
      );
    }
  }

  #updateAlarms() {
    const { site, t, format, open } = this.context;
    const alarms = site.alarms();
    const shown = alarms.slice(0, ALARMS_SHOWN);
    const key = `${alarms.length} ${shown.map((zone) => `${zone.number} ${zone.code} ${zone.name}`)}`;
    if (key === this.alarmsKey) return;
    this.alarmsKey = key;
    this.alarms.toggleAttribute("data-none", !alarms.length);
    const items = shown.map((zone) =>
      el(
        "li",
        {},
        el(
          "button",
          { class: "alarm", "data-first": zone.isFirst, on: { click: () => open(zone) } },
          el("b", {}, zone.order ? `${zone.order}. ` : "", zone.name),
          el("span", {}, format.time(zone.raisedAt)),
          zone.is(Bit.ACKNOWLEDGED) ? el("span", {}, `✓ ${t("acknowledged")}`) : null,
          zone.is(Bit.DRILL) ? el("span", {}, t("drill")) : null,
        ),
      ),
    );
    if (!alarms.length) items.push(el("li", { class: "none" }, t("no_alarms")));
    if (alarms.length > shown.length) {
      const n = alarms.length - shown.length;
      items.push(el("li", { class: "more" }, t("more_alarms", { n })));
    }
    this.alarms.replaceChildren(...items);
  }

  #addButtons() {
    const { t, acts } = this.context;
    const button = (key, act, kind = "") =>
      el("button", { class: `act ${kind}`, hidden: true, on: { click: act } }, t(key));
    this.acknowledge = button("acknowledge_all", () => acts.acknowledgeAll(), "primary");
    this.hush = button("silence", () => acts.silence());
    this.reset = button("reset", () => acts.reset());
    this.panel = button("panel_commands", () => acts.panel());
    this.buttons.append(this.acknowledge, this.hush, this.reset, this.panel);
  }

  #updateButtons() {
    const { site, acts } = this.context;
    const { summary } = site;
    const isFire = summary.fire || site.counts().alarm > 0;
    this.acknowledge.hidden = !acts.can("acknowledge") || !acts.unacknowledged().length;
    this.hush.hidden = !acts.can("silence") || !summary.fire || Boolean(summary.silenced);
    this.reset.hidden = !acts.can("reset") || !isFire;
    this.panel.hidden = !acts.can("panel_command");
  }
}
