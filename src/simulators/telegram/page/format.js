// Turns a text and its entities into DOM nodes. Everything a bot sends enters the page as text nodes; links only with the
// schemes below. Entities may nest and even overlap: an overlap is cut at the outer one's end.

const LINK_SCHEMES = ["http:", "https:", "tg:", "mailto:"];

/**
 * Returns the nodes of a formatted text.
 * @param {string} text
 * @param {readonly {type: string, offset: number, length: number, url?: string, language?: string, unix_time?: number}[]} entities offsets in UTF-16 units
 * @param {{ onCommand: (command: string) => void, onCopy: (text: string) => void }} acts
 */
export function formatted(text, entities, acts) {
  const fragment = document.createDocumentFragment();
  append(fragment, text, 0, text.length, sorted(entities), acts);
  return fragment;
}

function sorted(entities) {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
}

function append(parent, text, start, end, entities, acts) {
  let at = start;
  let rest = entities;
  while (rest.length > 0) {
    const [outer, ...others] = rest;
    const from = Math.max(at, outer.offset);
    const to = Math.min(end, outer.offset + outer.length);
    if (from >= to) {
      rest = others;
      continue;
    }
    if (from > at) parent.append(text.slice(at, from));
    const inside = [];
    const after = [];
    for (const entity of others) {
      const entityEnd = entity.offset + entity.length;
      if (entity.offset < to) inside.push(entity);
      if (entityEnd > to) {
        const offset = Math.max(to, entity.offset);
        after.push({ ...entity, offset, length: entityEnd - offset });
      }
    }
    const element = elementOf(outer, text.slice(from, to), acts);
    append(element, text, from, to, inside, acts);
    parent.append(element);
    // The line end after a block is made by the block itself.
    const isBlock = element.tagName === "PRE" || element.tagName === "BLOCKQUOTE";
    at = isBlock && text[to] === "\n" ? to + 1 : to;
    rest = sorted(after);
  }
  if (at < end) parent.append(text.slice(at, end));
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s" };

function elementOf(entity, content, acts) {
  const tag = TAGS[entity.type];
  if (tag !== undefined) return document.createElement(tag);
  switch (entity.type) {
    case "code":
    case "pre": {
      const element = document.createElement(entity.type);
      if (entity.language) element.dataset.language = entity.language;
      element.title = "Copy";
      element.addEventListener("click", () => acts.onCopy(content));
      return element;
    }
    case "spoiler":
      return opening("span", "spoiler", "Show the hidden text");
    case "expandable_blockquote":
      return opening("blockquote", "expandable", "Show the whole quote");
    case "blockquote":
      return document.createElement("blockquote");
    case "text_link":
      return link(entity.url ?? "");
    case "url":
      return link(/^[a-z][a-z0-9+.-]*:/i.test(content) ? content : `https://${content}`);
    case "email":
      return link(`mailto:${content}`);
    case "bot_command": {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "command";
      button.addEventListener("click", () => acts.onCommand(content));
      return button;
    }
    case "date_time": {
      const time = document.createElement("time");
      const date = new Date((entity.unix_time ?? 0) * 1_000);
      time.dateTime = date.toISOString();
      time.title = date.toLocaleString();
      return time;
    }
    default:
      return document.createElement("span");
  }
}

function link(address) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !LINK_SCHEMES.includes(url.protocol)) return document.createElement("span");
  const anchor = document.createElement("a");
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  return anchor;
}

function opening(tag, className, label) {
  const element = document.createElement(tag);
  element.className = className;
  element.tabIndex = 0;
  element.setAttribute("role", "button");
  element.setAttribute("aria-label", label);
  const open = () => {
    element.classList.add("open");
    element.removeAttribute("aria-label");
    element.removeAttribute("role");
    element.tabIndex = -1;
  };
  element.addEventListener("click", open);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") open();
  });
  return element;
}
