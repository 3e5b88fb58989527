// The only door to native/: loads the binary, checks its version, turns its faults into one typed error and its JSON
// into values. Whatever decides, lives behind it.
import { createRequire } from "node:module";
import type { NativeBars, NativeTrades } from "../native/index.d.ts";
import type {
  BacktestReport,
  BacktestTrade,
  Caused,
  Combination,
  CombinationResult,
  Contract,
  EngineSettings,
  Event,
  ExitReason,
  FillModel,
  Objective,
  Overfitting,
  SessionSpan,
  SessionSums,
  Side,
  SpanFigures,
  Statistics,
  Status,
  Study,
  StudySettings,
  TickModel,
} from "../native/types.d.ts";

export type * from "../native/types.d.ts";

/** Is the engine's own fault: a broken invariant, or input that no journal of this version can hold. Trading stops. */
export class EngineFault extends Error {
  override readonly name = "EngineFault";

  /** Returns the code before the colon of the engine's words ("BACKTEST_STOPPED"), null where they have none. */
  get code(): string | null {
    return /^([A-Z]+(?:_[A-Z]+)+): /.exec(this.message)?.[1] ?? null;
  }
}

/** Decides. Deterministic: the same frames give the same effects, whatever their batching. */
export type Engine = {
  /** Applies framed journal records (see src/journal) in order and returns what is to be done. Throws EngineFault. */
  apply(frames: Uint8Array): readonly Caused[];
  /** Returns everything that a person may want to see, as of the last event. */
  status(): Status;
  /** Returns the whole state as JSON, for a snapshot. */
  snapshot(): string;
  /** Returns a hash of the whole state as 16 hexadecimal digits. */
  stateHash(): string;
};

/** Fills orders against a market: the rules of an exchange, for the simulated gateway and the in-process one. */
export type Exchange = InstanceType<Native["NativeExchange"]>;

type Native = typeof import("../native/index.d.ts");

const native = load();

/** Returns an engine, new or as it was when `snapshot` was taken. Throws EngineFault for a snapshot of another version. */
export function createEngine(snapshot: string | null): Engine {
  const engine = guard(() => new native.NativeEngine(snapshot));
  return {
    apply: (frames) => {
      const json = guard(() => engine.apply(frames));
      return json === null ? NOTHING : (JSON.parse(json) as Caused[]);
    },
    status: () => JSON.parse(guard(() => engine.status())) as Status,
    snapshot: () => guard(() => engine.snapshot()),
    stateHash: () => guard(() => engine.stateHash()),
  };
}

/** Returns an exchange by its settings, new or as it was when `snapshot` was taken. */
export function createExchange(settings: object, snapshot: string | null): Exchange {
  return guard(() => new native.NativeExchange(JSON.stringify(settings), snapshot));
}

/** Returns z for each price over the last `window` prices; NaN where it is undefined [S3]. */
export function zscore(prices: Float64Array, window: number, ddof: 0 | 1): Float64Array {
  return guard(() => native.zscore(prices, window, ddof));
}

/** Returns z of whole numbers (prices in ticks, say, below 2^40) by exact sums; NaN where it is undefined [S3]. */
export function zscoreExact(units: Float64Array, window: number, ddof: 0 | 1): Float64Array {
  return guard(() => native.zscoreExact(units, window, ddof));
}

/** Is what a backtest found; the arrays have an element for each bar's close, z is NaN where it is undefined. */
export type BacktestRun = {
  readonly report: BacktestReport;
  /** The figures with the other order of stop and target inside a bar; null where no bar held both. */
  readonly otherIntrabar: Statistics | null;
  /** Intervals and odds; null where none were asked for. */
  readonly study: Study | null;
  readonly equityCents: Float64Array;
  readonly z: Float64Array;
};

/** Is work on another thread. */
export type Running<T> = {
  /** Throws EngineFault with a code: of the work, or a fault of ours. */
  readonly result: Promise<T>;
  /** Returns the bars done so far, of all combinations together. */
  barsDone(): number;
};

/**
 * Begins a backtest. The columns are read in place: they must stay as they are until the result is there. `study` asks for
 * intervals and odds, which take some tenths of a second; by `contract`'s hours and last trade date early closes and the roll
 * are kept; the signal stops it within some thousands of bars. The result fails with BACKTEST_STOPPED, BACKTEST_SETTINGS,
 * BACKTEST_BARS or BACKTEST_PANIC.
 */
export function startBacktest(
  settings: EngineSettings,
  fills: FillModel,
  bars: NativeBars,
  signal: AbortSignal | null = null,
  study: StudySettings | null = null,
  contract: Contract | null = null,
): Running<BacktestRun> {
  return controlled(signal, async (control) => {
    const [told, filled] = [JSON.stringify(settings), JSON.stringify(fills)];
    const [asked, of] = [study, contract].map((each) => (each === null ? null : JSON.stringify(each)));
    const found = await native.backtest(told, filled, bars, control, asked, of);
    return {
      report: reportOf(found),
      otherIntrabar: found.otherIntrabar == null ? null : (JSON.parse(found.otherIntrabar) as Statistics),
      study: found.study == null ? null : (JSON.parse(found.study) as Study),
      equityCents: found.equityCents,
      z: found.z,
    };
  });
}

/** The trades become objects when they are first asked for: a sweep's best, say, is only asked for its days. */
function reportOf(found: { readonly report: string; readonly trades: NativeTrades }): BacktestReport {
  let trades: BacktestTrade[] | null = null;
  return {
    ...(JSON.parse(found.report) as BacktestReport),
    get trades() {
      trades ??= tradesOf(found.trades);
      return trades;
    },
  };
}

/** The columns are of one length and their places lie in the lists of words: the binding makes them so. */
function tradesOf(columns: NativeTrades): BacktestTrade[] {
  const [sides, reasons] = [columns.sideWords as Side[], columns.reasonWords as ExitReason[]];
  const trades: BacktestTrade[] = [];
  for (let at = 0; at < columns.tradeId.length; at++) {
    trades.push({
      tradeId: columns.tradeId[at] as number,
      side: sides[columns.side[at] as number] as Side,
      quantity: columns.quantity[at] as number,
      signalAtMs: columns.signalAtMs[at] as number,
      entryAtMs: columns.entryAtMs[at] as number,
      entryTicks: columns.entryTicks[at] as number,
      exitAtMs: columns.exitAtMs[at] as number,
      exitTicks: columns.exitTicks[at] as number,
      reason: reasons[columns.reason[at] as number] as ExitReason,
      bars: columns.bars[at] as number,
      grossCents: columns.grossCents[at] as number,
      feesCents: columns.feesCents[at] as number,
      netCents: columns.netCents[at] as number,
      slippageCents: columns.slippageCents[at] as number,
      zSignal: columns.zSignal[at] as number,
    });
  }
  return trades;
}

/** Is what a backtest on trades and quotes found, with the bars that the engine made of them. */
export type TickRun = BacktestRun & { readonly bars: NativeBars };

/**
 * Begins a backtest on trades and quotes: the live engine on the simulated exchange. `records` are packed as the exchange
 * reads them (native/core/src/exchange/record.rs) and read in place: they must stay as they are until the result is there.
 * `barsDone` counts records. Else as `startBacktest`.
 */
export function startTickBacktest(
  settings: EngineSettings,
  fills: FillModel,
  model: TickModel,
  records: Uint8Array,
  signal: AbortSignal | null = null,
  study: StudySettings | null = null,
): Running<TickRun> {
  return controlled(signal, async (control) => {
    const [told, filled, met] = [settings, fills, model].map((each) => JSON.stringify(each)) as [
      string,
      string,
      string,
    ];
    const asked = study === null ? null : JSON.stringify(study);
    const found = await native.backtestTicks(told, filled, met, records, control, asked);
    return {
      report: reportOf(found),
      otherIntrabar: null,
      study: found.study == null ? null : (JSON.parse(found.study) as Study),
      bars: found.bars,
      equityCents: found.equityCents,
      z: found.z,
    };
  });
}

/**
 * Begins backtests of many combinations over the same bars, on so many threads; the results do not depend on how many. The
 * signal stops it within some thousands of bars: null for what was not finished then. The sums of each span of sessions come
 * with each result. Fails with BACKTEST_SETTINGS, BACKTEST_BARS or BACKTEST_PANIC.
 */
export function startSweep(
  combinations: readonly Combination[],
  spans: readonly SessionSpan[],
  bars: NativeBars,
  threads: number,
  signal: AbortSignal | null = null,
  contract: Contract | null = null,
): Running<readonly (CombinationResult | null)[]> {
  return controlled(signal, async (control) => {
    const [all, wanted] = [JSON.stringify(combinations), JSON.stringify(spans)];
    const of = contract === null ? null : JSON.stringify(contract);
    const found = await native.sweep(all, wanted, bars, threads, control, of);
    return JSON.parse(found) as (CombinationResult | null)[];
  });
}

/** Returns the place of the best by the objective, the first of equals; null of none. */
export function bestOf(objective: Objective, candidates: readonly SessionSums[]): number | null {
  return guard(() => native.bestOf(objective, tableOf(candidates)));
}

/** Returns the figures of all these sessions together. */
export function sumOf(parts: readonly SessionSums[]): SpanFigures {
  return JSON.parse(guard(() => native.sumOf(tableOf(parts)))) as SpanFigures;
}

/**
 * Begins to judge how likely the best of the combinations is overfitted; `rows` has the sums of equal blocks of sessions for
 * each combination. Fails with SELECTION_ARGUMENT, SELECTION_STOPPED or SELECTION_PANIC.
 */
export function startOverfitting(
  objective: Objective,
  rows: readonly (readonly SessionSums[])[],
  signal: AbortSignal | null = null,
): Running<Overfitting> {
  const table = tableOf(rows.flat());
  return controlled(signal, async (control) => {
    const found = await native.overfitting(objective, rows[0]?.length ?? 0, table, control);
    return JSON.parse(found) as Overfitting;
  });
}

function controlled<T>(
  signal: AbortSignal | null,
  work: (control: InstanceType<Native["NativeBacktestControl"]>) => Promise<T>,
): Running<T> {
  const control = guard(() => new native.NativeBacktestControl());
  const stop = (): void => control.stop();
  const run = async (): Promise<T> => {
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await work(control);
    } catch (thrown) {
      throw faultOf(thrown);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  };
  return { result: run(), barsDone: () => control.barsDone() };
}

/** Seven numbers a candidate, in the order that the binding names. */
function tableOf(candidates: readonly SessionSums[]): Float64Array {
  return Float64Array.from(
    candidates.flatMap((each) => [
      each.sessions,
      each.trades,
      each.wins,
      each.netCents,
      each.squares,
      each.wonCents,
      each.lostCents,
    ]),
  );
}

/** Returns an event as the journal keeps it and the engine reads it. */
export function encodeEvent(event: Event): string {
  return JSON.stringify(event);
}

const NOTHING: readonly Caused[] = [];

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw faultOf(thrown);
  }
}

function faultOf(thrown: unknown): EngineFault {
  return new EngineFault(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

function load(): Native {
  const require = createRequire(import.meta.url);
  let loaded: Native;
  try {
    loaded = require("../native/dist/index.cjs") as Native;
  } catch (thrown) {
    throw new EngineFault("The native engine is not built. Run: npm run build:native", { cause: thrown });
  }
  const wanted = (require("../package.json") as { version: string }).version;
  if (loaded.version() !== wanted) {
    throw new EngineFault(
      `The native engine is of version ${loaded.version()}, the program of ${wanted}. Run: npm run build:native`,
    );
  }
  return loaded;
}
