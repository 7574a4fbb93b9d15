/* A line plot over the last five minutes, drawn on a canvas by few lines. */

import { el, setText } from "./dom.js";

const SPAN_MS = 300000;
const GAP_MS = 6500; // points further apart are not joined: nobody looked meanwhile
const HEIGHT = 120;
const LEFT = 44;
const BOTTOM = 18;
const TICKS = 3;
const DASHES = [[], [5, 3]];

export class Plot {
  /* `lines` are [name, CSS colour] in the order of values in a point. */
  constructor(context, title, lines, showValue) {
    this.context = context;
    this.title = title;
    this.lines = lines;
    this.showValue = showValue;
    this.points = [];
    this.canvas = el("canvas", { role: "img" });
    this.now = el("span", { class: "now" });
    const keys = lines.map(([name], place) =>
      el("span", { class: "key", "data-line": String(place) }, name),
    );
    this.element = el(
      "figure",
      { class: "plot" },
      el("figcaption", {}, el("b", {}, title), ...(lines.length > 1 ? keys : []), this.now),
      this.canvas,
    );
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.canvas);
  }

  /* Adds points [time, value, …]; what is older than the plot is dropped. */
  add(points) {
    this.points.push(...points);
    const last = this.points.at(-1)?.[0] ?? 0;
    this.points = this.points.filter(([at]) => last - at <= SPAN_MS);
    const texts = this.#latest().map((value, place) =>
      [this.lines.length > 1 ? this.lines[place][0] : "", this.showValue(value)].join(" ").trim(),
    );
    const { t } = this.context;
    setText(this.now, t("plot_now", { value: texts.join(", ") }));
    this.canvas.setAttribute(
      "aria-label",
      t("plot_text", { title: this.title, values: texts.join(", ") }),
    );
    this.draw();
  }

  stop() {
    this.resizing.disconnect();
  }

  #latest() {
    return this.points.at(-1)?.slice(1) ?? this.lines.map(() => null);
  }

  draw() {
    const width = this.canvas.clientWidth;
    if (!width) return;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(HEIGHT * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const top = niceTop(Math.max(...this.points.flatMap((point) => point.slice(1)), 0));
    const last = this.points.at(-1)?.[0] ?? Date.now();
    const area = { width: width - LEFT - 4, height: HEIGHT - BOTTOM - 6 };
    const x = (at) => LEFT + area.width * (1 - (last - at) / SPAN_MS);
    const y = (value) => 6 + area.height * (1 - value / top);
    this.#drawAxes(pen, style, top, x, y, last);
    this.lines.forEach(([, colour], place) => {
      pen.strokeStyle = style.getPropertyValue(colour);
      pen.setLineDash(DASHES[place]);
      this.#drawLine(pen, place + 1, x, y);
    });
  }

  #drawAxes(pen, style, top, x, y, last) {
    pen.font = `11px ${style.fontFamily}`;
    pen.fillStyle = style.getPropertyValue("--soft");
    pen.strokeStyle = style.getPropertyValue("--line");
    pen.textBaseline = "middle";
    for (let tick = 0; tick <= TICKS; tick += 1) {
      const value = (top * tick) / TICKS;
      pen.textAlign = "right";
      pen.fillText(this.context.format.number(value), LEFT - 6, y(value));
      pen.beginPath();
      pen.moveTo(LEFT, y(value));
      pen.lineTo(x(last), y(value));
      pen.stroke();
    }
    pen.textAlign = "center";
    for (const minutes of [1, 2, 3, 4]) {
      const text = this.context.format.units.minute.format(minutes);
      pen.fillText(`−${text}`, x(last - minutes * 60000), HEIGHT - BOTTOM / 2);
    }
  }

  #drawLine(pen, column, x, y) {
    pen.lineWidth = 1.75;
    pen.beginPath();
    let before = null;
    for (const point of this.points) {
      const value = point[column];
      if (value === null) {
        before = null;
        continue;
      }
      const isJoined = before !== null && point[0] - before <= GAP_MS;
      if (isJoined) pen.lineTo(x(point[0]), y(value));
      else pen.moveTo(x(point[0]), y(value));
      before = point[0];
    }
    pen.stroke();
  }
}

/* The next number above that divides well by three. */
function niceTop(value) {
  if (value <= 3) return 3;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1.2, 1.5, 3, 6, 9, 12].map((step) => step * power).find((top) => top >= value);
}
