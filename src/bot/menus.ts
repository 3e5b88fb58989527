// The "/" menus: each listed chat sees the commands of its role, strangers see none. Compared first, written only where
// different.
import type { Api } from "grammy";
import { errorFields, type Log } from "../log.ts";
import type { Access } from "./access.ts";
import { commandsFor } from "./commands/about.ts";

/** Brings the menus up to date; a chat that the bot has not met yet is skipped. */
export async function writeMenus(api: Api, access: Access, groups: readonly number[], log: Log): Promise<void> {
  const chats = [
    ...access.users().map((user) => ({ chatId: user.id, role: user.role })),
    ...groups.map((chatId) => ({ chatId, role: "viewer" as const })),
  ];
  try {
    if ((await api.getMyCommands()).length > 0) await api.deleteMyCommands();
  } catch (thrown) {
    log.info(errorFields(thrown), "the common command menu could not be emptied");
  }
  for (const { chatId, role } of chats) {
    const wanted = commandsFor(role).map(({ name, description }) => ({ command: name, description }));
    const scope = { type: "chat", chat_id: chatId } as const;
    try {
      const present = await api.getMyCommands({ scope });
      if (
        JSON.stringify(present.map(({ command, description }) => ({ command, description }))) !== JSON.stringify(wanted)
      ) {
        await api.setMyCommands(wanted, { scope });
      }
    } catch (thrown) {
      log.info(
        { ...errorFields(thrown), chat: chatId },
        "a command menu could not be written; it is tried at the next start",
      );
    }
  }
}
