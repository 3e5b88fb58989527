// Texts with a parse mode or with entities: what a message holds of them, and the words for what is wrong.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entity } from "../../../src/simulators/telegram/api.ts";
import { ENTITIES_MAX, formatText } from "../../../src/simulators/telegram/entities.ts";

const entity = (type: string, offset: number, length: number, more: Partial<Entity> = {}): Entity => ({
  type,
  offset,
  length,
  ...more,
});

type Row = [source: string, text: string, entities: Entity[]];

const HTML: Row[] = [
  ["<b>bold</b>", "bold", [entity("bold", 0, 4)]],
  ["<STRONG>b</STRONG> <em>i</em>", "b i", [entity("bold", 0, 1), entity("italic", 2, 1)]],
  [
    "<ins>u</ins><del>s</del><strike>t</strike>",
    "ust",
    [entity("underline", 0, 1), entity("strikethrough", 1, 1), entity("strikethrough", 2, 1)],
  ],
  ["🟢 <b>on</b>", "🟢 on", [entity("bold", 3, 2)]],
  ["<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]],
  ["&lt;&gt;&amp;&quot;&#8722;&#x2212;&nbsp;", '<>&"−−&nbsp;', []],
  [
    '<a href="https://example.com/x?a=1&amp;b=2">link</a>',
    "link",
    [entity("text_link", 0, 4, { url: "https://example.com/x?a=1&b=2" })],
  ],
  ["<a href='example.com'>x</a>", "x", [entity("text_link", 0, 1, { url: "http://example.com/" })]],
  ['<a href="http://localhost">x</a>', "x", []],
  [
    '<a href="tg://user?id=42">Ben</a>',
    "Ben",
    [entity("text_mention", 0, 3, { user: { id: 42, is_bot: false, first_name: "User 42" } })],
  ],
  ["<code>a &lt; b</code>", "a < b", [entity("code", 0, 5)]],
  ["<pre>x\ny</pre>", "x\ny", [entity("pre", 0, 3)]],
  ['<pre><code class="language-ts">x</code></pre>', "x", [entity("pre", 0, 1, { language: "ts" })]],
  ['<code class="language-ts">x</code>', "x", [entity("code", 0, 1)]],
  [
    '<tg-spoiler>s</tg-spoiler><span class="tg-spoiler">t</span>',
    "st",
    [entity("spoiler", 0, 1), entity("spoiler", 1, 1)],
  ],
  ["<blockquote>q</blockquote>", "q", [entity("blockquote", 0, 1)]],
  ["<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]],
  ["<b></b>x", "x", []],
  ["  <b> x </b>  ", " x", [entity("bold", 0, 2)]],
];

const MARKDOWN: Row[] = [
  ["*bold* _italic_ `code`", "bold italic code", [entity("bold", 0, 4), entity("italic", 5, 6), entity("code", 12, 4)]],
  ["\\*not\\*", "*not*", []],
  ["```\nx\n```", "x", [entity("pre", 0, 1)]],
  ["```ts\nx```", "x", [entity("pre", 0, 1, { language: "ts" })]],
  ["[a](https://example.com/)", "a", [entity("text_link", 0, 1, { url: "https://example.com/" })]],
  ["plain. with! marks-", "plain. with! marks-", []],
];

const MARKDOWN_V2: Row[] = [
  [
    "*b* _i_ __u__ ~s~ ||p||",
    "b i u s p",
    [
      entity("bold", 0, 1),
      entity("italic", 2, 1),
      entity("underline", 4, 1),
      entity("strikethrough", 6, 1),
      entity("spoiler", 8, 1),
    ],
  ],
  ["*b _i_*", "b i", [entity("bold", 0, 3), entity("italic", 2, 1)]],
  ["1\\.5 \\- x\\!", "1.5 - x!", []],
  ["`a*b`", "a*b", [entity("code", 0, 3)]],
  ["```ts\na.b\n```", "a.b", [entity("pre", 0, 3, { language: "ts" })]],
  ["[a](https://example.com/\\))", "a", [entity("text_link", 0, 1, { url: "https://example.com/)" })]],
  [">q\n>r", "q\nr", [entity("blockquote", 0, 3)]],
  ["🟢 *on*", "🟢 on", [entity("bold", 3, 2)]],
];

describe.each([
  ["HTML", HTML],
  ["Markdown", MARKDOWN],
  ["MarkdownV2", MARKDOWN_V2],
] as const)("parse_mode %s", (mode, rows) => {
  test.each(rows)("reads %j", (source, text, entities) => {
    expect(formatText(source, mode, undefined)).toEqual({ ok: true, value: { text, entities } });
  });

  test("is known in any case", () => {
    expect(formatText("x", mode.toUpperCase(), undefined).ok).toBe(true);
  });
});

test.each([
  ["HTML", "<x>", 'Unsupported start tag "x" at byte offset 0'],
  ["HTML", "−<br/>", 'Unsupported start tag "br/" at byte offset 3'],
  ["HTML", "<b>x", `Can't find end tag corresponding to start tag "b"`],
  ["HTML", "🏟 🏟&lt;<i>a</em>", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'],
  ["HTML", "abcd</b>", "Unexpected end tag at byte offset 4"],
  ["HTML", "<b", "Unclosed start tag at byte offset 0"],
  ["HTML", '<a href="x', "Unclosed start tag at byte offset 0"],
  ["HTML", "<i>a</i   ", "Unclosed end tag at byte offset 4"],
  ["HTML", '<span class="x">a</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
  ["Markdown", "−−abc_x", "Can't find end of the entity starting at byte offset 9"],
  ["MarkdownV2", "1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"],
  ["MarkdownV2", "a > b", "Character '>' is reserved and must be escaped with the preceding '\\'"],
  ["MarkdownV2", "*x", "Can't find end of Bold entity at byte offset 0"],
  ["MarkdownV2", "−[x](y", "Can't find end of a URL at byte offset 7"],
])("parse_mode %s says what is wrong with %j", (mode, source, wrong) => {
  expect(formatText(source, mode, undefined)).toEqual({
    ok: false,
    error: { description: `can't parse entities: ${wrong}` },
  });
});

test.each<[text: string, entities: Entity[]]>([
  ["/start", [entity("bot_command", 0, 6)]],
  ["/pause@some_bot 30m", [entity("bot_command", 0, 15)]],
  ["see /status, please", [entity("bot_command", 4, 7)]],
  ["a/b and 1/2", []],
  ["https://example.com/a.", [entity("url", 0, 21)]],
  ["at example.com/x now", [entity("url", 3, 13)]],
  ["5,012.25 and 3.5", []],
  ["@anna_b hi", [entity("mention", 0, 7)]],
  ["mail a.b@example.com", [entity("email", 5, 15)]],
  ["#mes #1838", [entity("hashtag", 0, 4)]],
  ["$MES $22.61", [entity("cashtag", 0, 4)]],
  ["call +1 312 555 0100", [entity("phone_number", 5, 15)]],
])("finds by itself what is in %j", (text, entities) => {
  expect(formatText(text, "", undefined)).toEqual({ ok: true, value: { text, entities } });
});

test("nothing is looked for inside code", () => {
  expect(formatText("<code>/start</code>", "HTML", undefined)).toMatchObject({
    value: { entities: [entity("code", 0, 6)] },
  });
});

test("explicit entities are kept, moved by trimming, cut at the end, and dropped where they hold only space", () => {
  const explicit = [entity("bold", 2, 4), entity("italic", 4, 99), entity("underline", 3, 1), entity("nonsense", 0, 3)];

  const formatted = formatText("  a bc  ", "", explicit);

  expect(formatted).toMatchObject({
    value: { text: "a bc", entities: [entity("bold", 0, 4), entity("italic", 2, 2)] },
  });
});

test(`at most ${ENTITIES_MAX} entities are kept`, () => {
  const formatted = formatText("<b>x</b> ".repeat(ENTITIES_MAX + 5), "HTML", undefined);

  expect(formatted.ok && formatted.value.entities.length).toBe(ENTITIES_MAX);
});

test("an unknown parse mode is refused", () => {
  expect(formatText("x", "BBCode", undefined)).toEqual({ ok: false, error: { description: "unsupported parse_mode" } });
});

const line = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .map((text) => text.replace(/[\p{C}\s]/gu, "x"));
const escapeHtml = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const escapeV2 = (text: string): string => text.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, "\\$&");

test("what is escaped and made bold comes back as it was, as one bold entity over it", () => {
  fc.assert(
    fc.property(line, (text) => {
      for (const [mode, source] of [
        ["HTML", `<b>${escapeHtml(text)}</b>`],
        ["MarkdownV2", `*${escapeV2(text)}*`],
      ] as const) {
        const formatted = formatText(source, mode, undefined);
        expect(formatted.ok && formatted.value.text).toBe(text);
        expect(formatted.ok && formatted.value.entities.filter(({ type }) => type === "bold")).toEqual([
          entity("bold", 0, text.length),
        ]);
      }
    }),
  );
});

test("whatever is sent, entities lie inside the text and in order, or the refusal says why", () => {
  const pieces = fc.constantFrom(
    "<b>",
    "</b>",
    "*",
    "_",
    "__",
    "`",
    "```",
    "[a](b.com)",
    "||",
    ">",
    "\n",
    "&lt;",
    "/x",
    "🟢",
    " ",
    "a",
    "\\",
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 25 }),
      fc.constantFrom("HTML", "Markdown", "MarkdownV2", ""),
      (parts, mode) => {
        const formatted = formatText(parts.join(""), mode, undefined);
        if (!formatted.ok) {
          expect(formatted.error.description).toMatch(/^can't parse entities: ./);
          return;
        }
        let before = 0;
        for (const { offset, length } of formatted.value.entities) {
          expect(offset).toBeGreaterThanOrEqual(before);
          expect(length).toBeGreaterThan(0);
          expect(offset + length).toBeLessThanOrEqual(formatted.value.text.length);
          before = offset;
        }
      },
    ),
    { numRuns: 500 },
  );
});
