/*
 * Colours, and the mark of each state: a shape, a letter and a colour, so that no
 * state is told by its colour alone. Nothing blinks. An alarm is the only state
 * that fills its whole cell.
 */

export const marks = `
:host {
  --paper: var(--card-background-color, #fff);
  --ground: var(--primary-background-color, #fafafa);
  --ink: var(--primary-text-color, #212121);
  --soft: var(--secondary-text-color, #616161);
  --line: var(--divider-color, #e0e0e0);
  --accent: var(--primary-color, #0277bd);
  --alarm: #c62828;
  --on-alarm: #fff;
  --trouble: #ffb300;
  --on-trouble: #1f1400;
  --disabled: #5f6368;
  --test: #1565c0;
  --held: #6a3d9a;
  --gone: #5f6368;
  --clear: #5c9460;
  --level: #2e7d32;
  --on-level: #fff;
  --plot-1: #1565c0;
  --plot-2: #c62828;
  --mark: 20px;
}
:host([data-dark]) {
  --disabled: #9aa0a6;
  --test: #64b5f6;
  --held: #ce93d8;
  --gone: #9aa0a6;
  --clear: #6fa873;
  --plot-1: #64b5f6;
  --plot-2: #ef9a9a;
}
[data-state] {
  --shape: none;
  --letter: "";
  --fill: transparent;
  --on: #fff;
}
:host([data-dark]) :is([data-state="disabled"], [data-state="test"], [data-state="held"]) {
  --on: #111;
}
[data-state="alarm"] {
  --fill: var(--alarm);
  --on: var(--on-alarm);
  --letter: var(--mark-alarm);
}
[data-state="trouble"] {
  --fill: var(--trouble);
  --on: var(--on-trouble);
  --letter: var(--mark-trouble);
  --shape: polygon(50% 0, 100% 50%, 50% 100%, 0 50%);
}
[data-state="disabled"] {
  --fill: var(--disabled);
  --letter: var(--mark-disabled);
  --shape: circle(46%);
}
[data-state="test"] {
  --fill: var(--test);
  --letter: var(--mark-test);
  --shape: polygon(25% 4%, 75% 4%, 100% 50%, 75% 96%, 25% 96%, 0 50%);
}
[data-state="held"] {
  --fill: var(--held);
  --letter: var(--mark-held);
  --shape: polygon(0 12%, 100% 12%, 78% 88%, 22% 88%);
}
[data-state="unavailable"] {
  --letter: var(--mark-unavailable);
}
[data-state="clear"] {
  --fill: var(--clear);
  --shape: polygon(18% 50%, 28% 40%, 43% 56%, 74% 24%, 84% 34%, 43% 76%);
}
.face::before,
.mark,
.state::before {
  content: var(--letter);
  box-sizing: border-box;
  flex: none;
  display: block;
  width: var(--mark);
  height: var(--mark);
  font: 700 calc(var(--mark) * 0.58) / var(--mark) system-ui, sans-serif;
  text-align: center;
  color: var(--on);
  background: var(--fill);
  clip-path: var(--shape);
}
.mark::before {
  content: var(--letter);
}
@media (forced-colors: active) {
  .cell,
  .mark,
  .state::before,
  .banner {
    forced-color-adjust: none;
  }
}
[data-state="alarm"] > .face::before,
.state[data-state="alarm"]::before,
[data-state="alarm"] > .mark {
  font-size: calc(var(--mark) * 0.85);
}
[data-state="unavailable"] > .face::before,
.state[data-state="unavailable"]::before,
[data-state="unavailable"] > .mark {
  color: var(--ink);
  font-size: calc(var(--mark) * 0.72);
}
[data-state="unavailable"].cell,
[data-state="unavailable"] > .mark {
  background: repeating-linear-gradient(-45deg, var(--line) 0 2px, transparent 2px 6px);
}
[data-state="held"].cell,
.cell[data-held] {
  border: 1px dashed var(--held);
}
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
[hidden] {
  display: none !important;
}
`;
