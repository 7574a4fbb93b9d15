/* Times and numbers as the user has them set in Home Assistant. */

const DAY_MS = 86400000;

export class Format {
  constructor(hass) {
    const locale = hass.locale ?? {};
    this.language = locale.language ?? hass.language ?? "en";
    this.timeZone = locale.time_zone === "server" ? hass.config?.time_zone : undefined;
    const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
    if (locale.time_format === "12") clock.hourCycle = "h12";
    else if (locale.time_format === "24") clock.hourCycle = "h23";
    this.clock = this.#formatter(clock);
    this.dayAndClock = this.#formatter({ day: "numeric", month: "short", ...clock });
    this.dayOnly = this.#formatter({ year: "numeric", month: "numeric", day: "numeric" });
    this.tenths = this.#number({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.whole = this.#number({ maximumFractionDigits: 0 });
    this.units = Object.fromEntries(
      ["second", "minute", "hour", "day", "millisecond"].map((unit) => [
        unit,
        this.#number({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }),
      ]),
    );
    this.fineSeconds = this.#number({
      ...{ style: "unit", unit: "second", unitDisplay: "short" },
      ...{ minimumFractionDigits: 1, maximumFractionDigits: 1 },
    });
  }

  /* The time of day; with the day if that is not today. In a storm many are the same. */
  time(at, now = Date.now()) {
    if (at === null || at === undefined) return "";
    const minute = Math.floor(now / 60000);
    if (minute !== this.minute) [this.minute, this.times] = [minute, new Map()];
    const second = Math.floor(at / 1000);
    if (!this.times.has(second)) this.times.set(second, this.#time(at, now));
    return this.times.get(second);
  }

  #time(at, now) {
    const isToday =
      Math.abs(now - at) < DAY_MS && this.dayOnly.format(at) === this.dayOnly.format(now);
    return (isToday ? this.clock : this.dayAndClock).format(at);
  }

  /* A duration in one unit: 0.8 sec, 12 sec, 3 min, 5 hr, 2 days. */
  duration(ms) {
    if (ms === null || ms === undefined) return "–";
    const seconds = Math.max(0, ms) / 1000;
    if (seconds < 10) return this.fineSeconds.format(seconds);
    if (seconds < 120) return this.units.second.format(seconds);
    if (seconds < 7200) return this.units.minute.format(seconds / 60);
    if (seconds < 172800) return this.units.hour.format(seconds / 3600);
    return this.units.day.format(seconds / 86400);
  }

  number(value) {
    return value === null || value === undefined ? "–" : this.whole.format(value);
  }

  milliseconds(value) {
    if (value === null || value === undefined) return "–";
    return value < 10 ? `${this.tenths.format(value)} ms` : this.units.millisecond.format(value);
  }

  bytes(value) {
    if (value === null || value === undefined) return "–";
    return value < 10240 ? `${this.whole.format(value)} B` : `${this.whole.format(value / 1024)} KiB`;
  }

  #number(options) {
    return new Intl.NumberFormat(this.language, options);
  }

  #formatter(options) {
    return new Intl.DateTimeFormat(this.language, { timeZone: this.timeZone, ...options });
  }
}
