// The chat page: follows the chat of the played user and puts the parts together.
import { createComposer } from "./composer.js";
import { createMessages } from "./messages.js";
import { act, follow } from "./server.js";

const $ = (id) => document.getElementById(id);

/** A press the bot doesn't answer stops turning after this. */
const PRESS_MS_MAX = 15_000;
const TOAST_MS = 3_500;

const ACTIONS = {
  typing: "typing…",
  upload_photo: "sending a photo…",
  upload_document: "sending a file…",
  record_video: "recording a video…",
  upload_video: "sending a video…",
  choose_sticker: "choosing a sticker…",
};

/** Presses that wait for the bot, by message and data: the id of the callback query (empty until known). */
const waiting = new Map();
let who = new URLSearchParams(location.search);
let stopFollowing = () => {};
let messages;
let lastView;
let seenAlertSeq;
let hideToast;

const composer = createComposer({ onSend: (text) => attempt(() => act("message", { ...actor(), text })) });

function actor() {
  const user = Number(who.get("user") ?? 0);
  const chat = Number(who.get("chat") ?? 0);
  return { ...(user === 0 ? {} : { from: user }), ...(chat === 0 ? {} : { chat }) };
}

/** Runs an act; shows the reason when it fails. */
async function attempt(run) {
  try {
    await run();
    return true;
  } catch (cause) {
    toast(cause.message);
    return false;
  }
}

function open() {
  stopFollowing();
  messages?.stop();
  waiting.clear();
  seenAlertSeq = undefined;
  messages = createMessages({
    key: `read ${who}`,
    onPress: press,
    onCommand: (text) => void attempt(() => act("message", { ...actor(), text })),
    onCopy: copy,
    onUnread: (count) => {
      const name = lastView?.bot.name ?? "Chat";
      document.title = count === 0 ? name : `(${count}) ${name}`;
    },
    isWaiting: (messageId, data) => waiting.has(`${messageId} ${data}`),
  });
  stopFollowing = follow(who.toString(), show, showConnection);
}

function show(view) {
  lastView = view;
  $("bot-name").textContent = view.chat.type === "private" ? view.bot.name : (view.chat.title ?? "Group");
  $("avatar").textContent = initials($("bot-name").textContent);
  $("banner").textContent = view.banner;
  const action = view.typing === null ? undefined : (ACTIONS[view.typing] ?? "busy…");
  $("presence").textContent = action ?? presence(view);
  $("presence").classList.toggle("busy", action !== undefined);
  $("pinned").hidden = view.pinned === null;
  $("pinned-text").textContent = view.pinned?.text ?? "";
  $("empty").hidden = view.messages.length > 0;
  $("empty-text").textContent =
    view.bot.description || "Press Start to begin. The bot answers here, as it would in Telegram.";
  $("start").hidden = view.started && !view.blocked;
  $("start").textContent = view.blocked ? "Unblock the bot" : "Start";
  showUsers(view);
  takeAlerts(view.alerts);
  composer.show(view);
  messages.show(view);
}

function presence({ chat, blocked }) {
  if (chat.type !== "private") return blocked ? "group, the bot was removed" : "group";
  return blocked ? "blocked by you" : "bot";
}

function showConnection(isConnected) {
  $("offline").hidden = isConnected;
  if (!isConnected) {
    $("offline").textContent = "The demo server doesn't answer. Reconnecting…";
    $("presence").textContent = "waiting for the server…";
  }
}

function showUsers({ users, groups, user, chat }) {
  const options = [
    ...users.map(({ id, name, is_owner }) => ({ value: `user=${id}`, label: is_owner ? `${name} (owner)` : name })),
    ...groups.map(({ id, title }) => ({ value: `user=${user.id}&chat=${id}`, label: `${user.name} in ${title}` })),
  ];
  const current = chat.type === "private" ? `user=${user.id}` : `user=${user.id}&chat=${chat.id}`;
  const version = JSON.stringify([options, current]);
  const select = $("user");
  if (select.dataset.version === version) return;
  select.dataset.version = version;
  select.replaceChildren(
    ...options.map(({ value, label }) => new Option(label, value, value === current, value === current)),
  );
}

function press(messageId, button) {
  const key = `${messageId} ${button.callback_data}`;
  if (waiting.has(key)) return;
  waiting.set(key, "");
  redraw();
  void attempt(async () => {
    try {
      const update = await act("press", { ...actor(), message_id: messageId, data: button.callback_data });
      const id = update.callback_query?.id;
      if (id === undefined) waiting.delete(key);
      else {
        waiting.set(key, id);
        setTimeout(() => giveUp(key, id), PRESS_MS_MAX);
        takeAlerts(lastView.alerts);
      }
    } catch (cause) {
      waiting.delete(key);
      throw cause;
    } finally {
      redraw();
    }
  });
}

function giveUp(key, id) {
  if (waiting.get(key) !== id) return;
  waiting.delete(key);
  toast("The bot did not answer the button.");
  redraw();
}

/** Ends the waiting of answered presses and shows each new answer once. */
function takeAlerts(alerts) {
  for (const [key, id] of waiting) {
    if (alerts.some((alert) => alert.callback_query_id === id)) waiting.delete(key);
  }
  const isFirst = seenAlertSeq === undefined;
  const seen = seenAlertSeq ?? 0;
  seenAlertSeq = Math.max(seen, ...alerts.map((alert) => alert.seq));
  if (isFirst) return;
  for (const { text, show_alert } of alerts.filter((alert) => alert.seq > seen && alert.text !== "")) {
    if (show_alert) {
      $("alert-text").textContent = text;
      if (!$("alert").open) $("alert").showModal();
    } else toast(text);
  }
}

function redraw() {
  if (lastView !== undefined) messages.show(lastView);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch (cause) {
    console.warn("The clipboard refused:", cause);
    toast("The browser did not allow copying.");
  }
}

function toast(text) {
  clearTimeout(hideToast);
  $("toast").textContent = text;
  $("toast").hidden = false;
  hideToast = setTimeout(() => {
    $("toast").hidden = true;
  }, TOAST_MS);
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
}

$("start").addEventListener("click", () => {
  if (lastView?.blocked) void attempt(() => act("block", { ...actor(), blocked: false }));
  else void attempt(() => act("message", { ...actor(), text: "/start" }));
  composer.focus();
});
$("pinned").addEventListener("click", () => {
  if (lastView?.pinned) messages.goTo(lastView.pinned.message_id);
});
$("user").addEventListener("change", (event) => {
  who = new URLSearchParams(event.target.value);
  history.replaceState(null, "", `?${who}`);
  open();
});

open();
// On a desk one can write at once; on a phone the screen keyboard would cover the chat.
if (matchMedia("(pointer: fine)").matches) composer.focus();
