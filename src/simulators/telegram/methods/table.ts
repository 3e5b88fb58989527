// The methods by name; names are matched in any case, as the real server does.
import type { Method } from "./call.ts";
import * as chats from "./chats.ts";
import * as edit from "./edit.ts";
import { getFile } from "./media.ts";
import * as polling from "./polling.ts";
import * as profile from "./profile.ts";
import * as send from "./send.ts";

const METHODS: Readonly<Record<string, Method>> = {
  getMe: profile.getMe,
  logOut: profile.logOut,
  close: profile.close,
  getUpdates: polling.getUpdates,
  setWebhook: polling.setWebhook,
  deleteWebhook: polling.deleteWebhook,
  getWebhookInfo: polling.getWebhookInfo,
  sendMessage: send.sendMessage,
  sendPhoto: send.sendPhoto,
  sendDocument: send.sendDocument,
  sendMediaGroup: send.sendMediaGroup,
  sendChatAction: send.sendChatAction,
  editMessageText: edit.editMessageText,
  editMessageCaption: edit.editMessageCaption,
  editMessageMedia: edit.editMessageMedia,
  editMessageReplyMarkup: edit.editMessageReplyMarkup,
  deleteMessage: edit.deleteMessage,
  deleteMessages: edit.deleteMessages,
  pinChatMessage: edit.pinChatMessage,
  unpinChatMessage: edit.unpinChatMessage,
  unpinAllChatMessages: edit.unpinAllChatMessages,
  answerCallbackQuery: edit.answerCallbackQuery,
  getFile,
  setMyCommands: profile.setMyCommands,
  getMyCommands: profile.getMyCommands,
  deleteMyCommands: profile.deleteMyCommands,
  setMyName: profile.botName.set,
  getMyName: profile.botName.get,
  setMyDescription: profile.botDescription.set,
  getMyDescription: profile.botDescription.get,
  setMyShortDescription: profile.botShortDescription.set,
  getMyShortDescription: profile.botShortDescription.get,
  setChatMenuButton: profile.setChatMenuButton,
  getChatMenuButton: profile.getChatMenuButton,
  getChat: chats.getChat,
  getChatMember: chats.getChatMember,
  getChatAdministrators: chats.getChatAdministrators,
  getChatMemberCount: chats.getChatMemberCount,
  leaveChat: chats.leaveChat,
};

const BY_LOWER_CASE: ReadonlyMap<string, readonly [name: string, method: Method]> = new Map(
  Object.entries(METHODS).map(([name, method]) => [name.toLowerCase(), [name, method]]),
);

/** Are the proper names of all methods. */
export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

/** Returns a method with its proper name, or undefined for one this server doesn't know. */
export function findMethod(name: string): readonly [name: string, method: Method] | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}
