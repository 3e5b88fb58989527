// What Telegram takes for a link: in a text, in a tag, under a button. After tdlib/td LinkManager (get_checked_link).
import type { Entity } from "./api.ts";

const PLAIN_SCHEMES = ["http:", "https:", "tg:", "ton:", "tonsite:"];

/** Returns the link in full form, or undefined when Telegram would not take it. A bare domain gets http://. */
export function checkedLink(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || /\s/.test(trimmed)) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(trimmed) ? trimmed : `http://${trimmed}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
  if (!PLAIN_SCHEMES.includes(url.protocol)) return undefined;
  // A host without a dot (localhost) is not a link to Telegram; an address is.
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  if (isWeb && !url.hostname.includes(".") && !url.hostname.startsWith("[")) return undefined;
  return isWeb && url.pathname === "/" && !full.endsWith("/") && url.search === "" && url.hash === ""
    ? `${full}/`
    : full;
}

/** Returns the entity of a link over a range: a mention for tg://user?id=, else text_link; none for a bad link. */
export function linkEntity(url: string, range: { offset: number; length: number }): Entity | undefined {
  const user = /^tg:(?:\/\/)?user\?id=(\d{1,15})$/i.exec(url.trim());
  if (user?.[1] !== undefined) {
    const id = Number(user[1]);
    return { type: "text_mention", ...range, user: { id, is_bot: false, first_name: `User ${id}` } };
  }
  const checked = checkedLink(url);
  return checked === undefined ? undefined : { type: "text_link", ...range, url: checked };
}
