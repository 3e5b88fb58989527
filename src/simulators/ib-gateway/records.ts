// The market's records as they come from a source: 40 bytes each, little endian, read and changed in place.
//   atMs i64 | instrumentId i64 | kind u32 (1 trade, 2 quote) | a i32 | b i32 | c i32 | d i32 | aggressor i32
// A trade has its price in a and its size in c; a quote has bid, ask, bid size and ask size in a, b, c, d.

/** Is the length of one record. */
export const RECORD_BYTES = 40;
/** Stands for a side of the book that has no price. */
export const NO_PRICE = -2_147_483_648;
/** Is the kind of a trade. */
export const KIND_TRADE = 1;
/** Is the kind of a quote. */
export const KIND_QUOTE = 2;

const AT = 0;
const INSTRUMENT = 8;
const KIND = 16;
const A = 20;
const B = 24;
const C = 28;
const D = 32;

/** Returns a view of packed records. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns the time of the record at `offset`, in milliseconds. */
export function recordAtMs(view: DataView, offset: number): number {
  return view.getUint32(offset + AT, true) + view.getInt32(offset + AT + 4, true) * 4_294_967_296;
}

/** Returns the kind of the record at `offset`. */
export function recordKind(view: DataView, offset: number): number {
  return view.getUint32(offset + KIND, true);
}

/** Returns a trade's price or a quote's bid, in ticks. */
export function recordA(view: DataView, offset: number): number {
  return view.getInt32(offset + A, true);
}

/** Returns a quote's ask, in ticks. */
export function recordB(view: DataView, offset: number): number {
  return view.getInt32(offset + B, true);
}

/** Returns a trade's size or a quote's bid size. */
export function recordC(view: DataView, offset: number): number {
  return view.getInt32(offset + C, true);
}

/** Returns a quote's ask size. */
export function recordD(view: DataView, offset: number): number {
  return view.getInt32(offset + D, true);
}

/** Writes the contract's number into every record, in place: a source does not know it. */
export function nameContract(view: DataView, instrumentId: number): void {
  const high = Math.floor(instrumentId / 4_294_967_296);
  const low = instrumentId % 4_294_967_296;
  for (let offset = 0; offset < view.byteLength; offset += RECORD_BYTES) {
    view.setUint32(offset + INSTRUMENT, low, true);
    view.setInt32(offset + INSTRUMENT + 4, high, true);
  }
}

/** Moves every price by `ticks`, in place. */
export function shiftPrices(view: DataView, ticks: number): void {
  const shift = (at: number): void => {
    const price = view.getInt32(at, true);
    if (price !== NO_PRICE) view.setInt32(at, price + ticks, true);
  };
  for (let offset = 0; offset < view.byteLength; offset += RECORD_BYTES) {
    shift(offset + A);
    if (recordKind(view, offset) === KIND_QUOTE) shift(offset + B);
  }
}
