// Values with an inside: lists of people, chats and addresses, a custom instrument, limits per period. Their schemas
// are zod's; everything simpler is in kinds.ts.
import { z } from "zod";
import { err, ok, type Result } from "../result.ts";
import { parseDecimal, parseTickSize } from "../units.ts";
import { MULTIPLIER_DECIMALS, tickValueCentsOf } from "./instruments.ts";
import type { ConfigValue } from "./settings.ts";

/** Is which schema, and what it wants in words. */
export type Shape = { readonly name: ShapeName; readonly what: string };

/** Is the name of a schema below. */
export type ShapeName = "users" | "groups" | "customInstrument" | "rateLimit" | "noticeModes" | "addresses";

/** Lists of people, chats, notices and addresses have at most so many entries. */
export const ENTRIES_MAX: Readonly<Record<"users" | "groups" | "noticeModes" | "addresses", number>> = {
  users: 50,
  groups: 50,
  noticeModes: 100,
  addresses: 10,
};

const TICK_DECIMALS_MAX = 4;
const RATE_MAX = 100_000;

const rate = z.int().min(1).max(RATE_MAX);

const SCHEMAS = {
  users: z
    .array(
      z.strictObject({
        id: z.int().positive(),
        name: z.string().regex(/^[\p{L}\p{N}_.-]{1,32}$/u, "a name of 1 to 32 letters, digits, _ . -"),
        role: z.enum(["viewer", "trader", "owner"]),
      }),
    )
    .max(ENTRIES_MAX.users)
    .refine((users) => new Set(users.map((user) => user.id)).size === users.length, "each id may be listed only once"),
  groups: z.array(z.int().negative("a group's chat id is negative")).max(ENTRIES_MAX.groups),
  customInstrument: z
    .strictObject({
      exchange: z.string().regex(/^[A-Z][A-Z0-9.]{1,15}$/, "an exchange such as CME"),
      currency: z.literal("USD", "USD: all money here is in dollars"),
      tick: z.union([z.number(), z.string()]).transform(String),
      multiplier: z.union([z.number(), z.string()]).transform(String),
      feeUsd: z.number().min(0).max(50),
    })
    .refine(({ tick }) => isTick(tick), { path: ["tick"], error: "a tick size above 0 with at most 4 decimals" })
    .refine(({ multiplier }) => parseDecimal(multiplier, MULTIPLIER_DECIMALS).ok, {
      path: ["multiplier"],
      error: "dollars a point such as 5 or 0.5",
    })
    .refine(
      ({ tick, multiplier }) => !isTick(tick) || tickValueCentsOf(tick, multiplier) !== null,
      "one tick (tick × multiplier) must be worth a whole number of cents",
    )
    .refine(({ feeUsd }) => parseDecimal(String(feeUsd), 2).ok, { path: ["feeUsd"], error: "at most 2 decimals" }),
  rateLimit: z
    .strictObject({ minute: rate, hour: rate, day: rate })
    .refine(({ minute, hour, day }) => minute <= hour && hour <= day, "minute ≤ hour ≤ day"),
  noticeModes: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,40}$/), z.enum(["on", "silent", "off"]))
    .refine((modes) => Object.keys(modes).length <= ENTRIES_MAX.noticeModes, "too many entries"),
  addresses: z.array(z.string().trim().min(1).max(500)).max(ENTRIES_MAX.addresses),
} as const satisfies Record<ShapeName, z.ZodType>;

/** Returns the value inside the program, or a clause that says where and what is wrong. */
export function readShape(shape: Shape, yaml: unknown): Result<ConfigValue, string> {
  if (shape.name === "customInstrument") {
    const read = SCHEMAS.customInstrument.safeParse(yaml);
    if (!read.success) return err(issueText(read.error));
    const { feeUsd, ...rest } = read.data;
    return ok({ ...rest, feeCents: Math.round(feeUsd * 100) });
  }
  const read = SCHEMAS[shape.name].safeParse(yaml);
  return read.success ? ok(read.data as ConfigValue) : err(issueText(read.error));
}

/** Returns the value as the file has it. */
export function shapeYaml(shape: Shape, value: ConfigValue): unknown {
  if (shape.name !== "customInstrument") return value;
  const { feeCents, tick, multiplier, ...rest } = value as { [key: string]: ConfigValue };
  return { ...rest, tick: Number(tick), multiplier: Number(multiplier), feeUsd: Number(feeCents) / 100 };
}

/** Returns the value for a person; addresses are only counted, since they may hold a secret. */
export function shapeText(shape: Shape, value: ConfigValue): string {
  const entries: readonly (readonly [string, ConfigValue])[] =
    typeof value === "object" && value !== null ? Object.entries(value) : [];
  switch (shape.name) {
    case "users":
      return (
        entries.map(([, user]) => `${fieldText(user, "name")} (${fieldText(user, "role")})`).join(", ") || "nobody"
      );
    case "groups":
      return entries.map(([, id]) => String(id)).join(", ") || "none";
    case "addresses":
      return entries.length === 0 ? "none" : `${entries.length} set`;
    case "customInstrument":
    case "rateLimit":
    case "noticeModes":
      return entries.map(([key, item]) => `${key} ${String(item)}`).join(", ") || "none";
    default:
      return shape.name satisfies never;
  }
}

/** The engine counts a tick in ten-thousandths of a point. */
function isTick(text: string): boolean {
  const size = parseTickSize(text);
  return size.ok && size.value.decimals <= TICK_DECIMALS_MAX;
}

function fieldText(value: ConfigValue, key: string): string {
  return String((value as { readonly [name: string]: ConfigValue })[key]);
}

function issueText(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "it does not fit";
  const where = issue.path.map(String).join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}
