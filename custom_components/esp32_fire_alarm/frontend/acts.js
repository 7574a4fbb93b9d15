/* What people can do, as Home Assistant's actions; each asks before it acts. */

import { askHomeAssistant, el } from "./dom.js";
import { ask } from "./dialog.js";
import { Bit } from "./model.js";

const DOMAIN = "esp32_fire_alarm";
const FOR_ADMINS = new Set([
  "reset",
  "disable_zone",
  "enable_zone",
  "start_walk_test",
  "stop_walk_test",
  "panel_command",
]);
const HOURS = [1, 4, 8, 24];
const PANEL_COMMANDS = {
  command_silence_on: { command: "silence", state: true },
  command_silence_off: { command: "silence", state: false },
  command_reset: { command: "reset" },
  command_drill_on: { command: "drill", state: true },
  command_drill_off: { command: "drill", state: false },
};

export class Acts {
  /* `host` is the element in whose shadow dialogs appear. */
  constructor(context, host) {
    this.context = context;
    this.host = host;
  }

  /* Whether this user may do something that this Home Assistant knows. */
  can(action) {
    const { hass } = this.host;
    const { isLive, rights } = this.context.stream;
    if (!hass.services?.[DOMAIN]?.[action] || !isLive) return false;
    if (action === "panel_command" && !rights.commands) return false;
    return FOR_ADMINS.has(action) ? Boolean(hass.user?.is_admin) : rights.control;
  }

  unacknowledged() {
    return [...this.context.site.zones.values()].filter(
      (zone) => zone.raisedAt && !zone.is(Bit.ACKNOWLEDGED),
    );
  }

  acknowledgeAll() {
    const { t } = this.context;
    const n = this.unacknowledged().length;
    return this.#ask(
      { title: t("acknowledge_all"), text: t("ask_acknowledge_all", { n }), yes: t("acknowledge") },
      () => this.#call("acknowledge", this.#site()),
    );
  }

  silence() {
    const { t } = this.context;
    return this.#ask({ title: t("silence"), text: t("ask_silence"), yes: t("silence") }, () =>
      this.#call("silence", this.#site()),
    );
  }

  reset() {
    const { t } = this.context;
    return this.#ask({ title: t("reset"), text: t("ask_reset"), yes: t("reset") }, () =>
      this.#call("reset", this.#site()),
    );
  }

  panel() {
    const { t } = this.context;
    const options = Object.keys(PANEL_COMMANDS).map((key) => el("option", { value: key }, t(key)));
    const choice = el("select", { name: "command", required: true }, ...options);
    const fields = [el("label", {}, t("command"), choice)];
    return this.#ask(
      { title: t("panel_commands"), text: t("panel_warning"), yes: t("send"), fields },
      async () => {
        await this.#call("panel_command", { ...this.#site(), ...PANEL_COMMANDS[choice.value] });
        askHomeAssistant(this.host, "hass-notification", { message: t("sent") });
      },
    );
  }

  acknowledge(entity) {
    return this.#call("acknowledge", { entity_id: entity });
  }

  disable(zone, entity) {
    const { t } = this.context;
    const reason = el("input", { name: "reason", required: true, maxlength: "255" });
    const time = this.#duration(t("until_enabled"));
    const fields = [el("label", {}, t("reason"), reason), time.label];
    return this.#ask(
      { title: t("disable"), text: t("ask_disable", { zone: zone.name }), yes: t("disable"), fields },
      () => {
        const data = { entity_id: entity, reason: reason.value };
        if (time.hours) data.duration = { hours: time.hours };
        return this.#call("disable_zone", data);
      },
    );
  }

  test(zone, entity) {
    const { t } = this.context;
    const time = this.#duration();
    return this.#ask(
      {
        title: t("start_test"),
        text: t("ask_test", { zone: zone.name }),
        yes: t("start_test"),
        fields: [time.label],
      },
      () =>
        this.#call("start_walk_test", { entity_id: entity, duration: { hours: time.hours } }),
    );
  }

  putBack(zone, entity, action) {
    const { t } = this.context;
    const [title, text] =
      action === "enable_zone" ? ["enable", "ask_enable"] : ["stop_test", "ask_stop_test"];
    return this.#ask({ title: t(title), text: t(text, { zone: zone.name }), yes: t(title) }, () =>
      this.#call(action, { entity_id: entity }),
    );
  }

  #duration(forever) {
    const { t } = this.context;
    const options = HOURS.map((n) =>
      el("option", { value: String(n) }, n === 24 ? t("days", { n: 1 }) : t("hours", { n })),
    );
    if (forever) options.push(el("option", { value: "" }, forever));
    const select = el("select", { name: "duration" }, ...options);
    return {
      label: el("label", {}, t("how_long"), select),
      get hours() {
        return Number(select.value);
      },
    };
  }

  #site() {
    return { device_id: this.context.site.device };
  }

  #ask(question, act) {
    return ask(this.host.shadowRoot, this.context.t, question, act);
  }

  async #call(action, data) {
    // No toast of Home Assistant's: the dialog says what went wrong.
    await this.host.hass.callService(DOMAIN, action, data, undefined, false);
  }
}
