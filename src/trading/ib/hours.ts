// Trading hours as IB writes them, turned into absolute spans.
import { DateTime, IANAZone } from "luxon";
import type { Span } from "../../engine.ts";
import { err, ok, type Result } from "../../result.ts";

/**
 * Returns the spans of "20261122:1700-20261123:1600;20261128:CLOSED" in `zone`, oldest first, adjoining ones joined. The
 * older form "20090507:0700-1830,1830-2330" is read too: an end at or before its start is of the next day. A zone or a
 * segment that is not understood is refused, never guessed (TWS API, ContractDetails.tradingHours).
 */
export function parseHours(text: string, zone: string): Result<readonly Span[], string> {
  if (!IANAZone.isValidZone(zone)) return err(`the time zone "${zone}" is not known here`);
  const spans: Span[] = [];
  for (const segment of text.split(";")) {
    if (segment.trim() === "") continue;
    const parsed = parseDay(segment.trim(), zone);
    if (!parsed.ok) return parsed;
    spans.push(...parsed.value);
  }
  return ok(join(spans.toSorted((a, b) => a.fromMs - b.fromMs)));
}

function parseDay(segment: string, zone: string): Result<readonly Span[], string> {
  const day = /^(\d{8}):(.+)$/.exec(segment);
  if (day === null) return err(`the trading hours "${segment}" are not understood`);
  const [, date = "", rest = ""] = day;
  if (rest === "CLOSED") return ok([]);
  const spans: Span[] = [];
  for (const part of rest.split(",")) {
    const times = /^(\d{4})-(?:(\d{8}):)?(\d{4})$/.exec(part.trim());
    if (times === null) return err(`the trading hours "${segment}" are not understood`);
    const [, from = "", endDate, to = ""] = times;
    const fromMs = at(date, from, zone);
    let toMs = at(endDate ?? date, to, zone);
    if (fromMs === null || toMs === null) return err(`the trading hours "${segment}" hold no time`);
    if (toMs <= fromMs && endDate === undefined) {
      toMs = DateTime.fromMillis(toMs, { zone }).plus({ days: 1 }).toMillis();
    }
    if (toMs <= fromMs) return err(`the trading hours "${segment}" end before they begin`);
    spans.push({ fromMs, toMs });
  }
  return ok(spans);
}

function at(date: string, time: string, zone: string): number | null {
  const parsed = DateTime.fromFormat(`${date} ${time}`, "yyyyMMdd HHmm", { zone });
  if (parsed.isValid) return parsed.toMillis();
  // "2400" stands for the end of the day.
  const midnight = time === "2400" ? DateTime.fromFormat(date, "yyyyMMdd", { zone }).plus({ days: 1 }) : parsed;
  return midnight.isValid ? midnight.toMillis() : null;
}

function join(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last !== undefined && span.fromMs <= last.toMs) {
      joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
    } else {
      joined.push(span);
    }
  }
  return joined;
}
