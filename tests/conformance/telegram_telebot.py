"""Drives the local Bot API server with pyTelegramBotAPI, which waits in threads and sends forms.

usage: telegram_telebot.py ROOT_URL
"""

import logging
import sys
import threading

import telebot
from telebot import apihelper, types
from telebot.apihelper import ApiTelegramException

from people import BROKEN, FORMATTED, People, named, png
from report import Checks, expect, same, until_blocking

TOKEN = "7300000003:AAconformance-of-pytelegrambotapi"
BOT_ID = 7_300_000_003

checks = Checks("pyTelegramBotAPI")
check = checks.check


def refused(code, wording, call):
    """Makes a call that must be refused with this code and in these words."""
    try:
        call()
    except ApiTelegramException as error:
        same(error.error_code, code, "the code")
        expect(wording.lower() in error.description.lower(), f"it says: {error.description}")
        return error
    raise AssertionError("it was not refused")


def shape(entities):
    return [(one.type, one.offset, one.length) for one in entities or ()]


def drain(bot):
    """Confirms every update that waits."""
    waiting = bot.get_updates(long_polling_timeout=1)
    if waiting:
        bot.get_updates(offset=waiting[-1].update_id + 1, limit=1, long_polling_timeout=1)


def keyboard(label):
    made = types.InlineKeyboardMarkup()
    made.add(types.InlineKeyboardButton(label, callback_data=label.lower()))
    return made


def text(bot, people):
    with check("getMe and a poll with offset, limit and time-out"):
        same(bot.get_me().id, BOT_ID, "the bot")
        ben = people.started()
        people.say(ben, "two")
        first, second = bot.get_updates(long_polling_timeout=1)
        same((first.message.text, shape(first.message.entities)), ("/start", [("bot_command", 0, 6)]), "the first")
        same(len(bot.get_updates(limit=1, long_polling_timeout=1)), 1, "updates with a limit")
        same(bot.get_updates(offset=second.update_id + 1, long_polling_timeout=1), [], "updates after the confirmation")
    for mode, cases in FORMATTED.items():
        with check(f"{mode}: text and entities of {len(cases)} messages"):
            for source, wanted, entities in cases:
                message = bot.send_message(people.started(), source, parse_mode=mode)
                same((message.text, shape(message.entities)), (wanted, entities), source)
    for mode, cases in BROKEN.items():
        with check(f"{mode}: what can't be parsed is refused"):
            chat = people.started()
            for source, wording in cases:
                refused(400, f"can't parse entities: {wording}", lambda: bot.send_message(chat, source, parse_mode=mode))
    with check("keyboards, edits, replies, pins, actions and deletions"):
        chat = people.started()
        sent = bot.send_message(chat, "Sure?", reply_markup=keyboard("Yes"))
        edited = bot.edit_message_text("Yes.", chat, sent.message_id)
        same((edited.text, edited.reply_markup), ("Yes.", None), "the edit")
        refused(400, "message is not modified", lambda: bot.edit_message_text("Yes.", chat, sent.message_id))
        reply = bot.send_message(chat, "to it", reply_parameters=types.ReplyParameters(sent.message_id))
        same(reply.reply_to_message.message_id, sent.message_id, "the reply")
        markup = types.ReplyKeyboardMarkup(resize_keyboard=True)
        markup.add("One", "Two")
        chat = people.started()
        bot.send_message(chat, "Pick", reply_markup=markup)
        expect("Two" in str(people.sees(chat)), "the page does not show the keyboard")
        bot.send_message(chat, "Gone", reply_markup=types.ReplyKeyboardRemove())
        bot.send_chat_action(chat, "typing")
        sent = bot.send_message(chat, "pin me")
        bot.pin_chat_message(chat, sent.message_id, disable_notification=True)
        same(bot.get_chat(chat).pinned_message.message_id, sent.message_id, "the pin")
        bot.unpin_all_chat_messages(chat)
        same(bot.delete_message(chat, sent.message_id), True, "deleteMessage")
        bot.set_my_commands([types.BotCommand("status", "Yours")], scope=types.BotCommandScopeChat(chat))
        same([one.command for one in bot.get_my_commands(scope=types.BotCommandScopeChat(chat))], ["status"], "commands")


def files(bot, people):
    with check("photo, document and album up, the same bytes down"):
        chat = people.started()
        picture = png(320, 200)
        sent = bot.send_photo(chat, picture, caption="`c`", parse_mode="MarkdownV2")
        same((sent.photo[-1].width, shape(sent.caption_entities)), (320, [("code", 0, 1)]), "the photo")
        same(bot.download_file(bot.get_file(sent.photo[-1].file_id).file_path), picture, "the bytes")
        sent = bot.send_document(chat, named(b"a;b\n", "trades.csv"), visible_file_name="trades.csv")
        same((sent.document.file_name, sent.document.file_size), ("trades.csv", 4), "the document")
        chat = people.started()
        album = bot.send_media_group(chat, [types.InputMediaPhoto(named(png(9, 9), "a.png")), types.InputMediaPhoto(named(png(9, 10), "b.png"))])
        same(len({message.media_group_id for message in album}), 1, "groups")
        edited = bot.edit_message_media(types.InputMediaPhoto(named(png(12, 9), "c.png")), chat, album[0].message_id)
        same(edited.photo[-1].width, 12, "the new width")


def refusals(bot, people):
    with check("refusals: 400, 401, 403, 404, 429 with its time"):
        chat = people.started()
        refused(400, "message is too long", lambda: bot.send_message(chat, "x" * 4097))
        refused(400, "chat not found", lambda: bot.send_message(123, "a"))
        refused(400, "message to edit not found", lambda: bot.edit_message_text("a", chat, 9_999))
        refused(403, "can't initiate conversation", lambda: bot.send_message(people.new(), "a"))
        refused(401, "unauthorized", telebot.TeleBot("7300000003:AAanother-secret-of-the-same", threaded=False).get_me)
        refused(404, "not found", lambda: apihelper._make_request(TOKEN, "noSuchMethod"))
        people.fault(method="sendMessage", kind="status", code=429, retry_after=4)
        error = refused(429, "too many requests", lambda: bot.send_message(chat, "a"))
        same(error.result_json["parameters"]["retry_after"], 4, "retry after")
        people.act("block", **{"from": chat})
        refused(403, "bot was blocked by the user", lambda: bot.send_message(chat, "a"))


def polling(bot, people):
    """The library's own way: decorated handlers and its polling loop."""
    heard = []

    @bot.message_handler(commands=["start"])
    def start(message):
        heard.append(("start", message.from_user.first_name))
        bot.reply_to(message, "Hello", reply_markup=keyboard("Go"))

    @bot.callback_query_handler(func=lambda query: query.data == "go")
    def go(query):
        bot.answer_callback_query(query.id, "Going", show_alert=True)
        bot.edit_message_reply_markup(query.message.chat.id, query.message.message_id)
        heard.append(("go", query.from_user.id))

    @bot.message_handler(content_types=["text"])
    def talk(message):
        heard.append(("text", message.text))

    with check("handlers: a command, a press with an alert, a text, in the order of the chat"):
        # What the people of the checks before have said is not to be answered.
        drain(bot)
        loop = threading.Thread(target=lambda: bot.infinity_polling(timeout=5, long_polling_timeout=2), daemon=True)
        loop.start()
        anna = people.new("Anna")
        people.say(anna, "/start")
        until_blocking(lambda: ("start", "Anna") in heard, "the command")
        until_blocking(lambda: "Hello" in str(people.sees(anna)), "its answer")
        people.press(anna, data="go")
        until_blocking(lambda: ("go", anna) in heard, "the press")
        expect("Going" in str(people.sees(anna)), "the page does not show the alert")
        people.say(anna, "plain")
        until_blocking(lambda: ("text", "plain") in heard, "the text")
        bot.stop_polling()
        loop.join(15)
        expect(not loop.is_alive(), "its loop goes on")


def main(root):
    apihelper.API_URL = root + "/bot{0}/{1}"
    apihelper.FILE_URL = root + "/file/bot{0}/{1}"
    bot = telebot.TeleBot(TOKEN, threaded=False)
    people = People(root, BOT_ID, 730_000_000)
    text(bot, people)
    files(bot, people)
    refusals(bot, people)
    polling(bot, people)
    checks.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main(sys.argv[1])
