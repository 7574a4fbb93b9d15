/* An optional noise of this one screen for a fire; off unless switched on. */

import { el, setAttribute, setText } from "./dom.js";
import { Bit } from "./model.js";

const KEY = "esp32-fire-alarm-sound";
const REPEAT_MS = 2000;
const TONES = [
  [880, 0],
  [660, 0.3],
];
const TONE_SECONDS = 0.25;
const LOUDNESS = 0.3;

export class Sound {
  constructor(context) {
    this.context = context;
    this.isOn = localStorage.getItem(KEY) === "on";
    const { t } = context;
    this.word = el("span", { class: "word" });
    this.button = el(
      "button",
      { class: "quiet", title: t("sound_help"), on: { click: () => this.#toggle() } },
      ...[el("span", { "aria-hidden": "true" }, "♪"), " ", this.word],
    );
    this.element = this.button;
    this.onTouch = () => this.audio?.state === "suspended" && this.audio.resume();
    document.addEventListener("pointerdown", this.onTouch);
    document.addEventListener("keydown", this.onTouch);
    if (this.isOn) this.#listen();
    this.#show();
  }

  /* Sounds while there is a fire that nobody acknowledged or silenced. */
  update() {
    const { site, stream } = this.context;
    const isNeeded =
      this.isOn &&
      stream.isLive &&
      !site.summary.silenced &&
      (site.alarms().some((zone) => !zone.is(Bit.ACKNOWLEDGED)) ||
        (site.summary.fire && !site.alarms().length));
    if (isNeeded === Boolean(this.timer)) return;
    if (isNeeded) {
      this.#beep();
      this.timer = setInterval(() => this.#beep(), REPEAT_MS);
    } else {
      this.stop();
    }
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  /* Ends for good. */
  close() {
    this.stop();
    document.removeEventListener("pointerdown", this.onTouch);
    document.removeEventListener("keydown", this.onTouch);
    this.audio?.close();
  }

  #toggle() {
    this.isOn = !this.isOn;
    localStorage.setItem(KEY, this.isOn ? "on" : "off");
    this.#show();
    if (this.isOn) {
      this.#listen();
      this.audio.resume();
      this.#beep();
    }
    if (this.context.site.isKnown) this.update();
  }

  /* Gets ready; a browser lets a page make a noise only after somebody touched it. */
  #listen() {
    if (this.audio) return;
    this.audio = new AudioContext();
    this.audio.addEventListener("statechange", () => this.#show());
  }

  #show() {
    const isBlocked = this.isOn && this.audio?.state === "suspended";
    const key = isBlocked ? "sound_blocked" : this.isOn ? "sound_on" : "sound_off";
    setAttribute(this.button, "aria-pressed", this.isOn);
    setAttribute(this.button, "data-blocked", isBlocked);
    setText(this.word, this.context.t(key));
  }

  #beep() {
    for (const [pitch, after] of TONES) {
      const at = this.audio.currentTime + after;
      const tone = this.audio.createOscillator();
      const volume = this.audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(LOUDNESS, at);
      volume.gain.linearRampToValueAtTime(0, at + TONE_SECONDS);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(at);
      tone.stop(at + TONE_SECONDS);
    }
  }
}
