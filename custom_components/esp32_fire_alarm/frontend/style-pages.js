/* Dialogs, the health page and the log. */

export const pages = `
dialog {
  box-sizing: border-box;
  width: min(520px, 94vw);
  max-height: 90vh;
  padding: 0 18px 18px;
  border: 0;
  border-radius: 12px;
  color: var(--ink);
  background: var(--paper);
  box-shadow: 0 8px 40px rgb(0 0 0 / 45%);
}
dialog::backdrop {
  background: rgb(0 0 0 / 55%);
}
dialog .bar {
  position: sticky;
  top: 0;
  display: flex;
  align-items: center;
  justify-content: space-between;
  padding: 12px 0 6px;
  background: var(--paper);
}
dialog h2 {
  margin: 0;
  font-size: 20px;
  overflow-wrap: anywhere;
}
dialog h3 {
  margin: 16px 0 4px;
  font-size: 14px;
}
dialog .close {
  flex: none;
  width: 44px;
  height: 44px;
  border: 0;
  border-radius: 22px;
  font-size: 18px;
  color: inherit;
  background: transparent;
  cursor: pointer;
}
dialog label {
  display: flex;
  flex-direction: column;
  gap: 4px;
  margin: 10px 0;
  font-size: 14px;
}
input,
select {
  min-height: 40px;
  padding: 4px 8px;
  border: 1px solid var(--soft);
  border-radius: 6px;
  font: inherit;
  color: var(--ink);
  background: var(--paper);
}
dialog .question .acts,
dialog form .acts {
  justify-content: flex-end;
  margin-top: 14px;
}
.state {
  display: flex;
  align-items: center;
  gap: 10px;
  margin: 4px 0 10px;
  font-size: 17px;
  font-weight: 600;
}
.state::before {
  --mark: 28px;
}
.state[data-state="alarm"]::before {
  border-radius: 4px;
}
.details {
  display: grid;
  gap: 4px;
  margin: 0 0 14px;
}
.details div {
  display: grid;
  grid-template-columns: 120px 1fr;
  gap: 8px;
}
.details dt {
  color: var(--soft);
}
.details dd {
  margin: 0;
  overflow-wrap: anywhere;
}
.latest {
  margin: 0;
  padding-left: 18px;
  font-size: 14px;
}
.fault:empty {
  display: none;
}
.fault {
  margin: 8px 0;
  padding: 8px 12px;
  border-left: 4px solid var(--alarm);
  background: var(--ground);
}
.health,
.log {
  display: flex;
  flex-direction: column;
  gap: 10px;
}
.plots {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
  gap: 10px;
}
.plot {
  margin: 0;
  padding: 8px 10px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--paper);
}
.plot figcaption {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 12px;
  align-items: center;
  font-size: 13px;
}
.plot .now {
  margin-left: auto;
  font-variant-numeric: tabular-nums;
}
.plot canvas {
  display: block;
  width: 100%;
  height: 120px;
  font-family: system-ui, sans-serif;
}
.key::before {
  content: "";
  display: inline-block;
  width: 18px;
  margin-right: 5px;
  border-top: 3px solid var(--plot-1);
  vertical-align: middle;
}
.key[data-line="1"]::before {
  border-top: 3px dashed var(--plot-2);
}
.health .facts {
  gap: 6px 24px;
  padding: 0 4px;
}
.health .facts dt {
  color: var(--soft);
}
.scroll {
  overflow: auto;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--paper);
}
table {
  width: 100%;
  border-collapse: collapse;
  font-size: 13px;
  font-variant-numeric: tabular-nums;
}
th,
td {
  padding: 6px 10px;
  text-align: left;
  white-space: nowrap;
  border-bottom: 1px solid var(--line);
}
th {
  position: sticky;
  top: 0;
  background: var(--paper);
}
th button {
  min-height: 28px;
  padding: 0;
  border: 0;
  font: inherit;
  font-weight: 700;
  color: inherit;
  background: transparent;
  cursor: pointer;
}
th[aria-sort="ascending"] button::after {
  content: " ▲";
}
th[aria-sort="descending"] button::after {
  content: " ▼";
}
td[data-state="lost"],
td[data-state="alarm"] {
  font-weight: 700;
}
td[data-state]::before {
  content: "";
  display: inline-block;
  width: 10px;
  height: 10px;
  margin-right: 6px;
  background: var(--dot, transparent);
  clip-path: var(--dot-shape, none);
}
td[data-state="healthy"] {
  --dot: var(--clear);
  --dot-shape: circle(50%);
}
td[data-state="degraded"],
td[data-state="trouble"] {
  --dot: var(--trouble);
  --dot-shape: polygon(50% 0, 100% 50%, 50% 100%, 0 50%);
}
td[data-state="lost"],
td[data-state="alarm"] {
  --dot: var(--alarm);
}
.log label {
  display: flex;
  align-items: center;
  gap: 6px;
  font-size: 14px;
}
.log .row {
  justify-content: flex-start;
}
.log .count {
  flex: 1;
  color: var(--soft);
  white-space: nowrap;
}
@media (max-width: 600px) {
  .log label {
    flex: 1 1 100%;
  }
  .log label > * {
    flex: 1;
  }
}
.message {
  padding: 48px 24px;
  text-align: center;
  font-size: 17px;
}
`;
