// What a bot says about itself: getMe, its commands per scope and language, name, descriptions, menu button; logOut, close.
import type { BotCommand } from "../api.ts";
import { isRecord, scalarText } from "../parameters.ts";
import { badRequest } from "../refusal.ts";
import type { Account, BotTexts, Room } from "../world.ts";
import { memberStatus } from "../world.ts";
import { type Call, chatOf, type Method, roomOf } from "./call.ts";

export const COMMANDS_MAX = 100;
const COMMAND_DESCRIPTION_UNITS_MAX = 256;

export const getMe: Method = ({ account }) => ({
  result: {
    ...account.me,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  },
});

export const setMyCommands: Method = (call) => {
  const commands = readCommands(call);
  const place = readPlace(call);
  const { account } = call;
  account.commands = account.commands.filter((set) => set.scope !== place.scope || set.language !== place.language);
  if (commands.length > 0) account.commands.push({ ...place, commands });
  call.world.touch();
  return { result: true };
};

export const getMyCommands: Method = (call) => {
  const place = readPlace(call);
  return { result: commandsAt(call.account, place.scope, place.language) ?? [] };
};

export const deleteMyCommands: Method = (call) => {
  const place = readPlace(call);
  const { account } = call;
  account.commands = account.commands.filter((set) => set.scope !== place.scope || set.language !== place.language);
  call.world.touch();
  return { result: true };
};

/** Returns the commands a user sees in a chat: the narrowest scope wins, the user's language before none. */
export function commandsFor(account: Account, room: Room, userId: number, language: string): BotCommand[] {
  const chatId = room.chat.id;
  const isAdministrator = ["creator", "administrator"].includes(memberStatus(room, userId));
  const scopes =
    room.chat.type === "private"
      ? [`chat ${chatId}`, "all_private_chats", "default"]
      : [
          `chat_member ${chatId} ${userId}`,
          ...(isAdministrator ? [`chat_administrators ${chatId}`] : []),
          `chat ${chatId}`,
          ...(isAdministrator ? ["all_chat_administrators"] : []),
          "all_group_chats",
          "default",
        ];
  for (const scope of scopes) {
    const commands = commandsAt(account, scope, language) ?? commandsAt(account, scope, "");
    if (commands !== undefined) return commands;
  }
  return [];
}

function commandsAt(account: Account, scope: string, language: string): BotCommand[] | undefined {
  return account.commands.find((set) => set.scope === scope && set.language === language)?.commands;
}

function readCommands(call: Call): BotCommand[] {
  const parsed = call.parameters.json("commands");
  if (!parsed.ok) throw badRequest("can't parse commands JSON object");
  if (parsed.value === undefined) return [];
  if (!Array.isArray(parsed.value)) throw badRequest("expected an Array of BotCommand");
  if (parsed.value.length > COMMANDS_MAX) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  return parsed.value.map((item) => {
    if (!isRecord(item)) throw badRequest("can't parse BotCommand: expected an Object");
    const command = scalarText(item["command"]).trim().replace(/^\//, "");
    const description = scalarText(item["description"]).trim();
    const isDescribed = description.length > 0 && description.length <= COMMAND_DESCRIPTION_UNITS_MAX;
    if (!/^[a-z0-9_]{1,32}$/.test(command) || !isDescribed) throw badRequest("BOT_COMMAND_INVALID");
    return { command, description };
  });
}

const PLAIN_SCOPES = ["default", "all_private_chats", "all_group_chats", "all_chat_administrators"];

function readPlace(call: Call): { scope: string; language: string } {
  const language = call.parameters.text("language_code").trim().toLowerCase();
  if (language !== "" && !/^[a-z]{2}$/.test(language)) throw badRequest("invalid language code specified");
  return { scope: readScope(call), language };
}

function readScope(call: Call): string {
  const parsed = call.parameters.json("scope");
  if (!parsed.ok) throw badRequest("can't parse BotCommandScope JSON object");
  if (parsed.value === undefined) return "default";
  if (!isRecord(parsed.value)) throw badRequest("BotCommandScope must be an Object");
  const type = scalarText(parsed.value["type"]);
  if (PLAIN_SCOPES.includes(type)) return type;
  if (type !== "chat" && type !== "chat_administrators" && type !== "chat_member") {
    throw badRequest("can't parse BotCommandScope: Unsupported type specified");
  }
  const room = roomOf(call, scalarText(parsed.value["chat_id"]));
  if (type !== "chat_member") return `${type} ${room.chat.id}`;
  return `${type} ${room.chat.id} ${scalarText(parsed.value["user_id"])}`;
}

/** Returns the pair of methods that keep one text of the bot by language. */
function textMethods(part: keyof BotTexts, name: string, unitsMax: number): { set: Method; get: Method } {
  return {
    set: ({ world, account, parameters }) => {
      const text = parameters.text(name).trim();
      if (text.length > unitsMax) throw badRequest(`bot ${name.replace("_", " ")} is too long`);
      const language = parameters.text("language_code");
      if (text === "") delete account.texts[part][language];
      else account.texts[part][language] = text;
      world.touch();
      return { result: true };
    },
    get: ({ account, parameters }) => {
      const texts = account.texts[part];
      const text = texts[parameters.text("language_code")] ?? texts[""];
      return { result: { [name]: text ?? (part === "name" ? account.me.first_name : "") } };
    },
  };
}

export const botName = textMethods("name", "name", 64);
export const botDescription = textMethods("description", "description", 512);
export const botShortDescription = textMethods("short", "short_description", 120);

export const setChatMenuButton: Method = (call) => {
  const parsed = call.parameters.json("menu_button");
  if (!parsed.ok) throw badRequest("can't parse menu button JSON object");
  const button = isRecord(parsed.value) ? parsed.value : { type: "default" };
  const type = scalarText(button["type"]);
  if (!["default", "commands", "web_app"].includes(type)) throw badRequest("MenuButton has unsupported type");
  if (call.parameters.has("chat_id")) chatOf(call).menuButton = type === "default" ? null : button;
  else call.account.menuButton = type === "default" ? { type: "commands" } : button;
  call.world.touch();
  return { result: true };
};

export const getChatMenuButton: Method = (call) => ({
  result: call.parameters.has("chat_id") ? (chatOf(call).menuButton ?? { type: "default" }) : call.account.menuButton,
});

export const logOut: Method = ({ account }) => {
  account.isClosed = true;
  return { result: true };
};

export const close: Method = logOut;
