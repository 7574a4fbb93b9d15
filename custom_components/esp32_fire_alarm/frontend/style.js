/* All of the board's style. */

import { styleSheet } from "./dom.js";
import { head } from "./style-head.js";
import { marks } from "./style-marks.js";
import { pages } from "./style-pages.js";
import { wall } from "./style-wall.js";

const frame = `
:host {
  box-sizing: border-box;
  display: flex;
  flex-direction: column;
  overflow: auto;
  font-family: var(--ha-font-family-body, Roboto, system-ui, sans-serif);
  color: var(--ink);
  background: var(--ground);
}
:host([data-page]) {
  height: calc(100dvh - var(--safe-area-inset-top, 0px) - var(--safe-area-inset-bottom, 0px));
}
:host > *,
.head,
.view,
.legend {
  flex: none;
}
.head {
  padding: 8px 8px 0;
}
.view {
  flex: 1;
  display: flex;
  flex-direction: column;
  gap: 6px;
  padding: 8px;
}
.topbar {
  position: sticky;
  top: 0;
  z-index: 5;
}
.stale {
  position: sticky;
  top: 48px;
  z-index: 5;
}
@media (max-width: 869px) {
  .view {
    padding: 6px;
  }
}
@media (prefers-contrast: more) {
  :host {
    --line: var(--ink);
    --soft: var(--ink);
  }
}
`;

export const sheet = styleSheet(frame, marks, head, wall, pages);
