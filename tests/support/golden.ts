// Golden files: what came out once and was looked at is what must come out again. `UPDATE_GOLDEN=1 npx vitest run FILE`
// writes them anew; the difference is then read in review.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";

/** Holds `text` to the golden file at `path`, or writes it there when the environment asks for that. */
export function expectGolden(path: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}
