/* How the wall is laid out: on a tablet it fills the screen, on a phone it scrolls. */

export const wall = `
.wall {
  flex: 1;
  display: flex;
  flex-direction: column;
  min-height: 0;
}
.grid {
  flex: 1;
  display: grid;
  gap: 4px;
  grid-template-columns: repeat(auto-fill, minmax(124px, 1fr));
  grid-auto-rows: minmax(56px, 1fr);
}
.block {
  contain: layout style;
  display: flex;
  flex-direction: column;
  min-width: 0;
  max-height: 112px;
  padding: 2px 3px 3px;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--paper);
}
.block .title {
  display: flex;
  gap: 4px;
  font-size: 11px;
  line-height: 15px;
  color: var(--soft);
  white-space: nowrap;
}
.block .name {
  overflow: hidden;
  text-overflow: ellipsis;
  color: var(--ink);
}
.block .note {
  flex: 0 1 auto;
  overflow: hidden;
  text-overflow: ellipsis;
  font-style: italic;
}
.cells {
  flex: 1;
  display: grid;
  grid-template-columns: repeat(5, minmax(0, 1fr));
  gap: 2px;
}
.cell {
  position: relative;
  box-sizing: border-box;
  min-width: 0;
  min-height: 34px;
  border: 1px solid transparent;
  border-radius: 4px;
  cursor: pointer;
  user-select: none;
}
/* A box of its own for layout: what changes in it makes nothing else move. */
.face {
  position: absolute;
  inset: 0;
  contain: strict;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
}
.cell .number {
  font-size: 10px;
  line-height: 11px;
  color: var(--soft);
  font-variant-numeric: tabular-nums;
}
.cell:hover {
  background-color: color-mix(in srgb, var(--ink) 8%, transparent);
}
.cell:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 0;
  z-index: 2;
}
.cell[data-state="alarm"] {
  background: var(--alarm);
  border-color: var(--alarm);
}
.cell[data-state="alarm"] .number {
  color: var(--on-alarm);
  font-weight: 700;
}
.cell[data-state="alarm"][data-held] {
  border-color: var(--on-alarm);
}
.cell[data-first] {
  --letter: var(--mark-first);
  box-shadow: inset 0 0 0 1.5px var(--on-alarm), 0 0 0 3px var(--alarm);
  z-index: 1;
}
.cell[data-first] .face::before {
  background: none;
  font-size: calc(var(--mark) * 0.68);
  letter-spacing: -0.05em;
}
.cell[data-acknowledged]::after,
.cell[data-set-off]::after {
  position: absolute;
  top: -6px;
  right: -5px;
  min-width: 13px;
  height: 13px;
  border-radius: 7px;
  font: 700 10px / 13px system-ui, sans-serif;
  text-align: center;
  color: var(--alarm);
  background: #fff;
  box-shadow: 0 0 0 1px var(--alarm);
}
.cell[data-acknowledged]::after {
  content: "✓";
}
.cell[data-set-off]::after {
  content: "!";
}
[data-group="area"] .grid {
  display: flex;
  flex-wrap: wrap;
  align-content: flex-start;
  gap: 5px;
}
[data-group="area"] .grid .block {
  flex: 1 1 calc(var(--zones) * 25px + 10px);
  max-width: max(160px, calc(var(--zones) * 44px));
  max-height: none;
  padding: 2px 4px 4px;
}
[data-group="area"] .grid .title {
  font-size: 13px;
  line-height: 20px;
}
[data-group="area"] .grid .cells {
  grid-template-columns: repeat(auto-fit, minmax(23px, 1fr));
  gap: 1px;
}
[data-group="area"] .grid .cell {
  max-width: 44px;
  min-height: 42px;
}
.legend {
  display: flex;
  gap: 8px;
  align-items: center;
  justify-content: space-between;
}
.states,
.groups {
  display: flex;
  gap: 4px;
}
.states {
  flex-wrap: wrap;
}
.legend button {
  display: flex;
  align-items: center;
  gap: 5px;
  min-height: 32px;
  padding: 2px 9px;
  border: 1px solid var(--line);
  border-radius: 16px;
  font: inherit;
  font-size: 13px;
  color: var(--ink);
  background: var(--paper);
  cursor: pointer;
  white-space: nowrap;
}
.legend button[data-none="true"] {
  color: var(--soft);
}
.legend button[aria-pressed="true"] {
  border-color: var(--accent);
  box-shadow: inset 0 0 0 1px var(--accent);
  font-weight: 600;
}
.legend .mark {
  --mark: 17px;
}
.legend [data-state="alarm"] .mark {
  font-size: 12px;
  border-radius: 3px;
}
.legend .count {
  font-weight: 700;
  font-variant-numeric: tabular-nums;
}
.nothing {
  padding: 24px;
  text-align: center;
  color: var(--soft);
}
:host([data-stale]) .grid,
:host([data-stale]) .banner,
:host([data-stale]) .lamps {
  filter: grayscale(1);
  opacity: 0.55;
}
/* As high as there is room, whatever is in it: nothing has to be measured. */
@media (min-width: 870px) {
  .view[data-view="wall"] {
    min-height: 0;
  }
  .wall[data-group="node"] {
    flex: 1 0 420px;
    contain: size layout style;
  }
  .wall[data-group="node"] .grid {
    flex: none;
    height: 100%;
  }
}
@media (min-width: 870px) and (min-height: 760px) {
  .cell {
    --mark: 22px;
  }
  .cell .number {
    font-size: 11px;
    line-height: 13px;
  }
}
@media (min-width: 1500px) and (min-height: 900px) {
  .grid {
    grid-template-columns: repeat(9, 1fr);
  }
  .block {
    max-height: 150px;
  }
  .block .title {
    font-size: 13px;
    line-height: 18px;
  }
  .cell {
    --mark: 28px;
  }
  .cell .number {
    font-size: 13px;
    line-height: 15px;
  }
}
@media (max-width: 869px) {
  .grid {
    gap: 2px;
    grid-template-columns: repeat(auto-fill, minmax(124px, 1fr));
    grid-auto-rows: minmax(50px, auto);
  }
  .block {
    padding: 1px 1px 2px;
  }
  .block .title {
    padding: 0 2px;
  }
  .cells {
    gap: 1px;
  }
  .cell {
    --mark: 18px;
    min-height: 32px;
  }
  .legend {
    flex-wrap: wrap-reverse;
    gap: 4px;
  }
  .legend button {
    min-height: 36px;
    padding: 2px 8px;
    font-size: 12px;
  }
  .legend .mark {
    --mark: 15px;
  }
  .states button[data-none="true"][aria-pressed="false"] {
    display: none;
  }
}
`;
