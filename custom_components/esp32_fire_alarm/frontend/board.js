/* The whole of it: finds the site, follows it, and shows the view that is asked for. */

import { Acts } from "./acts.js";
import { Announcer } from "./announcer.js";
import { askHomeAssistant, el, setAttribute, setText } from "./dom.js";
import { Format } from "./format.js";
import { Head } from "./head.js";
import { Health } from "./health.js";
import { Legend } from "./legend.js";
import { Log } from "./log.js";
import { STATES } from "./model.js";
import { Sound } from "./sound.js";
import { SiteStream, listSites } from "./stream.js";
import { sheet } from "./style.js";
import { Wall } from "./wall.js";
import { translator } from "./words.js";
import { ZoneDialog } from "./zone-dialog.js";

const DOMAIN = "esp32_fire_alarm";
const GROUP_KEY = "esp32-fire-alarm-group";
const BUILD_KEY = "esp32-fire-alarm-build";
const RETRY_MS = 3000;
const VIEWS = ["wall", "health", "log"];

/*
 * A site on the screen. Set `hass` and, before it is connected, `settings`:
 * { entry_id, view, group, title, views } where `views` tells that it is a page
 * of its own, with all views. Fires "place" with the site and view it shows.
 */
class Board extends HTMLElement {
  #hass = null;

  settings = {};
  sites = [];

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.message = el("p", { class: "message", role: "status" });
  }

  set hass(hass) {
    const before = this.#hass;
    this.#hass = hass;
    const isOtherScheme = before?.themes?.darkMode !== hass.themes?.darkMode;
    if (isOtherScheme || !before) this.#showScheme(Boolean(hass.themes?.darkMode));
    if (!before) this.#open();
    else if (before.language !== hass.language || before.locale !== hass.locale) this.#open();
    else if (before.services !== hass.services) this.head?.update();
  }

  get hass() {
    return this.#hass;
  }

  /* Whether Home Assistant's sidebar is out of sight. */
  set narrow(narrow) {
    this.isNarrow = narrow;
    this.#showMenu();
  }

  connectedCallback() {
    this.toggleAttribute("data-page", Boolean(this.settings.views));
    this.#open();
  }

  disconnectedCallback() {
    this.#close();
  }

  /* Shows another view of the site, or another site. */
  go(place) {
    const isOtherSite = place.entry_id && place.entry_id !== this.context?.stream.entryId;
    const isOtherView = place.view !== this.settings.view;
    Object.assign(this.settings, place);
    if (isOtherSite) this.#open();
    else if (isOtherView && this.head) this.#showView();
  }

  #showScheme(isDark) {
    this.toggleAttribute("data-dark", isDark);
    this.style.colorScheme = isDark ? "dark" : "light";
  }

  async #open() {
    if (!this.#hass || !this.isConnected) return;
    this.#close();
    const opening = (this.opening = {});
    this.#say("loading");
    try {
      this.sites = await listSites(this.#hass.connection);
    } catch {
      // Home Assistant is starting, or the integration is not set up (yet).
      this.sites = null;
    }
    if (opening !== this.opening) return;
    const wanted = this.sites?.find(({ entry_id: id }) => id === this.settings.entry_id);
    const chosen = wanted ?? this.sites?.[0];
    if (!chosen || (this.settings.entry_id && !wanted && !this.settings.views)) {
      this.#say(this.sites ? "no_sites" : "not_running");
      this.retry = setTimeout(() => this.#open(), RETRY_MS);
      return;
    }
    this.#follow(chosen.entry_id);
  }

  #close() {
    this.opening = null;
    clearTimeout(this.retry);
    this.dialog?.close();
    this.view?.stop?.();
    this.view = null;
    this.sound?.close();
    this.announcer?.stop();
    this.context?.stream.stop();
    this.context = null;
    this.head = null;
  }

  #follow(entryId) {
    const hass = this.#hass;
    const stream = new SiteStream(hass.connection, entryId);
    const context = (this.context = {
      stream,
      site: stream.site,
      t: translator(hass.language),
      format: new Format(hass),
      open: (zone) => this.#openZone(zone),
      localize: (sensor, value) =>
        this.#hass.localize(`component.${DOMAIN}.entity.sensor.${sensor}.state.${value}`) || value,
    });
    context.acts = new Acts(context, this);
    hass.loadBackendTranslation?.("entity", DOMAIN);
    stream.addEventListener("change", ({ detail }) => this.#update(detail));
    stream.addEventListener("tick", () => this.#tick());
    stream.start();
  }

  /* Takes the first snapshot for a start, and passes on what changes then. */
  #update(changes) {
    const isStart = !this.head;
    if (isStart) this.#draw();
    if (changes.layout) this.#drawTitle();
    this.head.update();
    this.legend.update();
    this.announcer.update(changes, isStart);
    this.sound.update();
    this.view?.update?.(changes);
    this.#updateDialog(changes);
    this.#tick();
  }

  #draw() {
    const { context } = this;
    const { t } = context;
    this.head = new Head(context);
    this.legend = new Legend(context, {
      group: this.#group,
      arrange: (group) => this.#arrange(group),
      show: (states) => this.view?.show?.(states),
    });
    this.announcer = new Announcer(context);
    this.sound = new Sound(context);
    this.liveWord = el("span", { class: "long" });
    this.ageWord = el("span");
    this.age = el("span", { class: "age" }, this.liveWord, this.ageWord);
    this.siteTitle = el("div", { class: "title" });
    this.tabs = new Map(
      VIEWS.map((view) => [
        view,
        el(
          "button",
          { role: "tab", id: `tab-${view}`, "aria-controls": "view", "data-view": view },
          t(`tab_${view}`),
        ),
      ]),
    );
    const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": t("tabs") });
    tabs.append(...this.tabs.values());
    tabs.addEventListener("click", ({ target }) => target.dataset.view && this.#ask(target.dataset));
    tabs.addEventListener("keydown", (event) => this.#pressTab(event));
    this.stale = el("p", { class: "stale", role: "alert", hidden: true });
    this.place = el("div", {
      id: "view",
      class: "view",
      role: this.settings.views ? "tabpanel" : "presentation",
    });
    for (const state of [...STATES, "first"]) {
      this.style.setProperty(`--mark-${state}`, `"${t(`mark_${state}`)}"`);
    }
    const bar = el("div", { class: "topbar" }, this.#menuButton(), this.siteTitle);
    if (this.settings.views) bar.append(tabs);
    bar.append(el("span", { class: "space" }), this.sound.element, this.age);
    this.shadowRoot.replaceChildren(
      ...[bar, this.stale, this.head.element, this.place, this.announcer.element],
    );
    this.#showView();
  }

  #menuButton() {
    const open = () => askHomeAssistant(this, "hass-toggle-menu");
    const label = this.context.t("menu");
    this.menu = el("button", { class: "menu", "aria-label": label, on: { click: open } }, "☰");
    this.#showMenu();
    return this.menu;
  }

  #showMenu() {
    if (!this.menu) return;
    const isNeeded = this.isNarrow || this.#hass.dockedSidebar === "always_hidden";
    this.menu.hidden = !this.settings.views || !isNeeded;
  }

  #drawTitle() {
    const { site, stream, t } = this.context;
    if (this.sites.length < 2 || !this.settings.views) {
      this.siteTitle.replaceChildren(el("span", {}, this.settings.title ?? site.title));
      return;
    }
    const options = this.sites.map(({ entry_id: id, title }) => {
      const isShown = id === stream.entryId;
      return el("option", { value: id, selected: isShown }, isShown ? site.title : title);
    });
    const choose = ({ target }) => this.#ask({ entry_id: target.value });
    const label = t("site");
    const select = el("select", { "aria-label": label, on: { change: choose } }, ...options);
    this.siteTitle.replaceChildren(select);
  }

  #ask(place) {
    const { entryId } = this.context.stream;
    const view = this.settings.view ?? "wall";
    const detail = { entry_id: entryId, view, ...place };
    this.go(detail);
    this.dispatchEvent(new CustomEvent("place", { detail }));
  }

  #pressTab({ key, target }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const place = VIEWS.indexOf(target.dataset.view) + step;
    const view = VIEWS.at(place % VIEWS.length);
    this.#ask({ view });
    this.tabs.get(view).focus();
  }

  #showView() {
    const { context } = this;
    const view = VIEWS.includes(this.settings.view) ? this.settings.view : "wall";
    for (const [name, tab] of this.tabs) {
      setAttribute(tab, "aria-selected", name === view);
      tab.tabIndex = name === view ? 0 : -1;
    }
    setAttribute(this.place, "aria-labelledby", this.settings.views ? `tab-${view}` : null);
    setAttribute(this.place, "data-view", view);
    this.view?.stop?.();
    if (view === "wall") {
      this.view = new Wall(context, this.#group);
      this.view.update({ layout: true, zones: new Map(), modules: new Set(), nodes: new Map() });
      this.view.show(this.legend.shown);
      this.place.replaceChildren(this.legend.element, this.view.element);
    } else {
      this.view = view === "health" ? new Health(context) : new Log(context);
      this.place.replaceChildren(this.view.element);
      this.view.start();
    }
  }

  get #group() {
    const group = this.settings.group ?? localStorage.getItem(GROUP_KEY);
    return group === "area" ? "area" : "node";
  }

  #arrange(group) {
    this.settings.group = group;
    localStorage.setItem(GROUP_KEY, group);
    this.view.arrange(group);
  }

  #openZone(zone) {
    this.dialog?.close();
    this.dialog = new ZoneDialog(this.context, this, zone.number, () => {
      this.dialog = null;
      this.view?.focusZone?.(zone);
    });
  }

  #updateDialog(changes) {
    if (!this.dialog) return;
    this.dialog.update();
    const isConcerned = [...changes.zones.keys()].some(({ number }) => number === this.dialog.number);
    if (isConcerned) this.dialog.fetch();
  }

  /* Shows how old everything is; what is not live must not look as if it were. */
  #tick() {
    const { stream, t, format } = this.context ?? {};
    if (!stream) return;
    if (stream.status === "outdated") this.#renew(stream.build);
    if (!this.head) {
      if (stream.status in { not_running: 1, refused: 1, outdated: 1 }) this.#say(stream.status);
      return;
    }
    const { isLive } = stream;
    const age = stream.dataAge();
    setAttribute(this.age, "data-live", isLive);
    const aged = age === null ? t("no_data") : t("data_age", { age: format.duration(age) });
    setText(this.liveWord, isLive ? `${t("live")} · ` : "");
    setText(this.ageWord, isLive ? aged : t("not_live"));
    this.toggleAttribute("data-stale", !isLive);
    if (this.stale.hidden !== isLive) {
      this.stale.hidden = isLive;
      this.sound.update();
      this.head.update();
    }
    if (isLive) return;
    const isKnown = stream.status in { disconnected: 1, not_running: 1, outdated: 1 };
    const why = isKnown ? stream.status : "stale";
    const time = format.time(stream.heardAt);
    setText(this.stale, `${t("stale_banner", { time })} ${t(`stale_why_${why}`)}`);
  }

  /* Loads a page of our own anew, once: a screen on a wall has nobody to do so. */
  #renew(build) {
    if (!this.settings.views || sessionStorage.getItem(BUILD_KEY) === build) return;
    sessionStorage.setItem(BUILD_KEY, build);
    location.reload();
  }

  #say(key) {
    const t = translator(this.#hass.language);
    setText(this.message, t(key));
    this.shadowRoot.replaceChildren(this.message);
  }
}

customElements.define("esp32-fire-alarm-board", Board);
