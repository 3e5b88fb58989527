/** The engine behind src/engine.ts. */
export declare class NativeEngine {
  constructor(snapshot: string | null)
  apply(frames: Uint8Array): string | null
  status(): string
  snapshot(): string
  stateHash(): string
}
/** The exchange behind src/engine.ts. */
export declare class NativeExchange {
  constructor(settings: string, snapshot: string | null)
}
export declare function zscore(prices: Float64Array, window: number, ddof: number): Float64Array
export declare function version(): string
