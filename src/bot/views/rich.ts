// Text with its emphasis as entities, so that nothing from outside can break the markup and nothing needs escaping.
// Offsets count UTF-16 units, as the Bot API does.

/** Is an emphasised stretch of a text. */
type Entity = { readonly type: "bold" | "code" | "pre"; readonly offset: number; readonly length: number };

/** Is a text with its emphasis. */
export type Rich = { readonly text: string; readonly entities: readonly Entity[] };

/** The Bot API's limits, in UTF-16 units after parsing. */
export const TEXT_UNITS_MAX = 4_096;
/** Is the limit of a picture's caption. */
export const CAPTION_UNITS_MAX = 1_024;
/** Is how many entities a message may have. */
export const ENTITIES_MAX = 100;

/** Returns the parts as one text. */
export function rich(...parts: readonly (string | Rich)[]): Rich {
  let text = "";
  const entities: Entity[] = [];
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else {
      entities.push(...part.entities.map((entity) => ({ ...entity, offset: entity.offset + text.length })));
      text += part.text;
    }
  }
  return { text, entities };
}

/** Returns an emphasised text. */
export const bold = (text: string): Rich => marked(text, "bold");
/** Returns a text in letters of one width, copied at a tap. */
export const code = (text: string): Rich => marked(text, "code");

/** Returns the lines one below the other; null lines are left out. */
export function lines(...all: readonly (string | Rich | null)[]): Rich {
  const kept = all.filter((line) => line !== null);
  return rich(...kept.flatMap((line, index) => (index === 0 ? [line] : ["\n", line])));
}

/** Returns the text cut to the limits at a line's end, with "…" where something is missing; no entity is cut in two. */
export function clip(whole: Rich, unitsMax: number = TEXT_UNITS_MAX): Rich {
  const entities = whole.entities.filter((entity) => entity.length > 0).slice(0, ENTITIES_MAX);
  if (whole.text.length <= unitsMax) return { text: whole.text, entities };
  const room = unitsMax - 2;
  const lineEnd = whole.text.lastIndexOf("\n", room);
  // A single long line is cut where it is full, but not between the halves of a surrogate pair.
  const isPair = /[\uD800-\uDBFF]/.test(whole.text.charAt(room - 1));
  const end = lineEnd > room / 2 ? lineEnd : isPair ? room - 1 : room;
  return {
    text: `${whole.text.slice(0, end)}\n…`,
    entities: entities
      .filter((entity) => entity.offset < end)
      .map((entity) => ({ ...entity, length: Math.min(entity.length, end - entity.offset) })),
  };
}

function marked(text: string, type: Entity["type"]): Rich {
  return { text, entities: text === "" ? [] : [{ type, offset: 0, length: text.length }] };
}
