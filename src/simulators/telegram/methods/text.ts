// The text or caption of a call: parse mode, entities, limits, and the words for what is wrong.
import { compact, type Message } from "../api.ts";
import { formatText } from "../entities.ts";
import type { Parameters } from "../parameters.ts";
import { badRequest } from "../refusal.ts";

/** UTF-16 units of a message's text after parsing, and UTF-8 bytes before. */
const TEXT_UNITS_MAX = 4_096;
const RAW_TEXT_BYTES_MAX = 32_768;
/** UTF-16 units of a caption. */
const CAPTION_UNITS_MAX = 1_024;

/** Returns text and entities of a call; `tooLong` is what a text beyond 4,096 units is refused with. */
export function readText(
  parameters: Parameters,
  tooLong: string,
): { text: string; entities: Message["entities"] | undefined } {
  const raw = parameters.text("text");
  if (raw === "") throw badRequest("message text is empty");
  if (Buffer.byteLength(raw) > RAW_TEXT_BYTES_MAX) throw badRequest("text is too long");
  const explicit = parameters.json("entities");
  if (!explicit.ok) throw badRequest("can't parse entities JSON object");
  const formatted = formatText(raw, parameters.text("parse_mode"), explicit.value);
  if (!formatted.ok) throw badRequest(formatted.error.description);
  const { text, entities } = formatted.value;
  if (text === "") throw badRequest("text must be non-empty");
  if (text.length > TEXT_UNITS_MAX) throw badRequest(tooLong);
  return { text, entities: entities.length === 0 ? undefined : entities };
}

/** Returns the caption of a call; `tooLong` is what one beyond 1,024 units is refused with. */
export function readCaption(
  parameters: Parameters,
  tooLong: string,
): { caption: string | undefined; caption_entities: Message["entities"] | undefined } {
  const explicit = parameters.json("caption_entities");
  if (!explicit.ok) throw badRequest("can't parse caption entities JSON object");
  const formatted = formatText(parameters.text("caption"), parameters.text("parse_mode"), explicit.value);
  if (!formatted.ok) throw badRequest(formatted.error.description);
  const { text, entities } = formatted.value;
  if (text.length > CAPTION_UNITS_MAX) throw badRequest(tooLong);
  return {
    caption: text === "" ? undefined : text,
    caption_entities: entities.length === 0 ? undefined : entities,
  };
}

/** Returns how a caption and its picture are shown. */
export function captionLooks(parameters: Parameters): Pick<Message, "show_caption_above_media" | "has_media_spoiler"> {
  return compact({
    show_caption_above_media: parameters.flag("show_caption_above_media") ? (true as const) : undefined,
    has_media_spoiler: parameters.flag("has_spoiler") ? (true as const) : undefined,
  });
}
