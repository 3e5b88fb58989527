// reply_markup: reads and checks the four kinds of keyboards as the real server does, with its words for what is wrong.
import { compact, type InlineButton, type InlineKeyboard, type ReplyKeyboard } from "./api.ts";
import { checkedLink } from "./links.ts";
import { isRecord, type Parameters } from "./parameters.ts";
import { badRequest } from "./refusal.ts";

/** Is what a message may bring for the user to press. */
export type Markup =
  | { type: "none" }
  | { type: "inline"; keyboard: InlineKeyboard }
  | { type: "reply"; keyboard: ReplyKeyboard }
  | { type: "remove" }
  | { type: "force_reply"; placeholder: string };

/** Bytes of UTF-8 in a button's callback_data. */
const CALLBACK_DATA_BYTES_MAX = 64;
/** Buttons of one keyboard, and bytes of its JSON: beyond, Telegram says "reply markup is too long". */
const INLINE_BUTTONS_MAX = 100;
const REPLY_BUTTONS_MAX = 300;
const MARKUP_BYTES_MAX = 10_240;

/** Actions other than callback_data, url and web_app that make a button valid; they are passed through as they are. */
const OTHER_ACTIONS = [
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
];

/** Returns the keyboard of a call; throws the refusal for one that Telegram would not take. */
export function readMarkup(parameters: Parameters): Markup {
  const parsed = parameters.json("reply_markup");
  if (!parsed.ok) throw badRequest("can't parse reply keyboard markup JSON object");
  if (parsed.value === undefined) return { type: "none" };
  if (!isRecord(parsed.value)) throw badRequest("object expected as reply markup");
  const markup = parsed.value;
  if (Array.isArray(markup["inline_keyboard"])) return readInline(markup["inline_keyboard"]);
  if (Array.isArray(markup["keyboard"])) return readReply(markup, markup["keyboard"]);
  if (markup["remove_keyboard"] === true) return { type: "remove" };
  if (markup["force_reply"] === true) {
    return { type: "force_reply", placeholder: String(markup["input_field_placeholder"] ?? "") };
  }
  return { type: "none" };
}

/** Returns the inline keyboard of a call that edits a message, where any other kind is refused. */
export function readInlineMarkup(parameters: Parameters): InlineKeyboard | undefined {
  const markup = readMarkup(parameters);
  if (markup.type === "none") return undefined;
  if (markup.type !== "inline") throw badRequest("inline keyboard expected");
  return markup.keyboard.inline_keyboard.length === 0 ? undefined : markup.keyboard;
}

function readInline(rows: unknown[]): Markup {
  const keyboard = readRows(rows, "inline keyboard", readInlineButton);
  checkSize(keyboard, INLINE_BUTTONS_MAX);
  return { type: "inline", keyboard: { inline_keyboard: keyboard } };
}

function readInlineButton(button: unknown): InlineButton {
  const fail = (detail: string) => badRequest(`can't parse inline keyboard button: ${detail}`);
  if (!isRecord(button)) throw fail("InlineKeyboardButton must be an Object");
  const text = button["text"];
  if (typeof text !== "string") throw fail(`Can't find field "text"`);
  if (text.trim() === "") throw fail("Text buttons are unallowed in the inline keyboard");
  const data = button["callback_data"];
  if (data !== undefined) {
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : 0;
    if (typeof data !== "string" || bytes === 0 || bytes > CALLBACK_DATA_BYTES_MAX) {
      throw badRequest("BUTTON_DATA_INVALID");
    }
    return { text, ...passed(button), callback_data: data };
  }
  if (button["url"] !== undefined && button["url"] !== "") {
    const url = checkedLink(String(button["url"]));
    if (url === undefined) throw badRequest("BUTTON_URL_INVALID");
    return { text, ...passed(button), url };
  }
  if (isRecord(button["web_app"])) {
    const url = String(button["web_app"]["url"] ?? "");
    if (!url.startsWith("https://")) {
      throw badRequest(`inline keyboard button Web App URL '${url}' is invalid: Only HTTPS links are allowed`);
    }
    return { text, ...passed(button), web_app: { url } };
  }
  const action = OTHER_ACTIONS.find((name) => button[name] !== undefined);
  if (action === undefined) throw fail("Text buttons are unallowed in the inline keyboard");
  return { text, ...passed(button), [action]: button[action] };
}

/** Returns the looks of a button, which are kept as they come. */
function passed(button: Record<string, unknown>): Record<string, unknown> {
  return compact({ style: button["style"], icon_custom_emoji_id: button["icon_custom_emoji_id"] });
}

function readReply(markup: Record<string, unknown>, rows: unknown[]): Markup {
  const keyboard = readRows(rows, "keyboard", readReplyButton);
  checkSize(keyboard, REPLY_BUTTONS_MAX);
  const placeholder = markup["input_field_placeholder"];
  const isSet = (name: string): true | undefined => (markup[name] === true ? true : undefined);
  return {
    type: "reply",
    keyboard: compact({
      keyboard,
      resize_keyboard: isSet("resize_keyboard"),
      one_time_keyboard: isSet("one_time_keyboard"),
      is_persistent: isSet("is_persistent"),
      selective: isSet("selective"),
      input_field_placeholder: typeof placeholder === "string" && placeholder !== "" ? placeholder : undefined,
    }),
  };
}

function readReplyButton(button: unknown): { text: string } & Record<string, unknown> {
  if (typeof button === "string" && button.trim() !== "") return { text: button };
  if (isRecord(button) && typeof button["text"] === "string" && button["text"].trim() !== "") {
    return { ...button, text: button["text"] };
  }
  throw badRequest(`can't parse keyboard button: Can't find field "text"`);
}

function readRows<T>(rows: unknown[], what: string, read: (button: unknown) => T): T[][] {
  const result: T[][] = [];
  for (const row of rows) {
    if (!Array.isArray(row)) throw badRequest(`field "${what.replace(" ", "_")}" must be an Array of Arrays`);
    const buttons = row.map(read);
    if (buttons.length > 0) result.push(buttons);
  }
  return result;
}

function checkSize(rows: readonly (readonly unknown[])[], buttonsMax: number): void {
  const buttons = rows.reduce((sum, row) => sum + row.length, 0);
  if (buttons > buttonsMax || Buffer.byteLength(JSON.stringify(rows)) > MARKUP_BYTES_MAX) {
    throw badRequest("reply markup is too long");
  }
}
