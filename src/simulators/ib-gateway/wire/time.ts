// Moments as the wire writes them, both ways.
import { DateTime, FixedOffsetZone } from "luxon";
import { EXCHANGE_ZONE, EXCHANGE_ZONE_WIRE } from "../calendar.ts";

/** The zone changes its offset on a full hour, so each hour is asked for once; a list of executions has many times. */
let offset = { hour: Number.NaN, zone: FixedOffsetZone.utcInstance };

function exchangeOffset(atMs: number): FixedOffsetZone {
  const hour = Math.floor(atMs / 3_600_000);
  if (offset.hour !== hour) {
    const minutes = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).offset;
    offset = { hour, zone: FixedOffsetZone.instance(minutes) };
  }
  return offset.zone;
}

/** Returns a moment as the wire prints it: with the zone's name from version 174 on, with two blanks before. */
export function wireTime(serverVersion: number, atMs: number): string {
  const local = DateTime.fromMillis(atMs, { zone: exchangeOffset(atMs) });
  return serverVersion >= 174
    ? `${local.toFormat("yyyyLLdd HH:mm:ss")} ${EXCHANGE_ZONE_WIRE}`
    : local.toFormat("yyyyLLdd  HH:mm:ss");
}

/**
 * Returns the moment of `YYYYMMDD HH:MM:SS [zone]` (the exchange's zone when none is named) or of `YYYYMMDD-HH:MM:SS`
 * (UTC); undefined when it is neither.
 */
export function parseWireTime(text: string): number | undefined {
  const parts = /^(\d{8})([ -]+)(\d{2}:\d{2}:\d{2})(?: (\S+))?$/.exec(text.trim());
  if (parts === null) return undefined;
  const zone = parts[4] ?? (parts[2] === "-" ? "utc" : EXCHANGE_ZONE);
  const read = DateTime.fromFormat(`${parts[1]} ${parts[3]}`, "yyyyLLdd HH:mm:ss", { zone });
  return read.isValid ? read.toMillis() : undefined;
}
