/** The engine behind src/engine.ts. */
export declare class NativeEngine {
  constructor(snapshot: string | null)
  apply(frames: Uint8Array): string | null
  status(): string
  snapshot(): string
  stateHash(): string
}
/**
 * Fills orders against a market. Its words are in native/exchange.d.ts; every method that changes something returns an
 * ExchangeReport[] as JSON.
 */
export declare class NativeExchange {
  /** Takes ExchangeSettings as JSON and a snapshot to go on from. */
  constructor(settings: string, snapshot?: string | undefined | null)
  /** Takes packed market records of 40 bytes (see core's exchange/record.rs); null where nothing came of them. */
  market(batch: Uint8Array): string | null
  /** Lets time pass without market records; null where nothing came of it. */
  advance(atMs: number): string | null
  /** Takes NewOrder[] as JSON, a parent before its children. */
  submit(atMs: number, orders: string): string
  /** Takes OrderChanges as JSON. */
  modify(atMs: number, orderKey: number, changes: string): string
  /** Asks for an order's end. */
  cancel(atMs: number, orderKey: number): string
  /** Asks for the end of all orders. */
  cancelAll(atMs: number): string
  /** Opens or closes the market. */
  setOpen(atMs: number, open: boolean): string
  /** Ends the session: day orders expire. */
  sessionEnds(atMs: number): string
  /** Returns ExchangeOrderStatus[] as JSON. */
  orders(): string
  /** Returns ExchangePosition[] as JSON. */
  positions(): string
  /** Returns ExchangeAccount[] as JSON, the first account first. */
  account(): string
  /** Returns today's ExchangeFill[] as JSON, oldest first. */
  fills(): string
  /** Returns the whole state as JSON. */
  snapshot(): string
}
export declare function zscore(prices: Float64Array, window: number, ddof: number): Float64Array
export declare function version(): string
