// Reads the fields of a request one after the other and prints values for answers. Both of the protocol's ways to say
// "not set" are understood: the empty field and the largest double or integer, in whatever spelling a client has.

/** Is how the real gateway prints a double that is not set. */
export const UNSET_DOUBLE = "1.7976931348623157E308";

const UNSET_DOUBLE_MIN = 1.7976931348623e308;
const UNSET_INTEGER = 2_147_483_647;

/** Is thrown while a request is read: a field that is missing or not what its place wants. The server answers 320. */
export class FieldProblem extends Error {
  override readonly name = "FieldProblem";
}

/** Reads a request's fields in order. Every method throws a FieldProblem at a missing or malformed field. */
export type FieldReader = {
  /** Returns the next field as it stands. */
  text(what: string): string;
  /** Returns a whole number, 0 for an empty field. */
  integer(what: string): number;
  /** Returns a whole number; undefined when it is not set. */
  integerOrUnset(what: string): number | undefined;
  /** Returns a number; undefined when it is not set. */
  decimalOrUnset(what: string): number | undefined;
  /** Returns a claim; an empty field is false. */
  flag(what: string): boolean;
  /** Passes over fields that are not looked at. */
  skip(count: number): void;
  /** Returns how many fields are left. */
  left(): number;
};

/** Returns a reader over `fields`, from the one at `start`. */
export function readFields(fields: readonly string[], start: number): FieldReader {
  let at = start;
  const text = (what: string): string => {
    const field = fields[at];
    if (field === undefined) throw new FieldProblem(`the message ends before ${what}`);
    at += 1;
    return field;
  };
  const decimalOrUnset = (what: string): number | undefined => {
    const field = text(what).trim();
    if (field === "") return undefined;
    if (/^[+]?Infinit[ey]$|^Infinity$/i.test(field)) return Number.POSITIVE_INFINITY;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field))
      throw new FieldProblem(`${what} is not a number: ${clip(field)}`);
    const value = Number(field);
    return Math.abs(value) >= UNSET_DOUBLE_MIN ? undefined : value;
  };
  const integerOrUnset = (what: string): number | undefined => {
    const value = decimalOrUnset(what);
    if (value === undefined || value === UNSET_INTEGER) return undefined;
    if (!Number.isInteger(value)) throw new FieldProblem(`${what} is not a whole number: ${value}`);
    return value;
  };
  return {
    text,
    integerOrUnset,
    decimalOrUnset,
    integer: (what) => integerOrUnset(what) ?? 0,
    flag: (what) => {
      const field = text(what).trim().toLowerCase();
      if (field === "" || field === "0" || field === "false") return false;
      if (field === "1" || field === "true") return true;
      throw new FieldProblem(`${what} is neither 0 nor 1: ${clip(field)}`);
    },
    skip: (count) => {
      at += count;
      if (at > fields.length) throw new FieldProblem("the message is too short");
    },
    left: () => fields.length - at,
  };
}

/** Returns a price in points, or any other number, as a plain decimal without exponent and without needless zeros. */
export function plain(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(8).replace(/\.?0+$/, "");
}

/** Returns cents as dollars with two places, the way account values are printed. */
export function dollars(cents: number): string {
  return (Math.round(cents) / 100).toFixed(2);
}

/** Returns text that is safe inside an answer: printable ASCII only, and no NUL that would end the field early. */
export function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function clip(text: string): string {
  return ascii(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
