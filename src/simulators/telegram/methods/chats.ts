// getChat and who is in a chat: enough for an allow-list and for groups. Every required field of the Bot API's objects is
// there, since strict clients refuse an object without them.
import type { MemberStatus, User } from "../api.ts";
import { badRequest } from "../refusal.ts";
import { asReplied, findMessage, memberStatus, setMember } from "../world.ts";
import { chatOf, type Method, userOf } from "./call.ts";

export const getChat: Method = (call) => {
  const room = chatOf(call);
  const pinned = findMessage(room, room.pinnedIds.at(-1) ?? 0);
  return {
    result: {
      ...room.chat,
      accent_color_id: 0,
      max_reaction_count: 11,
      accepted_gift_types: {
        unlimited_gifts: false,
        limited_gifts: false,
        unique_gifts: false,
        premium_subscription: false,
        gifts_from_channels: false,
      },
      ...(room.chat.type === "private" ? {} : { permissions: MEMBER_RIGHTS }),
      ...(pinned === undefined ? {} : { pinned_message: asReplied(pinned.message) }),
    },
  };
};

export const getChatMember: Method = (call) => {
  const room = chatOf(call);
  const userId = call.parameters.integer("user_id", 0);
  if (userId <= 0) throw badRequest("invalid user_id specified");
  const user = userOf(call, userId);
  if (user === undefined) throw badRequest("member not found");
  return { result: chatMember(user, memberStatus(room, userId)) };
};

export const getChatAdministrators: Method = (call) => {
  const room = chatOf(call);
  if (room.chat.type === "private") throw badRequest("there are no administrators in the private chat");
  const administrators = room.members.filter(({ status }) => status === "creator" || status === "administrator");
  return {
    result: administrators.flatMap(({ userId, status }) => {
      const user = userOf(call, userId);
      return user === undefined ? [] : [chatMember(user, status)];
    }),
  };
};

export const getChatMemberCount: Method = (call) => ({
  result: chatOf(call).members.filter(({ status }) => status !== "left" && status !== "kicked").length,
});

export const leaveChat: Method = (call) => {
  const room = chatOf(call);
  if (room.chat.type === "private") throw badRequest("chat member status can't be changed in private chats");
  setMember(room, call.account.me.id, "left");
  call.world.touch();
  return { result: true };
};

const MEMBER_RIGHTS = {
  can_send_messages: true,
  can_send_audios: true,
  can_send_documents: true,
  can_send_photos: true,
  can_send_videos: true,
  can_send_video_notes: true,
  can_send_voice_notes: true,
  can_send_polls: true,
  can_send_other_messages: true,
  can_add_web_page_previews: true,
  can_change_info: false,
  can_invite_users: true,
  can_pin_messages: false,
  can_manage_topics: false,
};

const ADMINISTRATOR_RIGHTS = {
  can_be_edited: false,
  is_anonymous: false,
  can_manage_chat: true,
  can_delete_messages: true,
  can_manage_video_chats: false,
  can_restrict_members: false,
  can_promote_members: false,
  can_change_info: false,
  can_invite_users: true,
  can_post_stories: false,
  can_edit_stories: false,
  can_delete_stories: false,
  can_pin_messages: true,
  can_manage_topics: false,
};

/** Returns a ChatMember object of any status. */
export function chatMember(user: User, status: MemberStatus): Record<string, unknown> {
  switch (status) {
    case "creator":
      return { status, user, is_anonymous: false };
    case "administrator":
      return { status, user, ...ADMINISTRATOR_RIGHTS };
    case "kicked":
      return { status, user, until_date: 0 };
    case "member":
    case "left":
      return { status, user };
    default:
      return status satisfies never;
  }
}
