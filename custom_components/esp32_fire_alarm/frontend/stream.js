/* The site's news as they come in, and whether they still come. */

import { Changes, Site } from "./model.js";

const DOMAIN = "esp32_fire_alarm";
const STALE_MS = 6500; // three pulses of the server, and a little
const GIVE_UP_MS = 20000; // then a subscription that says nothing is made anew
const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const TICK_MS = 500;

/*
 * Follows one site over Home Assistant's connection, through its reconnects.
 *
 * Events: "change" with the Changes of one animation frame, "tick" twice a
 * second for whatever shows ages, and whenever `status` may have changed.
 * `status` is connecting, live, stale, disconnected, not_running or refused.
 */
export class SiteStream extends EventTarget {
  constructor(connection, entryId) {
    super();
    this.site = new Site();
    this.status = "connecting";
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
  dataAge(now = Date.now()) {
    const { age } = this.site;
    return age === null || this.heardAt === null ? null : age + now - this.heardAt;
  }

  async subscribe() {
    clearTimeout(this.retry);
    const generation = (this.generation = {});
    const before = this.unsubscribe;
    this.unsubscribe = null;
    before?.().catch(() => {});
    this.subscribedAt = Date.now();
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
    if (message.layout) this.isFresh = true;
    if (!this.isFresh) return;
    this.heardAt = Date.now();
    this.attempt = 0;
    if (!this.changes) {
      this.changes = new Changes();
      // A hidden page has no frames, but may have ears.
      if (document.hidden) setTimeout(() => this.publish());
      else requestAnimationFrame(() => this.publish());
    }
    this.site.apply(message, this.changes);
    this.setStatus("live");
  }

  publish() {
    const changes = this.changes;
    this.changes = null;
    if (this.isStarted) this.dispatchEvent(new CustomEvent("change", { detail: changes }));
  }

  tick() {
    const silence = Date.now() - Math.max(this.heardAt ?? 0, this.subscribedAt);
    if (this.status === "live" && silence > STALE_MS) this.status = "stale";
    if (this.status === "stale" && silence > GIVE_UP_MS) this.subscribe();
    this.dispatchEvent(new Event("tick"));
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
