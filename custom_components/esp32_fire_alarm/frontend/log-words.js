/* Entries of the log as the server sends them, and their words. Mirrors wire.py. */

const Remark = Object.freeze({ RESYNC: 1, DRILL: 2, TEST: 4, DISABLED: 8 });

const ACTORS = { panel: "by_panel", reconfiguration: "by_reconfiguration" };

export function entryOf([
  id,
  kind,
  zone,
  source,
  raisedAt,
  order,
  bits,
  restoredAt,
  endedAt,
  acknowledgedAt,
  acknowledgedBy,
  resetAt,
  resetBy,
  latency,
]) {
  return {
    ...{ id, kind, zone, source, raisedAt, order, bits, restoredAt, endedAt },
    ...{ acknowledgedAt, acknowledgedBy, resetAt, resetBy, latency },
    isFire: kind === "alarm" && !(bits & (Remark.TEST | Remark.DISABLED)),
  };
}

/* What else is to be said of an entry: a list of words. */
export function remarksOf(entry, { t }) {
  const { bits } = entry;
  return [
    entry.order === 1 ? t("first") : null,
    entry.order > 1 ? t("nth_alarm", { n: entry.order }) : null,
    bits & Remark.TEST ? t("in_test") : null,
    bits & Remark.DISABLED ? t("was_disabled") : null,
    bits & Remark.DRILL ? t("drill") : null,
    bits & Remark.RESYNC ? t("found_late") : null,
    entry.resetBy ? t("was_reset_by", { by: actorOf(entry.resetBy, t) }) : null,
  ].filter(Boolean);
}

function actorOf(by, t) {
  return by in ACTORS ? t(ACTORS[by]) : by;
}
