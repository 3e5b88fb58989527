// The list of messages: drawn once, then only what changed; scrolling, the unread marker, the picture viewer.
import { formatted } from "./format.js";

const $ = (id) => document.getElementById(id);
const log = $("log");
const scroll = $("scroll");
const toBottom = $("to-bottom");

/** A view this close to its end stays at the end when something is added. */
const AT_BOTTOM_PX = 60;

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "long" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/**
 * Returns the list of one chat.
 * @param {{ key: string, onPress: (messageId: number, button: any) => void, onCommand: (text: string) => void,
 *   onCopy: (text: string) => void, isWaiting: (messageId: number, data: string) => boolean }} acts `key` names the chat in the browser's memory
 */
export function createMessages(acts) {
  const drawn = new Map();
  let isFirst = true;
  let messages = [];
  let unreadFrom;
  let readUpTo = Number(localStorage.getItem(acts.key) ?? 0);
  log.replaceChildren();

  const isAtBottom = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_BOTTOM_PX;
  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
  };
  const isRead = () => document.visibilityState === "visible" && isAtBottom();

  const markRead = () => {
    readUpTo = Math.max(readUpTo, messages.at(-1)?.message_id ?? 0);
    localStorage.setItem(acts.key, String(readUpTo));
    showUnread();
  };

  const showUnread = () => {
    const unread = messages.filter((message) => message.from_bot && message.message_id > readUpTo).length;
    toBottom.hidden = isAtBottom();
    $("new-count").hidden = unread === 0;
    $("new-count").textContent = String(unread);
    const news = unread === 1 ? "1 new message, go to it" : `${unread} new messages, go to them`;
    toBottom.setAttribute("aria-label", unread === 0 ? "Go to the newest message" : news);
    acts.onUnread(document.visibilityState === "visible" ? 0 : unread);
  };

  const onScroll = () => {
    if (isRead()) markRead();
    else toBottom.hidden = isAtBottom();
  };
  const onVisible = () => {
    if (isRead()) markRead();
  };
  // The list's own height changes when the keyboard opens or a picture comes in.
  let wasAtBottom = true;
  const sizes = new ResizeObserver(() => {
    if (wasAtBottom) toEnd();
  });
  const remember = () => {
    wasAtBottom = isAtBottom();
  };
  scroll.addEventListener("scroll", onScroll, { passive: true });
  scroll.addEventListener("scroll", remember, { passive: true });
  document.addEventListener("visibilitychange", onVisible);
  toBottom.onclick = () => {
    scroll.scrollTo({ top: scroll.scrollHeight, behavior: "smooth" });
  };
  sizes.observe(scroll);
  sizes.observe(log);

  const show = (view) => {
    const stick = isFirst || isAtBottom();
    const newest = messages.at(-1)?.message_id ?? 0;
    messages = view.messages;
    // A chat begun anew counts from one again.
    readUpTo = Math.min(readUpTo, messages.at(-1)?.message_id ?? 0);
    // The marker stands before what came since the reader last saw everything.
    if (isFirst || (readUpTo >= newest && !isRead())) {
      const known = isFirst ? readUpTo : newest;
      const first = messages.find((message) => message.from_bot && message.message_id > known && known > 0);
      unreadFrom = first?.message_id ?? unreadFrom;
    }
    const sentByMe = messages.some((message) => message.message_id > newest && !message.from_bot);
    if (sentByMe && !isFirst) unreadFrom = undefined;
    draw(view);
    const marker = log.querySelector(".unread");
    if (isFirst && marker !== null) marker.scrollIntoView({ block: "center" });
    else if (stick || sentByMe) toEnd();
    isFirst = false;
    if (isRead()) markRead();
    else showUnread();
    remember();
  };

  const draw = (view) => {
    const present = new Set();
    const rows = [];
    let shownDay = "";
    messages.forEach((message, index) => {
      const dayText = day.format(message.date * 1_000);
      const isNewDay = dayText !== shownDay;
      if (isNewDay) rows.push(separator(`day ${message.message_id}`, "day", dayText));
      shownDay = dayText;
      if (message.message_id === unreadFrom) rows.push(separator("unread", "unread", "Unread messages"));
      const before = isNewDay ? undefined : messages[index - 1];
      rows.push(row(view, message, before, messages[index + 1]));
    });
    for (const element of rows) present.add(element.dataset.key);
    for (const [key, { element }] of drawn) {
      if (present.has(key)) continue;
      element.remove();
      drawn.delete(key);
    }
    rows.forEach((element, index) => {
      if (log.children[index] !== element) log.insertBefore(element, log.children[index] ?? null);
    });
  };

  const separator = (key, className, text) => {
    const known = drawn.get(key);
    if (known?.version === text) return known.element;
    const element = make("li", className, text);
    element.dataset.key = key;
    known?.element.remove();
    drawn.set(key, { version: text, element });
    return element;
  };

  const row = (view, message, before, after) => {
    const key = `message ${message.message_id}`;
    const isFirstOf = before?.from.id !== message.from.id || before.service !== undefined;
    const isLastOf = after?.from.id !== message.from.id || after.service !== undefined;
    const waits = (message.reply_markup?.inline_keyboard ?? [])
      .flat()
      .filter((button) => acts.isWaiting(message.message_id, button.callback_data));
    const album = message.media_group_id;
    const isJoinedBefore = album !== undefined && before?.media_group_id === album;
    const isJoinedAfter = album !== undefined && after?.media_group_id === album;
    const version = [
      message.seq,
      message.pinned,
      isJoinedBefore,
      isJoinedAfter,
      isFirstOf,
      isLastOf,
      waits.map((button) => button.callback_data),
    ].join();
    const known = drawn.get(key);
    if (known?.version === version) return known.element;
    const element = known?.element ?? document.createElement("li");
    const focused = element.contains(document.activeElement) ? document.activeElement?.textContent : undefined;
    element.dataset.key = key;
    element.id = `m${message.message_id}`;
    fill(element, view, message, isFirstOf, isLastOf);
    // The parts of an album are one bubble to the eye.
    element.classList.toggle("joined-before", isJoinedBefore);
    element.classList.toggle("joined-after", isJoinedAfter);
    // A button that had the keyboard's focus keeps it when its message is drawn anew.
    if (focused) [...element.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
    drawn.set(key, { version, element });
    return element;
  };

  const fill = (element, view, message, isFirstOf, isLastOf) => {
    if (message.service !== undefined) {
      element.className = "service";
      element.replaceChildren(message.service);
      return;
    }
    const isOwn = message.from.id === view.user.id;
    const keys = message.reply_markup?.inline_keyboard ?? [];
    element.className = "message";
    element.classList.toggle("own", isOwn);
    element.classList.toggle("first", isFirstOf);
    element.classList.toggle("last", isLastOf && keys.length === 0);
    element.classList.toggle("has-photo", message.photo !== undefined);
    element.classList.toggle("has-keys", keys.length > 0);
    const bubble = make("div", "bubble");
    if (view.chat.type !== "private" && !isOwn && isFirstOf) bubble.append(make("div", "sender", message.from.name));
    if (message.reply_to !== undefined) bubble.append(replyQuote(message.reply_to));
    const words = message.text ?? message.caption;
    const wordsElement = words === undefined ? undefined : make("div", "words");
    wordsElement?.append(formatted(words, message.entities ?? message.caption_entities ?? [], acts));
    if (wordsElement !== undefined && message.caption_above) bubble.append(wordsElement);
    if (message.photo !== undefined) bubble.append(photo(message));
    if (message.document !== undefined) bubble.append(documentLink(message.document));
    if (wordsElement !== undefined && !message.caption_above) bubble.append(wordsElement);
    (wordsElement ?? bubble).append(meta(message));
    element.replaceChildren(bubble);
    if (keys.length > 0) element.append(inlineKeys(message, keys));
  };

  const replyQuote = ({ message_id, name, text }) => {
    const quote = make("button", "reply");
    quote.type = "button";
    quote.append(make("strong", "", name), make("span", "", text));
    quote.addEventListener("click", () => goTo(message_id));
    return quote;
  };

  const inlineKeys = (message, rows) => {
    const keys = make("div", "keys");
    for (const buttons of rows) {
      const line = document.createElement("div");
      for (const button of buttons) line.append(inlineKey(message, button));
      keys.append(line);
    }
    return keys;
  };

  const inlineKey = (message, button) => {
    const address = button.url ?? button.web_app?.url;
    if (address !== undefined) {
      const anchor = make("a", "", button.text);
      if (URL.canParse(address) && ["http:", "https:", "tg:"].includes(new URL(address).protocol))
        anchor.href = address;
      anchor.target = "_blank";
      anchor.rel = "noopener noreferrer";
      return anchor;
    }
    const key = make("button", "", button.text);
    key.type = "button";
    const isBusy = button.callback_data !== undefined && acts.isWaiting(message.message_id, button.callback_data);
    key.setAttribute("aria-busy", String(isBusy));
    key.addEventListener("click", () => {
      if (button.copy_text !== undefined) acts.onCopy(button.copy_text.text);
      else acts.onPress(message.message_id, button);
    });
    return key;
  };

  const goTo = (messageId) => {
    const target = $(`m${messageId}`);
    if (target === null) return;
    target.scrollIntoView({ block: "center", behavior: "smooth" });
    target.classList.remove("flash");
    requestAnimationFrame(() => target.classList.add("flash"));
  };

  return {
    show,
    goTo,
    toEnd,
    stop: () => {
      scroll.removeEventListener("scroll", onScroll);
      scroll.removeEventListener("scroll", remember);
      document.removeEventListener("visibilitychange", onVisible);
      sizes.disconnect();
    },
  };
}

function meta(message) {
  const element = make("span", "meta");
  if (message.pinned) element.append(sign(PIN, "Pinned"));
  if (message.silent && message.from_bot) element.append(sign(MUTED, "Sent without sound"));
  if (message.edited) element.append(make("span", "", "edited"));
  const stamp = make("time", "", time.format(message.date * 1_000));
  stamp.dateTime = new Date(message.date * 1_000).toISOString();
  stamp.title = moment.format(message.date * 1_000);
  element.append(stamp);
  return element;
}

const PIN = "M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v6";
const MUTED = "M6 16V11a6 6 0 0 1 9-5.2M18 11v5l1 1H9M10 20h4M4 4l16 16";

function sign(path, label) {
  const element = make("span", "sign");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  element.title = label;
  element.append(drawing(path));
  return element;
}

function drawing(shape) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape);
  icon.append(path);
  return icon;
}

function photo(message) {
  const { url, width, height } = message.photo;
  const button = make("button", "photo");
  button.type = "button";
  button.classList.toggle("hidden-picture", message.spoiler === true);
  const image = document.createElement("img");
  image.src = url;
  image.width = width;
  image.height = height;
  image.alt = message.caption ?? "Picture";
  button.setAttribute("aria-label", `Open the picture: ${image.alt}`);
  button.append(image);
  button.addEventListener("click", () => {
    if (button.classList.contains("hidden-picture")) button.classList.remove("hidden-picture");
    else openViewer(url, message.caption ?? "");
  });
  return button;
}

function documentLink({ url, name, bytes }) {
  const anchor = make("a", "document");
  anchor.href = `${url}?download=1`;
  anchor.download = name;
  const words = document.createElement("span");
  words.append(make("strong", "", name), make("span", "", sizeText(bytes)));
  anchor.append(drawing("M12 4v11M7 11l5 5 5-5M5 20h14"), words);
  return anchor;
}

function sizeText(bytes) {
  if (bytes < 1_024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function openViewer(url, caption) {
  const image = $("viewer-image");
  image.src = url;
  image.alt = caption === "" ? "Picture" : caption;
  image.classList.remove("large");
  $("viewer-caption").textContent = caption;
  $("viewer").showModal();
}

$("viewer-image").addEventListener("click", (event) => {
  event.stopPropagation();
  $("viewer-image").classList.toggle("large");
});
$("viewer-scroll").addEventListener("click", () => $("viewer").close());
$("viewer-close").addEventListener("click", () => $("viewer").close());

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
