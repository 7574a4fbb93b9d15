/* What the server says of a site, and what that means. Mirrors wire.py. */

export const Bit = Object.freeze({
  ALARM: 1,
  LIVE: 2,
  TROUBLE: 4,
  AVAILABLE: 8,
  HELD: 16,
  DISABLED: 32,
  TEST: 64,
  ACKNOWLEDGED: 128,
  DRILL: 256,
  RESYNC: 512,
});

/* The states of a zone, in the order in which people want to hear of them. */
export const STATES = Object.freeze([
  "alarm",
  "trouble",
  "disabled",
  "test",
  "held",
  "unavailable",
  "clear",
]);

export const LAMPS = Object.freeze([
  "ac",
  "dc",
  "alarm",
  "trouble",
  "drill",
  "silenced",
  "disabled",
]);

/* How a node's word stands. */
export const Word = Object.freeze({ LOST: 0, HELD: 1, FRESH: 2 });

const ZONES_PER_MODULE = 5;

/* The one state a zone is shown in; what is not certain is never "clear". */
export function stateOf(code) {
  if (code & Bit.DISABLED) return "disabled";
  if (code & Bit.TEST) return "test";
  if (code & Bit.ALARM) return "alarm";
  if (!(code & Bit.AVAILABLE)) return "unavailable";
  if (code & Bit.TROUBLE) return "trouble";
  return code & Bit.HELD ? "held" : "clear";
}

export class Zone {
  constructor(number, module) {
    this.number = number;
    this.module = module;
    this.name = "";
    this.area = null;
    this.put(0);
  }

  put(value) {
    [this.code, this.raisedAt, this.order] = Array.isArray(value) ? value : [value, null, 0];
    this.state = stateOf(this.code);
  }

  is(bit) {
    return (this.code & bit) !== 0;
  }

  get isFirst() {
    return this.state === "alarm" && this.order === 1;
  }
}

/* One site as a browser knows it; `apply` brings it up to date. */
export class Site {
  constructor() {
    this.title = "";
    this.device = null;
    this.areas = [];
    this.zones = new Map();
    this.modules = new Map();
    this.nodes = new Map();
    this.summary = null;
    this.lamps = { known: 0, lit: {} };
    this.log = 0;
    this.age = null;
  }

  get isKnown() {
    return this.summary !== null;
  }

  /* Takes in one message and notes in `changes` what is new. */
  apply(message, changes) {
    if (message.layout) {
      this.#arrange(message.layout);
      changes.layout = true;
      changes.log = true; // its number may be that of another life of the site
    }
    for (const [number, value] of Object.entries(message.zones ?? {})) {
      const zone = this.zones.get(Number(number));
      if (!zone) continue;
      if (!changes.zones.has(zone)) changes.zones.set(zone, { state: zone.state, code: zone.code });
      zone.put(value);
    }
    for (const [number, value] of Object.entries(message.modules ?? {})) {
      const module = this.modules.get(Number(number));
      if (!module) continue;
      [module.answers, module.bell, module.source] = value;
      changes.modules.add(module);
    }
    for (const [number, value] of Object.entries(message.nodes ?? {})) {
      const node = this.nodes.get(Number(number));
      if (!node) continue;
      if (!changes.nodes.has(node)) changes.nodes.set(node, node.word);
      [node.word, node.verdict, node.standby] = value;
    }
    if (message.site) this.summary = message.site;
    if (message.lamps) this.lamps = message.lamps;
    if ("log" in message) {
      changes.log ||= this.log !== message.log;
      this.log = message.log;
    }
    if ("age" in message) this.age = message.age;
  }

  /* The zones in alarm, the first one first. */
  alarms() {
    const found = [...this.zones.values()].filter((zone) => zone.state === "alarm");
    return found.sort(
      (one, other) =>
        (one.order || Infinity) - (other.order || Infinity) ||
        (one.raisedAt ?? Infinity) - (other.raisedAt ?? Infinity) ||
        one.number - other.number,
    );
  }

  /* How many zones are in each state. */
  counts() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const zone of this.zones.values()) counts[zone.state] += 1;
    return counts;
  }

  nodeOf(zone) {
    return this.nodes.get(zone.module.node);
  }

  #arrange({ title, device, nodes, modules, areas }) {
    this.title = title;
    this.device = device;
    this.areas = areas;
    const known = this.zones;
    this.nodes = new Map(
      nodes.map(([number, name, address, nodeDevice]) => [
        number,
        {
          ...(this.nodes.get(number) ?? { word: Word.LOST, verdict: 2, standby: 0 }),
          ...{ number, name, address, device: nodeDevice },
        },
      ]),
    );
    this.zones = new Map();
    this.modules = new Map();
    for (const [number, node, name, zones] of modules) {
      const module = { number, node, name, zones: [], answers: -1, bell: 0, source: 0 };
      this.modules.set(number, module);
      zones.forEach(([zoneName, area], place) => {
        const zoneNumber = (number - 1) * ZONES_PER_MODULE + place + 1;
        const zone = known.get(zoneNumber) ?? new Zone(zoneNumber, module);
        Object.assign(zone, { module, name: zoneName, area: areas[area] ?? null });
        module.zones.push(zone);
        this.zones.set(zoneNumber, zone);
      });
    }
  }
}

/* What changed since the last time somebody looked. */
export class Changes {
  layout = false;
  log = false;
  zones = new Map();
  modules = new Set();
  nodes = new Map();
}
