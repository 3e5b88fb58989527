"""Drives the local Bot API server with python-telegram-bot.

usage: telegram_ptb.py ROOT_URL
"""

import asyncio
import base64
import datetime
import logging
import sys
import time
import warnings

import telegram
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    MenuButtonCommands,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)
from telegram.warnings import PTBUserWarning
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from people import BROKEN, FORMATTED, People, named, png
from report import Checks, expect, same, until

TOKEN = "7100000001:AAconformance-python-telegram-bot"
BOT_ID = 7_100_000_001

checks = Checks("python-telegram-bot")
check = checks.check


async def refused(kind, wording, call):
    """Awaits a call that must be refused in these words."""
    try:
        await call
    except telegram.error.TelegramError as error:
        expect(isinstance(error, kind), f"{type(error).__name__}: {error}")
        expect(wording.lower() in str(error).lower(), f"it says: {error}")
        return error
    raise AssertionError("it was not refused")


def bot_of(root, token=TOKEN, **more):
    return Bot(token, base_url=f"{root}/bot", base_file_url=f"{root}/file/bot", **more)


def shape(entities):
    return [(str(one.type), one.offset, one.length) for one in entities or ()]


async def drain(bot):
    """Confirms every update that waits."""
    waiting = await bot.get_updates(timeout=0)
    if waiting:
        await bot.get_updates(offset=waiting[-1].update_id + 1, timeout=0)


async def polling(bot, people):
    with check("getMe"):
        me = await bot.get_me()
        same((me.id, me.is_bot), (BOT_ID, True), "id and is_bot")
        expect(me.username and me.can_join_groups is True, "username or can_join_groups is missing")
        expect(me.can_read_all_group_messages is False and me.supports_inline_queries is False, "the rights")
    with check("a command is an update with its entity, sender and chat"):
        await drain(bot)
        ben = people.new("Ben", last_name="Smith", username="ben_smith", language_code="de")
        people.say(ben, "/start now")
        (update,) = await bot.get_updates(timeout=5)
        message = update.message
        same((message.text, shape(message.entities)), ("/start now", [("bot_command", 0, 6)]), "the message")
        same((message.from_user.id, message.from_user.last_name, message.from_user.language_code), (ben, "Smith", "de"), "the sender")
        same((message.chat.id, message.chat.type, message.chat.username), (ben, "private", "ben_smith"), "the chat")
        expect(abs(message.date.timestamp() - time.time()) < 5, f"the date {message.date}")
    with check("an update comes again until an offset confirms it; ids rise by one"):
        same([one.update_id for one in await bot.get_updates(timeout=0)], [update.update_id], "the update again")
        people.say(ben, "two")
        people.say(ben, "three")
        ids = [one.update_id for one in await bot.get_updates(timeout=0)]
        same(ids, [update.update_id, update.update_id + 1, update.update_id + 2], "ids")
        same(len(await bot.get_updates(limit=1, timeout=0)), 1, "updates with limit 1")
        (last,) = await bot.get_updates(offset=-1, timeout=0)
        same(last.message.text, "three", "the last one")
        await bot.get_updates(offset=last.update_id + 1, timeout=0)
        same(await bot.get_updates(timeout=0), (), "updates after the confirmation")
    with check("a waiting poll is answered by what happens, and by nothing when its time is over"):
        poll = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.2)
        expect(not poll.done(), "it did not wait")
        people.say(ben, "wake up")
        (update,) = await poll
        same(update.message.text, "wake up", "the text")
        await bot.get_updates(offset=update.update_id + 1, timeout=0)
        begins = time.monotonic()
        same(await bot.get_updates(timeout=1), (), "updates")
        expect(time.monotonic() - begins > 0.8, "it did not wait for its time-out")
    with check("allowed_updates leaves out what was not asked for"):
        await bot.get_updates(allowed_updates=["callback_query"], timeout=0)
        people.say(ben, "unheard")
        same(await bot.get_updates(timeout=0), (), "updates")
        await bot.get_updates(allowed_updates=[], timeout=0)
        people.say(ben, "heard")
        (update,) = await bot.get_updates(timeout=0)
        same(update.message.text, "heard", "the text")
        await drain(bot)
    with check("two pollers: the one that waited is told 409"):
        other = bot_of(people.root)
        async with other:
            first = asyncio.create_task(bot.get_updates(timeout=10))
            await asyncio.sleep(0.3)
            second = asyncio.create_task(other.get_updates(timeout=2))
            await refused(Conflict, "terminated by other getUpdates request", first)
            same(await second, (), "updates of the second")
    with check("an edited message is an update of its own"):
        sent = people.say(ben, "befor")
        people.act("edit", **{"from": ben}, message_id=sent["message"]["message_id"], text="before")
        _, edit = await bot.get_updates(timeout=0)
        same((edit.edited_message.text, edit.message), ("before", None), "the edit")
        expect(edit.edited_message.edit_date, "it has no edit date")
        await drain(bot)
    with check("a webhook is refused, and there is none"):
        await refused(BadRequest, "webhook", bot.set_webhook("https://example.com/hook"))
        same((await bot.get_webhook_info()).url, "", "the webhook's url")
        same(await bot.delete_webhook(), True, "deleteWebhook")


async def formatting(bot, people):
    for mode, cases in FORMATTED.items():
        with check(f"{mode}: text and entities of {len(cases)} messages"):
            for source, text, entities in cases:
                message = await bot.send_message(people.started(), source, parse_mode=mode)
                same((message.text, shape(message.entities)), (text, entities), source)
    with check("the language of a block and the target of a link and a mention are kept"):
        chat = people.started()
        block = await bot.send_message(chat, FORMATTED["HTML"][3][0], parse_mode="HTML")
        same(block.entities[0].language, "python", "the language")
        link = await bot.send_message(chat, FORMATTED["HTML"][4][0], parse_mode="HTML")
        same(link.entities[0].url, "https://example.com/", "the link")
        mention = await bot.send_message(chat, FORMATTED["HTML"][5][0], parse_mode="HTML")
        same(mention.entities[0].user.id, 123_456_789, "the person")
    for mode, cases in BROKEN.items():
        with check(f"{mode}: what can't be parsed is refused with the place of the fault"):
            chat = people.started()
            for source, wording in cases:
                await refused(BadRequest, f"can't parse entities: {wording}", bot.send_message(chat, source, parse_mode=mode))
    with check("entities given by the caller; links, mentions and hashtags are found by themselves"):
        chat = people.started()
        sent = await bot.send_message(chat, "bold", entities=[MessageEntity("bold", 0, 4)])
        same(shape(sent.entities), [("bold", 0, 4)], "the entities")
        sent = await bot.send_message(chat, "see https://example.com/a, @somebody #news /help a@b.org")
        same(
            [kind for kind, _, _ in shape(sent.entities)],
            ["url", "mention", "hashtag", "bot_command", "email"],
            "the kinds found",
        )
    with check("a parse mode that does not exist"):
        await refused(BadRequest, "unsupported parse_mode", bot.send_message(people.started(), "a", parse_mode="Rtf"))


async def limits(bot, people):
    chat = people.started()
    with check("4,096 characters go, 4,097 are too long, none is empty"):
        same(len((await bot.send_message(chat, "x" * 4096)).text), 4096, "the length")
        await refused(BadRequest, "message is too long", bot.send_message(chat, "x" * 4097))
        await refused(BadRequest, "message text is empty", bot.send_message(chat, ""))
        await refused(BadRequest, "text must be non-empty", bot.send_message(chat, "  \n "))
    with check("1,024 characters of a caption go, 1,025 are too long"):
        picture = png(20, 20)
        same(len((await bot.send_photo(chat, picture, caption="x" * 1024)).caption), 1024, "the length")
        await refused(BadRequest, "message caption is too long", bot.send_photo(chat, picture, caption="x" * 1025))
    with check("callback data of 64 bytes goes, 65 and none are refused; so is a bad link"):
        chat = people.started()

        def under(**action):
            return InlineKeyboardMarkup([[InlineKeyboardButton("Go", **action)]])

        await bot.send_message(chat, "a", reply_markup=under(callback_data="d" * 64))
        await refused(BadRequest, "BUTTON_DATA_INVALID", bot.send_message(chat, "a", reply_markup=under(callback_data="d" * 65)))
        await refused(BadRequest, "BUTTON_URL_INVALID", bot.send_message(chat, "a", reply_markup=under(url="not a link")))
        await refused(BadRequest, "Text buttons are unallowed in the inline keyboard", bot.send_message(chat, "a", reply_markup={"inline_keyboard": [[{"text": "Go"}]]}))
    with check("more than 50 MB is 413"):
        await refused(NetworkError, "Request Entity Too Large", bot.send_document(chat, b"\0" * (53 * 1024 * 1024), write_timeout=60))
    with check("the fourth message of a second is told 429 with the true time, and goes after it"):
        chat = people.started()
        waits = 0
        for number in range(5):
            try:
                await bot.send_message(chat, str(number))
            except RetryAfter as error:
                seconds = error.retry_after
                seconds = seconds.total_seconds() if isinstance(seconds, datetime.timedelta) else seconds
                expect(0 < seconds <= 3, f"retry after {seconds}")
                waits += 1
                await asyncio.sleep(seconds)
                await bot.send_message(chat, str(number))
        expect(waits >= 1, "there was no limit")


async def keyboards(bot, people):
    chat = people.started()
    await drain(bot)
    with check("an inline keyboard: press, callback query, answer, edit in place"):
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y"), InlineKeyboardButton("No", callback_data="n")]])
        sent = await bot.send_message(chat, "Sure?", reply_markup=markup)
        same(sent.reply_markup.inline_keyboard[0][1].callback_data, "n", "the second button")
        people.press(chat, label="Yes")
        (update,) = await bot.get_updates(timeout=5)
        query = update.callback_query
        same((query.data, query.from_user.id, query.message.message_id), ("y", chat, sent.message_id), "the query")
        expect(query.chat_instance, "no chat_instance")
        same(await bot.answer_callback_query(query.id, "Done", show_alert=True), True, "the answer")
        edited = await bot.edit_message_text("Yes.", chat, sent.message_id)
        same((edited.text, edited.reply_markup), ("Yes.", None), "the edited message")
        expect(edited.edit_date, "no edit date")
        await refused(BadRequest, "message is not modified", bot.edit_message_text("Yes.", chat, sent.message_id))
        await drain(bot)
    with check("a query that is unknown or was answered can't be answered"):
        await refused(BadRequest, "query is too old and response timeout expired or query ID is invalid", bot.answer_callback_query("1"))
        await refused(BadRequest, "query is too old and response timeout expired or query ID is invalid", bot.answer_callback_query(query.id))
    with check("a reply keyboard sends its text; it is removed; a forced reply answers the message"):
        chat = people.started()
        await bot.send_message(chat, "Pick", reply_markup=ReplyKeyboardMarkup([["One", "Two"]], resize_keyboard=True))
        expect("Two" in str(people.sees(chat)), "the page does not show the keyboard")
        await bot.send_message(chat, "Gone", reply_markup=ReplyKeyboardRemove())
        await drain(bot)
        asked = await bot.send_message(chat, "Your name?", reply_markup=ForceReply(input_field_placeholder="name"))
        people.say(chat, "Ben")
        (update,) = await bot.get_updates(timeout=5)
        same(update.message.reply_to_message.message_id, asked.message_id, "what was replied to")
        await drain(bot)


async def messages(bot, people):
    chat = people.started()
    with check("a reply quotes its message; a missing one is refused, or left out if that is allowed"):
        first = await bot.send_message(chat, "first", disable_notification=True, protect_content=True)
        expect(first.has_protected_content, "it is not protected")
        reply = await bot.send_message(chat, "second", reply_parameters=ReplyParameters(first.message_id))
        same(reply.reply_to_message.text, "first", "the quoted text")
        same(reply.message_id, first.message_id + 1, "the number after it")
        await refused(BadRequest, "message to be replied not found", bot.send_message(chat, "a", reply_parameters=ReplyParameters(9_999)))
        await bot.send_message(chat, "b", reply_parameters=ReplyParameters(9_999, allow_sending_without_reply=True), link_preview_options=LinkPreviewOptions(is_disabled=True))
    with check("edit and delete: missing messages, other people's messages"):
        chat = people.started()
        await refused(BadRequest, "message to edit not found", bot.edit_message_text("a", chat, 9_999))
        await refused(BadRequest, "message to delete not found", bot.delete_message(chat, 9_999))
        theirs = people.say(chat, "mine")["message"]["message_id"]
        await refused(BadRequest, "message can't be edited", bot.edit_message_text("a", chat, theirs))
        sent = await bot.send_message(chat, "a")
        same(await bot.delete_message(chat, sent.message_id), True, "deleteMessage")
        sent = await bot.send_message(chat, "b")
        same(await bot.delete_messages(chat, [sent.message_id, 9_999]), True, "deleteMessages")
        shown = {one["message"]["message_id"] if "message" in one else one.get("message_id") for one in people.sees(chat)["messages"]}
        expect(sent.message_id not in shown, "the page still shows it")
        await refused(BadRequest, "there is no text in the message to edit", bot.edit_message_text("a", chat, (await bot.send_photo(chat, png(9, 9))).message_id))
    with check("pin, unpin and the pinned message of a chat"):
        chat = people.started()
        sent = await bot.send_message(chat, "pin me")
        same(await bot.pin_chat_message(chat, sent.message_id), True, "pinChatMessage")
        same((await bot.get_chat(chat)).pinned_message.message_id, sent.message_id, "the pinned message")
        same(await bot.unpin_chat_message(chat, sent.message_id), True, "unpinChatMessage")
        same((await bot.get_chat(chat)).pinned_message, None, "the pinned message")
        await bot.pin_chat_message(chat, sent.message_id, disable_notification=True)
        same(await bot.unpin_all_chat_messages(chat), True, "unpinAllChatMessages")
        await refused(BadRequest, "message to pin not found", bot.pin_chat_message(chat, 9_999))
    with check("chat actions show on the page; an unknown one is refused"):
        same(await bot.send_chat_action(chat, "typing"), True, "sendChatAction")
        expect("typing" in str(people.sees(chat)), "the page does not show it")
        await refused(BadRequest, "wrong parameter action in request", bot.send_chat_action(chat, "juggling"))
    with check("unknown, missing and silent chats"):
        await refused(BadRequest, "chat not found", bot.send_message(123, "a"))
        await refused(BadRequest, "chat_id is empty", bot.send_message("", "a"))


async def files(bot, people):
    chat = people.started()
    with check("a photo: sizes ascending, its file downloads with the same bytes, its id sends it again"):
        picture = png(600, 400)
        sent = await bot.send_photo(chat, picture, caption="<b>chart</b>", parse_mode="HTML")
        widths = [size.width for size in sent.photo]
        same((widths, widths[-1]), (sorted(widths), 600), "the widths")
        same(shape(sent.caption_entities), [("bold", 0, 5)], "the caption's entities")
        file = await bot.get_file(sent.photo[-1].file_id)
        same(bytes(await file.download_as_bytearray()), picture, "the bytes")
        again = await bot.send_photo(chat, sent.photo[-1].file_id)
        same(again.photo[-1].file_unique_id, sent.photo[-1].file_unique_id, "the file's unique id")
    with check("a document keeps name, type and bytes"):
        data = bytes(range(256)) * 40
        sent = await bot.send_document(chat, named(data, "trades öäü.csv"), filename="trades öäü.csv")
        same((sent.document.file_name, sent.document.file_size), ("trades öäü.csv", len(data)), "name and size")
        same(bytes(await (await bot.get_file(sent.document.file_id)).download_as_bytearray()), data, "the bytes")
    with check("a picture from a person arrives as an update and downloads"):
        await drain(bot)
        people.act("photo", **{"from": chat}, photo=base64.b64encode(png(30, 20)).decode(), caption="look")
        (update,) = await bot.get_updates(timeout=5)
        same(update.message.caption, "look", "the caption")
        same(bytes(await (await update.message.photo[-1].get_file()).download_as_bytearray()), png(30, 20), "the bytes")
        await drain(bot)
    with check("an album: photos and documents share a group each, and are not mixed"):
        chat = people.started()
        album = await bot.send_media_group(chat, [InputMediaPhoto(png(40, 30), caption="one"), InputMediaPhoto(png(40, 31))])
        same((len(album), album[0].media_group_id == album[1].media_group_id), (2, True), "messages of a group")
        same([message.caption for message in album], ["one", None], "captions")
        chat = people.started()
        await bot.send_media_group(chat, [InputMediaDocument(b"a", filename="a.txt"), InputMediaDocument(b"b", filename="b.txt")])
        await refused(BadRequest, "can't be mixed", bot.send_media_group(chat, [InputMediaPhoto(png(9, 9)), InputMediaDocument(b"b", filename="b.txt")]))
    with check("media and captions are edited in place"):
        chat = people.started()
        sent = await bot.send_photo(chat, png(50, 50), caption="before")
        edited = await bot.edit_message_media(InputMediaPhoto(png(60, 50), caption="*after*", parse_mode="MarkdownV2"), chat, sent.message_id)
        same((edited.photo[-1].width, edited.caption, shape(edited.caption_entities)), (60, "after", [("bold", 0, 5)]), "the message")
        edited = await bot.edit_message_caption(chat, sent.message_id, caption="then")
        same(edited.caption, "then", "the caption")
    with check("what is no picture, too long a picture, no file, and a file that never was"):
        chat = people.started()
        await refused(BadRequest, "IMAGE_PROCESS_FAILED", bot.send_photo(chat, b"this is no picture"))
        await refused(BadRequest, "PHOTO_INVALID_DIMENSIONS", bot.send_photo(chat, png(9_990, 11)))
        await refused(BadRequest, "there is no document in the request", bot.do_api_request("sendDocument", {"chat_id": chat}))
        await refused(BadRequest, "wrong file identifier/HTTP URL specified", bot.send_document(chat, "nosuchfile"))
        await refused(BadRequest, "invalid file_id", bot.get_file("nosuchfile"))
    with check("a file above 20 MB can't be fetched"):
        sent = await bot.send_document(chat, b"\1" * (21 * 1024 * 1024), filename="big.bin", write_timeout=60)
        await refused(BadRequest, "file is too big", bot.get_file(sent.document.file_id))


async def profile(bot, people):
    with check("commands by scope and language; the page shows a person theirs"):
        chat = people.started()
        await bot.set_my_commands([BotCommand("start", "Begin"), BotCommand("help", "Explain")])
        await bot.set_my_commands([BotCommand("status", "Yours")], scope=BotCommandScopeChat(chat))
        await bot.set_my_commands([BotCommand("start", "Anfangen")], language_code="de")
        same([one.command for one in await bot.get_my_commands()], ["start", "help"], "the default ones")
        same([one.command for one in await bot.get_my_commands(scope=BotCommandScopeChat(chat))], ["status"], "the chat's")
        same((await bot.get_my_commands(language_code="de"))[0].description, "Anfangen", "the German ones")
        shown = str(people.sees(chat))
        expect("Yours" in shown and "Explain" not in shown, "the page shows others")
        await bot.delete_my_commands(scope=BotCommandScopeChat(chat))
        same(await bot.get_my_commands(scope=BotCommandScopeChat(chat)), (), "after deleting")
        await refused(BadRequest, "BOT_COMMAND_INVALID", bot.do_api_request("setMyCommands", {"commands": [{"command": "Not Good", "description": "x"}]}))
    with check("name, descriptions and menu button"):
        await bot.set_my_description("What it does")
        same((await bot.get_my_description()).description, "What it does", "the description")
        await bot.set_my_short_description("Short")
        same((await bot.get_my_short_description()).short_description, "Short", "the short description")
        await bot.set_my_name("Conform")
        same((await bot.get_my_name()).name, "Conform", "the name")
        await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
        same((await bot.get_chat_menu_button()).type, "commands", "the menu button")


async def groups(bot, people):
    anna, ben = people.started("Anna"), people.started("Ben")
    group = -1_002_000_000_000 - BOT_ID % 1_000
    await drain(bot)
    with check("a group: commands reach the bot, talk does not, and answers go there"):
        people.act("chat", id=group, type="supergroup", title="Desk", is_forum=True, members=[{"user": anna, "status": "creator"}, ben])
        people.say(ben, "just talking", chat=group)
        people.say(ben, "/status@somebody_else_bot", chat=group)
        people.say(ben, "/status", chat=group)
        updates = await bot.get_updates(timeout=5)
        same([one.message.text for one in updates], ["/status"], "what the bot heard")
        message = updates[0].message
        same((message.chat.id, message.chat.type, message.chat.title, message.from_user.id), (group, "supergroup", "Desk", ben), "the message")
        await bot.send_message(group, "to all")
        await drain(bot)
    with check("members, administrators and their number"):
        same((await bot.get_chat_member(group, anna)).status, "creator", "Anna's status")
        same((await bot.get_chat_member(group, ben)).status, "member", "Ben's status")
        same([one.user.id for one in await bot.get_chat_administrators(group)], [anna], "administrators")
        same(await bot.get_chat_member_count(group), 3, "members")
        same((await bot.get_chat(group)).title, "Desk", "the title")
    with check("topics: an answer stays in its topic"):
        people.say(ben, "/why", chat=group, message_thread_id=7)
        (update,) = await bot.get_updates(timeout=5)
        same((update.message.message_thread_id, update.message.is_topic_message), (7, True), "the topic")
        same((await bot.send_message(group, "because", message_thread_id=7)).message_thread_id, 7, "the answer's topic")
        await refused(BadRequest, "message thread not found", bot.send_message(group, "a", message_thread_id=99))
        await drain(bot)
    with check("a group that becomes a supergroup says where it went"):
        small = -4_000_000 - BOT_ID % 1_000
        people.act("chat", id=small, type="group", title="Small", members=[ben])
        moved = people.act("migrate", chat=small)["chat"]["id"]
        error = await refused(ChatMigrated, "group migrated", bot.send_message(small, "a"))
        same(error.new_chat_id, moved, "the new id")
        await bot.send_message(moved, "a")
        await drain(bot)
    with check("thrown out of a group: 403 and an update"):
        people.act("block", chat=group, **{"from": anna})
        (update,) = await bot.get_updates(timeout=5)
        same(update.my_chat_member.new_chat_member.status, "kicked", "the status")
        await refused(Forbidden, "bot was kicked from the supergroup chat", bot.send_message(group, "a"))
        await drain(bot)


async def strangers(bot, people):
    with check("a stranger can't be written to first; a person who blocks is 403 and an update, who writes is back"):
        await refused(Forbidden, "bot can't initiate conversation with a user", bot.send_message(people.new("Eve"), "a"))
        ben = people.started()
        await drain(bot)
        people.act("block", **{"from": ben})
        (update,) = await bot.get_updates(timeout=5)
        same(update.my_chat_member.new_chat_member.status, "kicked", "the status")
        await refused(Forbidden, "bot was blocked by the user", bot.send_message(ben, "a"))
        people.say(ben, "/start")
        await bot.send_message(ben, "welcome back")
        people.act("user", id=ben, deactivated=True)
        await refused(Forbidden, "user is deactivated", bot.send_message(ben, "a"))
        await drain(bot)


async def failures(bot, people):
    chat = people.started()
    with check("a wrong token is refused"):
        for token in ("7100000001:AAanother-secret-of-the-same-bot", "no-token"):
            other = bot_of(people.root, token)
            await refused(InvalidToken, "", other.initialize())
    with check("a method that does not exist is 404"):
        await refused(EndPointNotFound, "", bot.do_api_request("noSuchMethod"))
    with check("faults: 500, an HTML page of a proxy, a flood, and silence"):
        people.fault(method="sendMessage", kind="status", code=500)
        await refused(NetworkError, "Internal Server Error", bot.send_message(chat, "a"))
        people.fault(method="sendMessage", kind="html", code=502)
        await refused(NetworkError, "", bot.send_message(chat, "a"))
        people.fault(method="sendMessage", kind="status", code=429, retry_after=7)
        error = await refused(RetryAfter, "", bot.send_message(chat, "a"))
        expect("7" in str(error), str(error))
        people.fault(method="sendMessage", kind="hang")
        await refused(TimedOut, "", bot.send_message(chat, "a", read_timeout=0.5))
    with check("a lost answer: the message is there, the caller does not know"):
        people.fault(method="sendMessage", kind="drop")
        await refused(NetworkError, "", bot.send_message(chat, "sent after all"))
        expect("sent after all" in str(people.sees(chat)), "it is not there")


async def application(root, people):
    """The library's own way: handlers and its updater's loop."""
    heard = []

    async def start(update: Update, context):
        heard.append(("start", context.args))
        await update.message.reply_html("<b>Hello</b>", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]]))

    async def pressed(update: Update, _):
        await update.callback_query.answer()
        await update.callback_query.edit_message_text("Gone")
        heard.append(("pressed", update.callback_query.data))

    async def talked(update: Update, _):
        heard.append(("text", update.message.text))

    with check("an application with handlers polls, answers a command and edits at a press"):
        app = Application.builder().token(TOKEN).base_url(f"{root}/bot").base_file_url(f"{root}/file/bot").build()
        app.add_handler(CommandHandler("start", start))
        app.add_handler(CallbackQueryHandler(pressed))
        app.add_handler(MessageHandler(filters.TEXT, talked))
        async with app:
            await app.start()
            await app.updater.start_polling(timeout=5)
            ben = people.new()
            people.say(ben, "/start with words")
            await until(lambda: ("start", ["with", "words"]) in heard, "the command")
            await until(lambda: "Hello" in str(people.sees(ben)), "its answer")
            people.press(ben, data="go")
            await until(lambda: ("pressed", "go") in heard, "the press")
            people.say(ben, "plain")
            await until(lambda: ("text", "plain") in heard, "the text")
            await app.updater.stop()
            await app.stop()


async def main(root):
    bot = bot_of(root)
    people = People(root, BOT_ID, 710_000_000)
    async with bot:
        for part in (polling, formatting, limits, keyboards, messages, files, profile, groups, strangers, failures):
            await part(bot, people)
    await application(root, people)
    checks.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    # Calls without their proper method are made on purpose.
    warnings.filterwarnings("ignore", category=PTBUserWarning)
    asyncio.run(main(sys.argv[1]))
