// The shape of `view.json` and the check that a file, or a record, has it.

/** Is one way from flat to flat. Money in cents, prices in ticks, times in ms since 1970 UTC. */
export type RoundTripRow = {
  tradeId: number;
  /** Is the trading day by its end, YYYY-MM-DD. */
  tradeDate: string;
  contract: string;
  side: "long" | "short";
  quantity: number;
  signalAtMs: number;
  entryAtMs: number;
  exitAtMs: number;
  entryPriceTicks: number;
  exitPriceTicks: number;
  reason: string;
  grossCents: number;
  feesCents: number;
  netCents: number;
  /** Is z at entry and exit; null where no z decided. */
  zEntry: number | null;
  zExit: number | null;
  /** Is the worst and the best open result on the way, in cents. */
  maeCents: number;
  mfeCents: number;
};

/** Is one change of settings: which revision it made, when, by whom, and what was before and after. */
export type ConfigChangeRow = {
  revision: number;
  atMs: number;
  by: string;
  changes: { path: string; old: string; new: string }[];
};

/** Is the whole file. */
export type View = {
  version: 1;
  upToSeq: number;
  roundTrips: RoundTripRow[];
  configChanges: ConfigChangeRow[];
  /** Is the newest state, for a person to read; nothing depends on it. */
  last: unknown;
};

/** Is the view of an empty journal. */
export const EMPTY_VIEW: View = { version: 1, upToSeq: 0, roundTrips: [], configChanges: [], last: null };

type Check = (value: unknown) => boolean;
const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
const whole: Check = (value) => Number.isSafeInteger(value);
const text: Check = (value) => typeof value === "string";
const numberOrNull: Check = (value) => value === null || number(value);

const ROUND_TRIP: Readonly<Record<keyof RoundTripRow, Check>> = {
  tradeId: whole,
  tradeDate: (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value),
  contract: text,
  side: (value) => value === "long" || value === "short",
  quantity: whole,
  signalAtMs: whole,
  entryAtMs: whole,
  exitAtMs: whole,
  // A partly filled order has an average price between two ticks, and fees may have fractions of a cent.
  entryPriceTicks: number,
  exitPriceTicks: number,
  reason: text,
  grossCents: number,
  feesCents: number,
  netCents: number,
  zEntry: numberOrNull,
  zExit: numberOrNull,
  maeCents: number,
  mfeCents: number,
};

const CONFIG_CHANGE: Readonly<Record<keyof ConfigChangeRow, Check>> = {
  revision: whole,
  atMs: whole,
  by: text,
  changes: (value) => Array.isArray(value) && value.every((each) => has(each, { path: text, old: text, new: text })),
};

function has(value: unknown, shape: Readonly<Record<string, Check>>): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  return Object.entries(shape).every(([name, check]) => check(fields[name]));
}

/** Returns the round trip in `value`, without fields of others; undefined if one is missing or out of its range. */
export const toRoundTrip = (value: unknown): RoundTripRow | undefined =>
  isRoundTrip(value) ? (only(value, ROUND_TRIP) as RoundTripRow) : undefined;

/** Returns the change of settings in `value`, without fields of others; undefined if one is missing. */
export const toConfigChange = (value: unknown): ConfigChangeRow | undefined =>
  isConfigChange(value) ? (only(value, CONFIG_CHANGE) as ConfigChangeRow) : undefined;

const isRoundTrip = (value: unknown): value is RoundTripRow => has(value, ROUND_TRIP);
const isConfigChange = (value: unknown): value is ConfigChangeRow => has(value, CONFIG_CHANGE);

const only = (value: Readonly<Record<string, unknown>>, shape: object): Record<string, unknown> =>
  Object.fromEntries(Object.keys(shape).map((name) => [name, value[name]]));

/** Returns whether the value is a view that this version wrote. */
export const isView = (value: unknown): value is View =>
  has(value, {
    version: (version) => version === EMPTY_VIEW.version,
    upToSeq: (seq) => whole(seq) && (seq as number) >= 0,
    roundTrips: (rows) => Array.isArray(rows) && rows.every(isRoundTrip),
    configChanges: (rows) => Array.isArray(rows) && rows.every(isConfigChange),
  });
