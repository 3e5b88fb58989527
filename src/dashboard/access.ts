// Who may talk to the local HTTP server: this machine's programs by name, and for anything that acts, the holder of the
// token file in the data directory.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TOKEN_BYTES = 32;
const FILE_MODE = 0o600;

/** Where the living bot can be asked to act, for the emergency flatten. */
export type ControlFile = { readonly port: number; readonly token: string; readonly pid: number };

const controlPath = (dataDir: string): string => join(dataDir, "control.json");

/** Writes the file, readable by its owner only, and returns what it says. */
export function writeControlFile(dataDir: string, port: number, pid: number): ControlFile {
  const control = { port, token: randomBytes(TOKEN_BYTES).toString("hex"), pid };
  writeFileSync(controlPath(dataDir), `${JSON.stringify(control)}\n`, { mode: FILE_MODE });
  return control;
}

/** Returns what a living (or dead) bot left, or null. */
export function readControlFile(dataDir: string): ControlFile | null {
  try {
    const parsed = JSON.parse(readFileSync(controlPath(dataDir), "utf8")) as Partial<ControlFile>;
    const { port, token, pid } = parsed;
    return typeof port === "number" && typeof token === "string" && typeof pid === "number"
      ? { port, token, pid }
      : null;
  } catch {
    // Absent or torn: nobody can be asked, which is an answer of its own.
    return null;
  }
}

/** Removes the file at an orderly end. */
export function removeControlFile(dataDir: string): void {
  rmSync(controlPath(dataDir), { force: true });
}

/** Is the Host header one of this machine's names? Anything else is a page that resolved its own name to here. */
export function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host);
}

/** Compares in constant time. */
export function isToken(given: string | undefined, token: string): boolean {
  const wanted = Buffer.from(`Bearer ${token}`);
  const actual = Buffer.from(given ?? "");
  return actual.length === wanted.length && timingSafeEqual(actual, wanted);
}
