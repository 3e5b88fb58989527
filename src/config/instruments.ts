// The built-in instruments: facts for validation and display. The engine is told its instrument at run time, and what
// the broker's contract details say then wins over this table.
import { parseDecimal, type TickSize, tickSize } from "../units.ts";
import type { Settings } from "./settings.ts";

/** Is what is traded in the abstract: how its price moves and what that is worth. */
export type Instrument = {
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  readonly currency: string;
  /** The smallest price step in points, as text: "0.25". */
  readonly tickSize: string;
  /** Dollars a point and contract, as text: "5", "0.5". */
  readonly multiplier: string;
  /** What one tick is worth on one contract, in cents. */
  readonly tickValueCents: number;
  /** Commission and exchange fees a contract and side, in cents; the broker's reports replace it. */
  readonly feeCents: number;
  /** The hard cap of `risk.maxPosition` in contracts (controls D1 and D2). */
  readonly maxPositionCap: number;
  /** The default of `risk.maxNotionalUsd` in cents (control D3), or null where the engine takes it from the run's first price. */
  readonly maxNotionalCents: number | null;
  /** The contract months that are listed: quarterly, or null where the program does not know. */
  readonly months: readonly number[] | null;
  /** Which daily price limits its exchange has set, or null where the program does not know of any. */
  readonly priceLimits: "equity_index" | null;
};

type Family = Pick<Instrument, "currency" | "feeCents" | "maxPositionCap" | "months" | "priceLimits">;
const INDEX = { currency: "USD", months: [3, 6, 9, 12], priceLimits: "equity_index" } as const;
const MICRO: Family = { ...INDEX, feeCents: 57, maxPositionCap: 10 };
const E_MINI: Family = { ...INDEX, feeCents: 215, maxPositionCap: 2 };

/**
 * Multipliers and ticks: CME contract specifications. Fees: IB fixed commission + exchange + regulatory (micro 0.25 +
 * 0.30 + 0.02, E-mini 0.85 + 1.28 + 0.02 dollars); current schedules may be some cents higher.
 */
export const INSTRUMENTS: readonly Instrument[] = [
  row(MICRO, "MES", "Micro E-mini S&P 500", "CME", "0.25", "5", 125, 6_000_000),
  row(E_MINI, "ES", "E-mini S&P 500", "CME", "0.25", "50", 1_250, 50_000_000),
  row(MICRO, "MNQ", "Micro E-mini Nasdaq-100", "CME", "0.25", "2", 50, 8_000_000),
  row(E_MINI, "NQ", "E-mini Nasdaq-100", "CME", "0.25", "20", 500, null),
  row(MICRO, "M2K", "Micro E-mini Russell 2000", "CME", "0.10", "5", 50, null),
  row(E_MINI, "RTY", "E-mini Russell 2000", "CME", "0.10", "50", 500, null),
  row(MICRO, "MYM", "Micro E-mini Dow", "CBOT", "1", "0.5", 50, null),
  row(E_MINI, "YM", "E-mini Dow", "CBOT", "1", "5", 500, null),
];

function row(
  family: Family,
  symbol: string,
  name: string,
  exchange: string,
  tickSizeText: string,
  multiplier: string,
  tickValueCents: number,
  maxNotionalCents: number | null,
): Instrument {
  return { symbol, name, exchange, tickSize: tickSizeText, multiplier, tickValueCents, maxNotionalCents, ...family };
}

/** Returns the built-in instrument of that symbol, or null. */
export function builtInInstrument(symbol: string): Instrument | null {
  return INSTRUMENTS.find((instrument) => instrument.symbol === symbol) ?? null;
}

/**
 * Returns the instrument that the settings name: built in, or `contract.custom`. Settings that were loaded always have
 * one; throws a RangeError for a symbol that nobody described.
 */
export function instrumentOf(settings: Pick<Settings, "contract">): Instrument {
  const { symbol, custom } = settings.contract;
  const builtIn = builtInInstrument(symbol);
  if (builtIn !== null) return builtIn;
  if (custom === null) throw new RangeError(`${symbol} is not built in and contract.custom is null`);
  const tickValueCents = tickValueCentsOf(custom.tick, custom.multiplier);
  if (tickValueCents === null) throw new RangeError(`a tick of ${symbol} is not worth whole cents`);
  return {
    symbol,
    name: symbol,
    exchange: custom.exchange,
    currency: custom.currency,
    tickSize: custom.tick,
    multiplier: custom.multiplier,
    tickValueCents,
    feeCents: custom.feeCents,
    maxPositionCap: 10,
    maxNotionalCents: null,
    months: null,
    priceLimits: null,
  };
}

/** Returns the exact tick size of an instrument, for `printPrice` and its like. */
export function tickSizeOf(instrument: Instrument): TickSize {
  return tickSize(instrument.tickSize);
}

/** Returns the fee a contract and side in cents: `costs.feeUsd`, or the table's where that is auto. */
export function feeCentsOf(settings: Pick<Settings, "contract" | "costs">): number {
  return settings.costs.feeCents ?? instrumentOf(settings).feeCents;
}

/** Returns what one tick is worth in whole cents, or null where it is not a whole number of them of at least 1. */
export function tickValueCentsOf(tick: string, multiplier: string): number | null {
  const size = tickSize(tick);
  const factor = parseDecimal(multiplier, MULTIPLIER_DECIMALS);
  if (!factor.ok) return null;
  const cents = (size.units * factor.value * 100) / 10 ** (size.decimals + MULTIPLIER_DECIMALS);
  const whole = Math.round(cents);
  return Math.abs(cents - whole) < 1e-9 && whole >= 1 ? whole : null;
}

/** A multiplier has at most this many decimals. */
export const MULTIPLIER_DECIMALS = 4;
