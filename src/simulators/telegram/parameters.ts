// The parameters of one call, from wherever the client put them: query, urlencoded form, multipart form or JSON body.
// The Bot API reads every scalar leniently ("5", 5, "true", true); nested objects come as JSON text or as objects.
import { err, ok, type Result } from "../../result.ts";
import { parseMultipart, type UploadedFile } from "./multipart.ts";
import { badRequest } from "./refusal.ts";

/** Answers by name what a call was given; a missing parameter reads as the empty text, as in the real server. */
export class Parameters {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #files: ReadonlyMap<string, UploadedFile>;

  constructor(values: ReadonlyMap<string, unknown>, files: ReadonlyMap<string, UploadedFile> = new Map()) {
    this.#values = values;
    this.#files = files;
  }

  /** Is true when the parameter was given and isn't empty. */
  has(name: string): boolean {
    return this.text(name) !== "" || this.#files.has(name);
  }

  /** Returns the parameter as text; an object as its JSON. */
  text(name: string): string {
    return scalarText(this.#values.get(name));
  }

  /** Returns a whole number, `fallback` where none was given or it is none, held between `min` and `max`. */
  integer(name: string, fallback: number, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): number {
    const text = this.text(name).trim();
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : fallback;
    return Math.min(max, Math.max(min, value));
  }

  /** Is true for true, "true", "yes", 1 and "1" in any case. */
  flag(name: string): boolean {
    return ["true", "yes", "1"].includes(this.text(name).trim().toLowerCase());
  }

  /** Returns a nested value, undefined where none was given, or an error when its text isn't JSON. */
  json(name: string): Result<unknown, "not_json"> {
    const value = this.#values.get(name);
    if (typeof value !== "string") return ok(value ?? undefined);
    if (value.trim() === "") return ok(undefined);
    return parseJson(value);
  }

  /** Returns the uploaded file of this field name. */
  file(name: string): UploadedFile | undefined {
    return this.#files.get(name);
  }

  /** Returns everything as plain values for the record of calls; a file as its name and size. */
  recorded(): Record<string, unknown> {
    const files = [...this.#files].map(
      ([name, file]) => [name, { file: file.name, bytes: file.bytes.length }] as const,
    );
    return Object.fromEntries([...this.#values, ...files]);
  }
}

/** Returns the parameters of a request; throws the Refusal the real server gives for a body it can't read. */
export function readParameters(query: URLSearchParams, contentType: string, body: Buffer): Parameters {
  const values = new Map<string, unknown>(query);
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (body.length === 0) return new Parameters(values);
  if (type === "multipart/form-data") {
    const form = parseMultipart(contentType, body);
    if (!form.ok) throw badRequest(`can't parse multipart form data: ${form.error}`);
    for (const [name, value] of form.value.fields) values.set(name, value);
    return new Parameters(values, form.value.files);
  }
  if (type === "application/json") {
    const parsed = parseJson(body.toString("utf8"));
    if (!parsed.ok || !isRecord(parsed.value)) throw badRequest("can't parse request body: object expected");
    for (const [name, value] of Object.entries(parsed.value)) {
      if (value !== null && value !== undefined) values.set(name, value);
    }
    return new Parameters(values);
  }
  if (type === "" || type === "application/x-www-form-urlencoded") {
    for (const [name, value] of new URLSearchParams(body.toString("utf8"))) values.set(name, value);
  }
  return new Parameters(values);
}

/** Returns the value of a JSON text. */
export function parseJson(text: string): Result<unknown, "not_json"> {
  try {
    return ok(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SyntaxError) return err("not_json");
    throw cause;
  }
}

/** Is true for a JSON object (no array, no null). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a JSON scalar as text, an object as JSON, nothing as "". */
export function scalarText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}
