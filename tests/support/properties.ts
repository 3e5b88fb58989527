// A property as a test: a name, what it is drawn from, and what must hold.
import * as fc from "fast-check";
import { test } from "vitest";

export * as fc from "fast-check";

/** Checks that `holds` doesn't throw for any of the drawn values. */
export function property<T extends [unknown, ...unknown[]]>(
  name: string,
  from: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...values: T) => void,
): void {
  test(name, () => {
    fc.assert(fc.property(...from, holds));
  });
}
