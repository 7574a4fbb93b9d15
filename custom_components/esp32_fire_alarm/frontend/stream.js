/* The site's news as they come in, and whether they still come. */

import { Changes, Site } from "./model.js";

const DOMAIN = "esp32_fire_alarm";
const BUILD = import.meta.url.split("/").at(-2); // see wall_panel.py
const STALE_MS = 6500; // three pulses of the server, and a little
const GIVE_UP_MS = 20000; // then a subscription that says nothing is made anew
const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const TICK_MS = 1000;
const FRAMELESS_MS = 100;

/*
 * Follows one site over Home Assistant's connection, through its reconnects.
 *
 * Events: "change" with the Changes of one animation frame, "tick" every
 * second for whatever shows ages, and whenever `status` may have changed.
 * `status` is connecting, live, stale, disconnected, not_running, refused, or
 * outdated when the server has other files of ours than this page, which then
 * may not understand what it is sent. `rights` is what the user may do.
 */
export class SiteStream extends EventTarget {
  constructor(connection, entryId) {
    super();
    this.site = new Site();
    this.status = "connecting";
    this.rights = { control: false, commands: false };
    this.heardAt = null;
    this.connection = connection;
    this.entryId = entryId;
    this.changes = null;
    this.attempt = 0;
    this.isFresh = false;
    this.onReady = () => this.subscribe();
    this.onDisconnected = () => {
      this.unsubscribe = null;
      this.setStatus("disconnected");
    };
  }

  start() {
    this.isStarted = true;
    this.connection.addEventListener("ready", this.onReady);
    this.connection.addEventListener("disconnected", this.onDisconnected);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.subscribe();
  }

  stop() {
    this.isStarted = false;
    this.connection.removeEventListener("ready", this.onReady);
    this.connection.removeEventListener("disconnected", this.onDisconnected);
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.generation = null;
    this.unsubscribe?.().catch(() => {});
    this.unsubscribe = null;
  }

  get isLive() {
    return this.status === "live";
  }

  /* Milliseconds since the oldest data on the wall came from their ESP32. */
  dataAge() {
    const { age } = this.site;
    return age === null || this.heardAt === null ? null : age + this.#silence();
  }

  async subscribe() {
    clearTimeout(this.retry);
    const generation = (this.generation = {});
    const before = this.unsubscribe;
    this.unsubscribe = null;
    before?.().catch(() => {});
    this.#listenFrom();
    this.isFresh = false;
    try {
      const unsubscribe = await this.connection.subscribeMessage(
        (message) => generation === this.generation && this.take(message),
        { type: `${DOMAIN}/subscribe_site`, entry_id: this.entryId },
        { resubscribe: false },
      );
      if (generation === this.generation) this.unsubscribe = unsubscribe;
      else unsubscribe().catch(() => {});
    } catch (error) {
      if (generation === this.generation) this.fail(error);
    }
  }

  fail(error) {
    if (error?.code === "unauthorized") this.setStatus("refused");
    else if (error?.code === "not_running" || error?.code === "unknown_command")
      this.setStatus("not_running");
    this.tryAgain();
  }

  tryAgain() {
    const wait = RETRY_MS[Math.min(this.attempt, RETRY_MS.length - 1)];
    this.attempt += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.isStarted && this.subscribe(), wait);
  }

  take(message) {
    if (message.gone) {
      this.unsubscribe = null;
      this.setStatus("not_running");
      this.tryAgain();
      return;
    }
    if ("build" in message) this.isFresh = this.#isOfThisBuild(message);
    if (!this.isFresh) return;
    this.#listenFrom();
    this.heardAt = Date.now();
    this.attempt = 0;
    const isPlanned = this.changes !== null;
    this.changes ??= new Changes();
    this.site.apply(message, this.changes);
    this.setStatus("live");
    if (!isPlanned) this.plan();
  }

  /* Lets what changed be shown once, with the next frame. */
  plan() {
    requestAnimationFrame(() => this.publish());
    // A hidden page has no frames, but may have ears.
    setTimeout(() => this.publish(), FRAMELESS_MS);
  }

  publish() {
    const { changes } = this;
    if (!changes) return;
    this.changes = null;
    if (this.isStarted) this.dispatchEvent(new CustomEvent("change", { detail: changes }));
  }

  tick() {
    const silence = this.#silence();
    if (this.status === "live" && silence > STALE_MS) this.status = "stale";
    const isWaiting = this.status === "stale" || this.status === "connecting";
    if (isWaiting && silence > GIVE_UP_MS) this.subscribe();
    this.dispatchEvent(new Event("tick"));
  }

  /* Whether this page has the server's files; takes the user's rights too. */
  #isOfThisBuild({ build, control, commands }) {
    this.rights = { control, commands };
    if (build === BUILD) return true;
    this.build = build;
    this.setStatus("outdated");
    return false;
  }

  #listenFrom() {
    this.listening = { wall: Date.now(), steady: performance.now() };
  }

  /* Milliseconds of silence: one clock can be set, the other may stop in sleep. */
  #silence() {
    const { wall, steady } = this.listening;
    return Math.max(Date.now() - wall, performance.now() - steady);
  }

  setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.dispatchEvent(new Event("tick"));
  }
}

/* The sites that this user may watch; throws what the server says otherwise. */
export function listSites(connection) {
  return connection.sendMessagePromise({ type: `${DOMAIN}/sites` });
}

export function fetchLog(connection, entryId) {
  return connection.sendMessagePromise({ type: `${DOMAIN}/log`, entry_id: entryId });
}

export function fetchZone(connection, entryId, zone) {
  return connection.sendMessagePromise({ type: `${DOMAIN}/zone`, entry_id: entryId, zone });
}

export function subscribeHealth(connection, entryId, listener) {
  return connection.subscribeMessage(
    listener,
    { type: `${DOMAIN}/subscribe_health`, entry_id: entryId },
    { resubscribe: false },
  );
}
