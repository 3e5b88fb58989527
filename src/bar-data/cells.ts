// Times and prices as CSV files have them, read exactly and fast: a file has millions of them.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";

/** A time before 1990 or after 2100 is a misread column. */
const TIME_MS_MIN = 631_152_000_000;
const TIME_MS_MAX = 4_102_444_800_000;
/** Prices are held in 32 bits. */
const PRICE_TICKS_MAX = 2 ** 31 - 1;

/** Is a time in milliseconds, or what is wrong with it. */
export type ReadTime = number | string;

/** Returns a reader of times: ISO 8601 with an offset, or digits since 1970 in s, ms, µs or ns; below a millisecond is cut. */
export function timeReader(): (text: string) => ReadTime {
  let lastDay = "";
  let lastDayMs = 0;
  return (text) => {
    const atMs = text.charCodeAt(4) === DASH ? iso(text) : digits(text);
    if (typeof atMs === "string" || (atMs >= TIME_MS_MIN && atMs < TIME_MS_MAX)) return atMs;
    return `"${clip(text)}" is not a time between 1990 and 2100`;
  };

  function iso(text: string): ReadTime {
    const day = text.slice(0, 10);
    if (day !== lastDay) {
      const found = dayMs(day);
      if (found === null) return notATime(text);
      lastDay = day;
      lastDayMs = found;
    }
    const hour = twoDigits(text, 11);
    const minute = twoDigits(text, 14);
    const separator = text.charCodeAt(10);
    if (
      (separator !== LETTER_T && separator !== SPACE) ||
      text.charCodeAt(13) !== COLON ||
      !(hour < 24) ||
      !(minute < 60)
    )
      return notATime(text);
    let atMs = lastDayMs + hour * HOUR_MS + minute * MINUTE_MS;
    let next = 16;
    if (text.charCodeAt(next) === COLON) {
      const second = twoDigits(text, 17);
      if (!(second < 60)) return notATime(text);
      atMs += second * SECOND_MS;
      next = 19;
    }
    if (text.charCodeAt(next) === POINT) {
      const fraction = /^\.\d{1,9}/.exec(text.slice(next))?.[0];
      if (fraction === undefined) return notATime(text);
      atMs += Number(fraction.slice(1, 4).padEnd(3, "0"));
      next += fraction.length;
    }
    const offset = text.slice(next);
    if (offset === "Z") return atMs;
    const match = /^([+-])(\d{2}):?(\d{2})$/.exec(offset);
    if (match === null) {
      return offset === ""
        ? `the time "${clip(text)}" does not say its offset: write ${clip(text)}Z for UTC`
        : notATime(text);
    }
    const aheadMs = Number(match[2]) * HOUR_MS + Number(match[3]) * MINUTE_MS;
    return match[1] === "+" ? atMs - aheadMs : atMs + aheadMs;
  }
}

/** Nanoseconds have 19 digits, more than a double holds: what is below a millisecond is cut off as text. */
function digits(text: string): ReadTime {
  if (!/^\d{9,19}$/.test(text)) return notATime(text);
  if (text.length >= 18) return Number(text.slice(0, -6));
  if (text.length >= 15) return Number(text.slice(0, -3));
  return text.length >= 12 ? Number(text) : Number(text) * SECOND_MS;
}

function dayMs(day: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (match === null) return null;
  const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || date < 1 || date > daysIn(year, month)) return null;
  // Days of the proleptic Gregorian calendar, counted from March so that the leap day is a year's last (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1;
  const days = y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
  return days * DAY_MS;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** How a price stands to the grid of ticks. `wrong` says what is the matter, empty where nothing is. */
export type ReadPrice = { priceTicks: number; isOffGrid: boolean; wrong: string };

/**
 * Returns a reader of prices above 0 for one tick size. Prices off the grid are snapped to the nearest tick [S1] and
 * marked. The answer is one object, written anew by each call: copy what you keep.
 */
export function priceReader(tick: { readonly units: number; readonly decimals: number }): (text: string) => ReadPrice {
  const answer: ReadPrice = { priceTicks: 0, isOffGrid: false, wrong: "" };
  const scale = 10 ** tick.decimals / tick.units;
  return (text) => {
    answer.wrong = "";
    const price = Number(text);
    if (!(price > 0) || !isPlainNumber(text)) {
      answer.wrong = wrongPrice(text, price);
      return answer;
    }
    const exact = price * scale;
    const priceTicks = Math.round(exact);
    answer.priceTicks = priceTicks;
    answer.isOffGrid = Math.abs(exact - priceTicks) > 1e-3;
    if (priceTicks < 1 || priceTicks > PRICE_TICKS_MAX) answer.wrong = `"${clip(text)}" is not a price`;
    return answer;
  };
}

function wrongPrice(text: string, price: number): string {
  if (text === "") return "the price is missing";
  if (price <= 0) return `"${clip(text)}" is not above 0`;
  return `"${clip(text)}" is not a price`;
}

/** Digits and at most one point: no exponent, no hexadecimal, no spaces. */
function isPlainNumber(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < DIGIT_0 || code > DIGIT_9) && code !== POINT) return false;
  }
  return text.length <= 24;
}

const DASH = 45;
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const COLON = 58;
const SPACE = 32;
const LETTER_T = 84;

/** NaN where there are no two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - DIGIT_0;
  const ones = text.charCodeAt(at + 1) - DIGIT_0;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function notATime(text: string): string {
  return text === ""
    ? "the time is missing"
    : `"${clip(text)}" is not a time such as 2024-05-07T14:00:00Z, or digits since 1970`;
}

/** Returns a cell's text, read as Latin-1, as what it was written in and short enough for a message. */
export function clip(text: string): string {
  const decoded = Buffer.from(text, "latin1").toString("utf8");
  const shown = decoded.includes("\ufffd") ? text : decoded;
  return shown.length <= 40 ? shown : `${shown.slice(0, 40)}…`;
}

/** Returns "1 field" or "2 fields". */
export function fieldsText(count: number): string {
  return count === 1 ? "1 field" : `${count} fields`;
}

/** Has this line characters that no text has: a file of bytes was taken for one of text. */
export function isNoText(line: string): boolean {
  return NO_TEXT.test(line);
}

/** All control characters but the tab and the ends of lines. */
const NO_TEXT = /[^\P{Cc}\t\n\r\u0080-\u009f]/u;
