/* The bar, the line that says it all, lamps, buttons and the first alarms. */

export const head = `
.topbar {
  display: flex;
  align-items: center;
  gap: 8px;
  min-height: 48px;
  padding: 0 10px;
  color: var(--app-header-text-color, var(--ink));
  contain: layout style;
  background: var(--app-header-background-color, var(--paper));
  border-bottom: 1px solid var(--line);
}
.topbar button,
.topbar select {
  min-height: 40px;
  border: 0;
  border-radius: 6px;
  font: inherit;
  color: inherit;
  background: transparent;
  cursor: pointer;
}
.topbar option {
  color: var(--ink);
  background: var(--paper);
}
.topbar .menu {
  width: 40px;
  font-size: 20px;
}
.topbar .title {
  overflow: hidden;
  font-size: 17px;
  font-weight: 600;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.tabs {
  display: flex;
}
.tabs button {
  padding: 0 12px;
  border-radius: 0;
  border-bottom: 3px solid transparent;
}
.tabs button[aria-selected="true"] {
  font-weight: 700;
  border-bottom-color: currentcolor;
}
.space {
  flex: 1;
}
.topbar .quiet {
  min-height: 32px;
  padding: 0 10px;
  border: 1px solid color-mix(in srgb, currentcolor 35%, transparent);
  border-radius: 16px;
  font-size: 13px;
  white-space: nowrap;
}
.age {
  flex: none;
  font-size: 13px;
  font-variant-numeric: tabular-nums;
}
.age::before {
  content: "●";
  margin-right: 5px;
}
.age[data-live="false"]::before {
  content: "✕";
}
.stale {
  margin: 0;
  padding: 8px 12px;
  font-weight: 600;
  color: #fff;
  background: #4a148c;
}
.head {
  display: flex;
  flex-direction: column;
  gap: 6px;
}
.banner {
  --level: #455a64;
  display: flex;
  align-items: center;
  gap: 12px;
  min-height: 56px;
  padding: 6px 14px;
  border-radius: 8px;
  color: #fff;
  background: var(--level);
}
.banner[data-level="normal"] {
  --level: #2e7d32;
}
.banner[data-level="trouble"] {
  --level: #ffb300;
  color: #1f1400;
}
.banner[data-level="alarm"] {
  --level: #c62828;
}
.sign {
  flex: none;
  width: 34px;
  height: 34px;
  background: currentcolor;
  clip-path: polygon(12% 50%, 24% 38%, 42% 57%, 78% 20%, 90% 32%, 42% 82%);
}
[data-level="trouble"] .sign {
  clip-path: polygon(
    evenodd,
    50% 0, 100% 50%, 50% 100%, 0 50%, 50% 0,
    44% 24%, 56% 24%, 54% 60%, 46% 60%, 44% 24%,
    46% 66%, 54% 66%, 54% 76%, 46% 76%, 46% 66%
  );
}
[data-level="alarm"] .sign {
  clip-path: polygon(50% 0, 64% 22%, 66% 40%, 76% 30%, 88% 58%, 78% 88%, 50% 100%, 22% 88%, 12% 58%, 24% 34%, 34% 44%, 38% 20%);
}
[data-level="unknown"] .sign {
  clip-path: polygon(8% 42%, 92% 42%, 92% 58%, 8% 58%);
}
.verdict {
  flex: 1;
  display: flex;
  flex-wrap: wrap;
  gap: 0 14px;
  align-items: baseline;
  min-width: 0;
}
.banner h1 {
  margin: 0;
  font-size: 22px;
  line-height: 1.2;
  font-weight: 700;
}
.banner p {
  margin: 1px 0 0;
  font-size: 17px;
}
.facts {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 20px;
  margin: 0;
}
.fact {
  display: flex;
  flex-direction: column-reverse;
}
.facts dt {
  font-size: 12px;
}
.facts dd {
  margin: 0;
  font-size: 20px;
  font-weight: 700;
  font-variant-numeric: tabular-nums;
}
.banner .fact {
  align-items: flex-end;
}
.banner .fact[data-short="true"] dd::before {
  content: "⚠︎ ";
}
.row {
  display: flex;
  flex-wrap: wrap;
  gap: 6px 12px;
  align-items: center;
  justify-content: space-between;
}
.lamps {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 6px;
  margin: 0;
  padding: 0;
  list-style: none;
}
.lamp {
  --glow: var(--trouble);
  display: flex;
  align-items: center;
  gap: 6px;
  padding: 2px 8px;
  border: 1px solid var(--line);
  border-radius: 4px;
  font-size: 12px;
  line-height: 20px;
  color: var(--soft);
  background: var(--paper);
}
.lamp::before {
  content: "";
  box-sizing: border-box;
  width: 10px;
  height: 10px;
  border: 2px solid var(--soft);
  border-radius: 50%;
}
.lamp[data-lamp="ac"],
.lamp[data-lamp="dc"] {
  --glow: var(--clear);
}
.lamp[data-lamp="alarm"] {
  --glow: var(--alarm);
}
.lamp[data-lit="on"] {
  font-weight: 700;
  color: var(--ink);
  border-color: var(--soft);
}
.lamp[data-lit="on"]::before {
  width: 12px;
  height: 12px;
  border-color: var(--ink);
  background: var(--glow);
}
.lamp[data-lit="unknown"]::before {
  border-style: dotted;
}
.acts {
  display: flex;
  flex-wrap: wrap;
  gap: 8px;
}
.act {
  min-height: 40px;
  padding: 4px 16px;
  border: 1px solid var(--soft);
  border-radius: 20px;
  font: inherit;
  font-size: 14px;
  font-weight: 600;
  color: var(--ink);
  background: var(--paper);
  cursor: pointer;
}
.act.primary {
  border-color: transparent;
  color: #fff;
  background: #01579b;
}
.act:disabled {
  opacity: 0.5;
}
.alarms {
  display: flex;
  flex-wrap: wrap;
  gap: 6px;
  margin: 0;
  padding: 0;
  list-style: none;
}
.alarms .alarm {
  display: flex;
  align-items: center;
  gap: 8px;
  min-height: 36px;
  padding: 4px 12px;
  border: 2px solid var(--alarm);
  border-radius: 6px;
  font: inherit;
  font-size: 14px;
  color: var(--ink);
  background: var(--paper);
  cursor: pointer;
}
.alarms .alarm[data-first] {
  color: #fff;
  background: var(--alarm);
}
.alarms .more {
  align-self: center;
  font-weight: 600;
}
/* Where there is room it is kept free: the wall must not move under a finger. */
.alarms .none {
  box-sizing: border-box;
  min-height: 36px;
  padding: 0 12px;
  border: 1px dashed var(--line);
  border-radius: 6px;
  font-size: 14px;
  line-height: 34px;
  color: var(--soft);
}
.head .row {
  min-height: 42px;
}
button:focus-visible,
select:focus-visible,
input:focus-visible,
.scroll:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 1px;
}
@media (max-width: 869px), (max-height: 759px) {
  .alarms[data-none] {
    display: none;
  }
  .head .row {
    min-height: 0;
  }
}
@media (max-width: 600px) {
  .topbar {
    gap: 2px;
    padding: 0 4px;
  }
  .tabs button {
    padding: 0 8px;
  }
  .tabs ~ .space ~ .quiet[data-blocked="false"] {
    min-width: 34px;
    padding: 0;
    font-size: 20px;
  }
  .quiet[aria-pressed="false"] {
    text-decoration: line-through;
  }
  .tabs ~ .space ~ .quiet[data-blocked="false"] .word {
    position: absolute;
    clip-path: inset(50%);
  }
  .topbar .title:has(+ .tabs) {
    display: none;
  }
  .age {
    padding-right: 4px;
    font-size: 12px;
  }
  .age .long {
    display: none;
  }
  .alarms,
  .lamps {
    flex-wrap: nowrap;
    overflow-x: auto;
  }
  .alarms > *,
  .lamps > * {
    flex: none;
  }
  .banner {
    flex-wrap: wrap;
    gap: 6px 10px;
    padding: 6px 10px;
  }
  .banner h1 {
    font-size: 20px;
  }
  .banner p {
    font-size: 14px;
  }
  .banner .facts {
    width: 100%;
  }
  .banner .fact {
    flex-direction: row-reverse;
    align-items: baseline;
    gap: 6px;
  }
  .banner .facts dd {
    font-size: 15px;
  }
  .lamp {
    padding: 0 6px;
    font-size: 11px;
  }
}
`;
