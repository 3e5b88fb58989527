// What a backtest is told of its contract beside the data: hours by the exchange's calendar, and the last trade date.
import { DateTime } from "luxon";
import { TICK_CONTRACT_ID } from "../bar-data/ticks.ts";
import { builtInInstrument, instrumentOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import type { Contract } from "../engine.ts";
import { createCalendar, EXCHANGE_ZONE } from "../simulators/ib-gateway/calendar.ts";

const MONTH_LETTERS = "FGHJKMNQUVXZ";
const FRIDAY = 5;
const TICK_DECIMALS = 10_000;
/** A listing's year has one digit or two: of the years that it may mean the one nearest to the data, at most so far away. */
const YEARS_AROUND = 10;

/**
 * Returns the contract that the recorded prices between the two times are of. Hours are those of the exchange's calendar for a
 * built-in instrument, none for another; the last trade date is the third Friday of the month that `name` ("ESZ3") or else
 * `contract.expiry` names, empty where neither does.
 */
export function contractOf(settings: Settings, name: string | null, fromMs: number, toMs: number): Contract {
  const instrument = instrumentOf(settings);
  const month = listedMonth(name, fromMs) ?? settings.contract.expiry;
  const tickSizeE4 = Math.round(Number(instrument.tickSize) * TICK_DECIMALS);
  return {
    conId: TICK_CONTRACT_ID,
    localSymbol: name ?? instrument.symbol,
    month: month ?? "",
    lastTradeDate: month === null ? "" : thirdFriday(month),
    tickSizeE4,
    multiplierCents: (instrument.tickValueCents * TICK_DECIMALS) / tickSizeE4,
    hours: builtInInstrument(instrument.symbol) === null ? [] : hoursBetween(fromMs, toMs),
  };
}

function hoursBetween(fromMs: number, toMs: number): Contract["hours"] {
  const calendar = createCalendar("exchange");
  const hours: Contract["hours"] = [];
  let session = calendar.latestSession(fromMs);
  while (session.openMs <= toMs) {
    hours.push({ fromMs: session.openMs, toMs: session.closeMs });
    session = calendar.nextSession(session.openMs);
  }
  return hours;
}

/** "ESZ3", "ESZ13" and "ESZ2013" are all "201312" for data of 2013; null for a name that is no listing. */
function listedMonth(name: string | null, atMs: number): string | null {
  const match = /([FGHJKMNQUVXZ])(\d{1,4})$/.exec(name ?? "");
  if (match === null) return null;
  const [, letter = "", digits = ""] = match;
  const month = MONTH_LETTERS.indexOf(letter) + 1;
  const at = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE });
  const years = Array.from({ length: 2 * YEARS_AROUND + 1 }, (_, index) => at.year - YEARS_AROUND + index);
  const nearest = years
    .filter((year) => String(year).endsWith(digits))
    .map((year) => DateTime.fromObject({ year, month }, { zone: EXCHANGE_ZONE }).endOf("month"))
    .filter((end) => end >= at)
    .toSorted((one, other) => one.toMillis() - other.toMillis())[0];
  return nearest === undefined ? null : nearest.toFormat("yyyyLL");
}

/** Trading ends on the third Friday of the contract month (CME contract specifications). */
function thirdFriday(month: string): string {
  const first = DateTime.fromFormat(month, "yyyyLL", { zone: EXCHANGE_ZONE });
  const ahead = (FRIDAY - first.weekday + 7) % 7;
  return first.plus({ days: ahead + 14 }).toISODate() ?? "";
}
