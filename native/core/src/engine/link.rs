//! The link to the broker: what is asked of it and in which order, what its loss means, when trading is ready again.

use super::core::{Core, NEVER_MS, WhenFlat};
use crate::effect::{BrokerQuestion, Effect, Notice, NoticeClass};
use crate::event::{Ask, Bar, BrokerPosition, Contract};
use crate::orders::OrderState;
use crate::settings::ResetWindow;
use crate::status::{Link, Posture};
use crate::strategy::signal_close;
use serde::{Deserialize, Serialize};

/// A light check of everything so often (C).
const CHECK_MS: i64 = 60_000;
/// Two questions about the state are so far apart at least.
const STATE_SPACING_MS: i64 = 250;
/// A question without an answer for so long has failed (R21).
const ANSWER_MS_MAX: i64 = 30_000;
/// Back-off of a question that failed.
const RETRY_MS_MAX: i64 = 60_000;
/// Looks at the broker's state that may fail in a row (B, R21).
const FAILED_LOOKS_MAX: u32 = 3;
/// Losses are counted over this span (E).
const FLAP_SPAN_MS: i64 = 10 * 60_000;
const FLAPS_MAX: usize = 5;
const FLAP_BLOCK_MS: i64 = 15 * 60_000;
/// A loss of a flat bot is told at once, and then no more than once in this time.
const DOWN_FOLD_MS: i64 = 5 * 60_000;
/// Alarms while the link stays down (E).
const DOWN_ALARM_MS: [i64; 2] = [30_000, 5 * 60_000];
const DOWN_REPEAT_MS: i64 = 60 * 60_000;
const DOWN_REPEAT_HELD_MS: i64 = 5 * 60_000;
/// A longer gap in open hours leaves it to a person to go on (C.12).
const GAP_MS_MAX: i64 = 15 * 60_000;
/// Bars asked for beyond the window: the newest may be unfinished, some lie in an earlier session.
const HISTORY_BARS_SPARE: u32 = 10;
/// Bars that may close while history is asked for.
const BARS_SINCE_MAX: usize = 10_000;

/// One kind of question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    /// When it is to be asked; `NEVER_MS` = not wanted.
    want_at_ms: i64,
    /// When it was asked; 0 = not outstanding.
    out_since_ms: i64,
    failures: u32,
}

impl Question {
    fn idle() -> Question {
        Question {
            want_at_ms: NEVER_MS,
            out_since_ms: 0,
            failures: 0,
        }
    }
}

/// The link and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkState {
    pub state: Link,
    pub since_ms: i64,
    pub epoch: u32,
    pub detail: String,
    pub account: Option<String>,
    pub contract: Option<Contract>,
    /// True once everything was compared on this connection.
    pub reconciled: bool,
    /// True while a difference is looked at a second time.
    pub is_suspect: bool,
    pub mismatch_looks: u32,
    /// When the first of them was.
    pub mismatch_since_ms: i64,
    /// The position that the broker pushed since our last fill; none where it has not.
    pub told_position: Option<i64>,
    /// When the newest picture was asked for that agreed with our book.
    pub agreed_asked_ms: i64,
    /// When the state was last asked; what changed later is not in the picture.
    pub state_asked_ms: i64,
    pub order_news: bool,
    pub last_state_ms: i64,
    pub is_watching: bool,
    pub watching_since_ms: i64,
    pub feed_ok: bool,
    pub feed_detail: String,
    pub losses: Vec<i64>,
    pub down_since_ms: Option<i64>,
    /// True after a loss, false while a run has not been linked yet.
    pub was_lost: bool,
    pub told_down: bool,
    pub down_alarms: u32,
    pub market_was_open: bool,
    pub bars_since_asked: Vec<Bar>,
    pub last_bar_ms: i64,
    questions: [Question; 5],
}

impl LinkState {
    pub fn new(at_ms: i64) -> LinkState {
        LinkState {
            state: Link::Down,
            since_ms: at_ms,
            epoch: 0,
            detail: String::new(),
            account: None,
            contract: None,
            reconciled: false,
            is_suspect: false,
            mismatch_looks: 0,
            mismatch_since_ms: 0,
            told_position: None,
            agreed_asked_ms: 0,
            state_asked_ms: 0,
            order_news: false,
            last_state_ms: 0,
            is_watching: false,
            watching_since_ms: 0,
            feed_ok: true,
            feed_detail: String::new(),
            losses: Vec::new(),
            down_since_ms: None,
            was_lost: false,
            told_down: false,
            down_alarms: 0,
            market_was_open: false,
            bars_since_asked: Vec::new(),
            last_bar_ms: 0,
            questions: std::array::from_fn(|_| Question::idle()),
        }
    }

    fn question(&mut self, ask: Ask) -> &mut Question {
        &mut self.questions[index(ask)]
    }

    /// Is an answer about the state outstanding?
    pub fn state_is_out(&self) -> bool {
        self.questions[index(Ask::State)].out_since_ms > 0
    }

    /// Are bars asked for, or about to be?
    pub fn history_is_out(&self) -> bool {
        let question = &self.questions[index(Ask::History)];
        question.out_since_ms > 0 || question.want_at_ms != NEVER_MS
    }

    /// An order changed: a picture that was asked for before does not hold it.
    pub fn note_order_news(&mut self) {
        self.order_news = true;
    }

    /// Marks a question answered; returns whether it was outstanding.
    pub fn answered(&mut self, ask: Ask) -> bool {
        let question = self.question(ask);
        let was_out = question.out_since_ms > 0;
        question.out_since_ms = 0;
        question.failures = 0;
        was_out
    }

    fn forget_questions(&mut self) {
        self.questions = std::array::from_fn(|_| Question::idle());
    }
}

fn index(ask: Ask) -> usize {
    match ask {
        Ask::Contract => 0,
        Ask::State => 1,
        Ask::History => 2,
        Ask::MarketData => 3,
        Ask::Margin => 4,
    }
}

const ASKS: [Ask; 5] = [
    Ask::Contract,
    Ask::State,
    Ask::History,
    Ask::MarketData,
    Ask::Margin,
];

impl Core {
    /// Is the link up: may orders leave and answers come?
    pub fn is_link_up(&self) -> bool {
        self.link.state == Link::Up
    }

    /// Wants the state of everything by `at_ms`.
    pub fn want_state(&mut self, at_ms: i64) {
        self.want(Ask::State, at_ms);
    }

    /// Wants to know what an entry would need, where that is due (D24).
    pub fn want_margin(&mut self) {
        let question = &self.link.questions[index(Ask::Margin)];
        let is_asked = question.out_since_ms > 0 || question.want_at_ms != NEVER_MS;
        if !is_asked && self.margin_due_ms() <= self.at_ms {
            self.want(Ask::Margin, self.at_ms);
        }
    }

    fn want(&mut self, ask: Ask, at_ms: i64) {
        let question = self.link.question(ask);
        question.want_at_ms = question.want_at_ms.min(at_ms);
    }

    /// Asks what is wanted and may be asked now.
    pub fn pump_asks(&mut self) {
        if !self.is_link_up() {
            return;
        }
        for ask in ASKS {
            let at_ms = self.at_ms;
            let spaced = ask != Ask::State
                || at_ms - self.link.state_asked_ms >= STATE_SPACING_MS
                || !self.link.reconciled;
            let question = self.link.question(ask);
            if question.out_since_ms > 0 || question.want_at_ms > at_ms || !spaced {
                continue;
            }
            question.want_at_ms = NEVER_MS;
            question.out_since_ms = at_ms.max(1);
            match ask {
                Ask::State => {
                    self.link.state_asked_ms = at_ms;
                    self.link.order_news = false;
                }
                Ask::History => self.link.bars_since_asked.clear(),
                Ask::Contract | Ask::MarketData | Ask::Margin => {}
            }
            let question = self.question(ask);
            self.emit(Effect::AskBroker(question));
        }
    }

    /// Returns the question with its terms as they are in force: settings may hold others that wait until flat.
    fn question(&self, ask: Ask) -> BrokerQuestion {
        match ask {
            Ask::Contract => BrokerQuestion::Contract {},
            Ask::State => BrokerQuestion::State {},
            Ask::History => BrokerQuestion::History {
                bar_ms: self.bars.sampling_ms(),
                bars: self.settings.strategy.window + HISTORY_BARS_SPARE,
            },
            Ask::MarketData => BrokerQuestion::MarketData {},
            Ask::Margin => BrokerQuestion::Margin {
                quantity: self.settings.strategy.quantity,
            },
        }
    }

    /// Returns when a question is due.
    pub fn asks_due_ms(&self) -> i64 {
        if !self.is_link_up() {
            return NEVER_MS;
        }
        let spaced_ms = self.link.state_asked_ms + STATE_SPACING_MS;
        let wanted = ASKS
            .iter()
            .map(|ask| (ask, &self.link.questions[index(*ask)]))
            .filter(|(_, question)| question.out_since_ms == 0 && question.want_at_ms != NEVER_MS)
            .map(|(ask, question)| {
                if *ask == Ask::State {
                    question.want_at_ms.max(spaced_ms)
                } else {
                    question.want_at_ms
                }
            })
            .min()
            .unwrap_or(NEVER_MS);
        let check_ms = self.light_check_due_ms();
        let silent_ms = self
            .link
            .questions
            .iter()
            .filter(|question| question.out_since_ms > 0)
            .map(|question| question.out_since_ms + ANSWER_MS_MAX)
            .min()
            .unwrap_or(NEVER_MS);
        let margin = &self.link.questions[index(Ask::Margin)];
        let margin_ms = if margin.out_since_ms > 0 || margin.want_at_ms != NEVER_MS {
            NEVER_MS
        } else {
            self.margin_due_ms()
        };
        wanted.min(check_ms).min(silent_ms).min(margin_ms)
    }

    /// Returns when the light check is due; never while the state is asked about, or about to be: one that failed keeps its
    /// back-off.
    fn light_check_due_ms(&self) -> i64 {
        let question = &self.link.questions[index(Ask::State)];
        let is_idle = question.out_since_ms == 0 && question.want_at_ms == NEVER_MS;
        if self.link.reconciled && is_idle {
            self.link.last_state_ms + CHECK_MS
        } else {
            NEVER_MS
        }
    }

    /// Wants the light check where it is due; counts a question without any answer as failed (R21).
    pub fn check_state_age(&mut self) {
        for ask in ASKS {
            let since_ms = self.link.questions[index(ask)].out_since_ms;
            if since_ms > 0 && self.at_ms - since_ms >= ANSWER_MS_MAX {
                self.on_ask_failed(ask, "no answer within 30 s");
            }
        }
        if self.at_ms >= self.light_check_due_ms() {
            self.want_state(self.at_ms);
        }
    }

    /// A question had no answer, or was refused: asked again later.
    pub fn on_ask_failed(&mut self, ask: Ask, detail: &str) {
        let at_ms = self.at_ms;
        let question = self.link.question(ask);
        question.out_since_ms = 0;
        question.failures += 1;
        let wait_ms = (1_000i64 << question.failures.saturating_sub(1).min(6)).min(RETRY_MS_MAX);
        question.want_at_ms = at_ms + wait_ms;
        let failures = question.failures;
        self.anomaly(format!(
            "the broker did not answer about {ask:?} ({failures} times): {detail}"
        ));
        if ask == Ask::State {
            self.on_state_unknown(failures, detail);
        }
    }

    /// What the broker holds cannot be learnt: doubts that three looks could not settle halt (B), and a connection that
    /// does not answer three times is ended (R21).
    fn on_state_unknown(&mut self, failures: u32, detail: &str) {
        let doubtful = self
            .orders
            .live_refs(|order| order.state == OrderState::InDoubt);
        if let Some(order_ref) = doubtful.first().filter(|_| failures == FAILED_LOOKS_MAX) {
            let detail = format!(
                "{order_ref} may exist or not, and {failures} looks at the broker failed: {detail}"
            );
            self.questions
                .insert(format!("in_doubt:{order_ref}"), detail.clone());
            let doing = vec![
                "it is not sent again".to_owned(),
                "entries are off".to_owned(),
            ];
            self.halt("in_doubt", &detail, "risk", doing);
        }
        if failures.is_multiple_of(FAILED_LOOKS_MAX) {
            let reason = format!("the broker did not say what is true {failures} times: {detail}");
            self.control("sync_failed", true, reason.clone());
            self.emit(Effect::DropLink { reason });
        }
    }

    /// The link changed.
    pub fn on_link(&mut self, link: Link, epoch: u32, detail: String, account: Option<String>) {
        let was_up = self.is_link_up();
        if epoch != self.link.epoch {
            self.link.forget_questions();
        }
        if link != self.link.state {
            self.link.since_ms = self.at_ms;
        }
        let new_epoch = epoch != self.link.epoch;
        self.link.epoch = epoch;
        self.link.state = link;
        self.link.detail = detail;
        let is_own = account
            .as_deref()
            .is_none_or(|account| self.is_own_account(account));
        if account.is_some() {
            self.link.account = account;
        }
        let up = self.is_link_up();
        if was_up && (!up || new_epoch) {
            self.on_link_lost();
        }
        if up && is_own && (!was_up || new_epoch) {
            self.want(Ask::Contract, self.at_ms);
        }
    }

    fn on_link_lost(&mut self) {
        let at_ms = self.at_ms;
        self.unlink();
        self.link.down_since_ms = Some(at_ms);
        self.link.was_lost = true;
        self.link.down_alarms = 0;
        self.link.market_was_open = self.market_open() != Some(false);
        self.link.losses.push(at_ms);
        self.trim_losses();
        self.day.gateway_down_count += 1;
        self.tell_down(DOWN_FOLD_MS);
    }

    /// Forgets what holds only on a connection.
    pub fn unlink(&mut self) {
        self.doubt_in_flight();
        self.link.forget_questions();
        self.link.reconciled = false;
        self.link.is_suspect = false;
        self.link.mismatch_looks = 0;
        self.link.told_position = None;
        self.link.agreed_asked_ms = 0;
        self.link.is_watching = false;
        self.link.bars_since_asked.clear();
        self.market.forget();
        self.bars.drop_open();
    }

    fn trim_losses(&mut self) {
        let at_ms = self.at_ms;
        let span_ms = if self.link.losses.len() > FLAPS_MAX {
            FLAP_BLOCK_MS
        } else {
            FLAP_SPAN_MS
        };
        self.link.losses.retain(|loss_ms| at_ms - loss_ms < span_ms);
    }

    fn tell_down(&mut self, fold_ms: i64) {
        let position = self.position.signed();
        let in_window = self.hours.near_reset(self.at_ms, 0);
        let held = position != 0;
        if !held && in_window && self.link.down_alarms < 2 {
            return;
        }
        let class = if held {
            NoticeClass::Critical
        } else {
            NoticeClass::Link
        };
        let key = if held {
            "gateway_down:held"
        } else {
            "gateway_down"
        };
        let before = self.out.len();
        let notice = Notice::GatewayDown {
            detail: self.link.detail.clone(),
            position,
        };
        self.notice_every(if held { 0 } else { fold_ms }, class, Some(key), notice);
        self.link.told_down |= self.out.len() > before;
    }

    /// Alarms while the link stays down.
    pub fn check_down(&mut self) {
        self.trim_losses();
        if self.at_ms >= self.down_due_ms() {
            self.link.down_alarms += 1;
            self.tell_down(0);
        }
    }

    /// Returns when the next alarm about the link is due.
    pub fn down_due_ms(&self) -> i64 {
        let Some(since_ms) = self.link.down_since_ms else {
            return NEVER_MS;
        };
        let told = usize::try_from(self.link.down_alarms).unwrap_or(usize::MAX);
        if let Some(after_ms) = DOWN_ALARM_MS.get(told) {
            return since_ms + after_ms;
        }
        let repeats = i64::from(self.link.down_alarms) - 1;
        let repeat_ms = if self.position.signed() == 0 {
            DOWN_REPEAT_MS
        } else {
            DOWN_REPEAT_HELD_MS
        };
        since_ms + DOWN_ALARM_MS[1] + repeats * repeat_ms
    }

    /// The listing to trade is known: checked against the settings before anything else.
    pub fn on_contract(&mut self, contract: Contract) {
        self.link.answered(Ask::Contract);
        let instrument = &self.settings.instrument;
        let fits = contract.tick_size_e4 == instrument.tick_size_e4
            && contract.tick_size_e4 * contract.multiplier_cents
                == instrument.tick_value_cents * 10_000;
        if fits {
            self.questions.remove("contract");
        } else {
            let detail = format!(
                "{} has tick {}/10000 and multiplier {}/100 at the broker, the settings say tick {}/10000 worth {} cents",
                contract.local_symbol,
                contract.tick_size_e4,
                contract.multiplier_cents,
                instrument.tick_size_e4,
                instrument.tick_value_cents
            );
            self.questions.insert("contract".to_owned(), detail.clone());
            self.halt(
                "contract",
                &detail,
                "risk",
                vec!["nothing is traded".to_owned()],
            );
        }
        let held = self.position.signed() != 0 || self.orders.live().next().is_some();
        let moved = self
            .link
            .contract
            .as_ref()
            .is_some_and(|known| known.con_id != contract.con_id);
        if moved && held {
            let known = self
                .link
                .contract
                .as_ref()
                .map_or_else(String::new, |known| known.local_symbol.clone());
            let detail = format!(
                "the broker offers {} but {known} is held; it stays the contract until flat",
                contract.local_symbol
            );
            self.questions.insert("contract".to_owned(), detail.clone());
            self.halt("roll", &detail, "risk", vec!["entries are off".to_owned()]);
        } else {
            if moved {
                self.strategy.clear_window();
                self.market = super::market::Market::default();
            }
            self.link.contract = Some(contract);
        }
        self.want_state(self.at_ms);
    }

    /// Everything was compared for the first time on this connection.
    pub fn on_ready(&mut self, differences: Vec<String>) {
        let at_ms = self.at_ms;
        self.link.reconciled = true;
        self.want(Ask::History, at_ms);
        self.want(Ask::MarketData, at_ms);
        let down_ms = self
            .link
            .down_since_ms
            .take()
            .map_or(0, |since_ms| at_ms - since_ms);
        if self.link.was_lost {
            self.day.gateway_down_ms += down_ms;
        }
        self.link.was_lost = false;
        if self.link.told_down || !differences.is_empty() {
            self.notice(
                NoticeClass::Link,
                None,
                Notice::GatewayUp {
                    down_ms,
                    differences,
                },
            );
        }
        self.link.told_down = false;
        self.link.down_alarms = 0;
        let in_hours = self.link.market_was_open && self.market_open() != Some(false);
        if down_ms > GAP_MS_MAX && in_hours && self.posture.now == Posture::Trading {
            let minutes = down_ms / 60_000;
            self.pause(
                None,
                &format!("the link was gone for {minutes} min; /resume when ready"),
                "link",
            );
        }
    }

    /// Bars to fill the window: the window is rebuilt from them and from what has closed since they were asked for. Bars of
    /// another length than the window has by now are left alone: those of its own are asked for.
    pub fn on_history(&mut self, bar_ms: Option<i64>, bars: Vec<Bar>) {
        self.link.answered(Ask::History);
        let sampling_ms = self.bars.sampling_ms();
        if bar_ms.is_some_and(|bar_ms| bar_ms != sampling_ms) {
            return;
        }
        let since = std::mem::take(&mut self.link.bars_since_asked);
        if sampling_ms == 0 || bars.is_empty() {
            return;
        }
        // Before the length was told, the question was asked by settings that may have waited until flat.
        let waits = |waiting: &WhenFlat| waiting.strategy.sampling_ms != sampling_ms;
        if bar_ms.is_none() && self.when_flat.as_deref().is_some_and(waits) {
            self.strategy.clear_window();
            return;
        }
        let was_full = self.strategy.last().filled >= self.strategy.window_size();
        if let Some(last) = bars.last() {
            self.roll_day(last.open_at_ms);
        }
        self.strategy.clear_window();
        let newest_ms = bars.last().map_or(i64::MIN, |bar| bar.open_at_ms);
        let this_session = self.settings.strategy.reset_window == ResetWindow::Session;
        for bar in bars
            .into_iter()
            .chain(since.into_iter().filter(|bar| bar.open_at_ms > newest_ms))
        {
            if this_session && self.hours.trade_date(bar.open_at_ms) != self.day.trade_date {
                continue;
            }
            if bar.open_at_ms + sampling_ms > self.at_ms {
                self.bars.join(bar);
                continue;
            }
            let close = signal_close(self.settings.strategy.price, bar.close_ticks, None);
            let reading = self.strategy.push_close(close);
            if bar.open_at_ms > self.link.last_bar_ms {
                self.strategy.rearm(&reading);
            }
        }
        self.tell_warm(was_full);
    }

    /// Tells once that the window is full.
    pub fn tell_warm(&mut self, was_full: bool) {
        let filled = self.strategy.last().filled;
        if !was_full && filled >= self.strategy.window_size() {
            self.notice(
                NoticeClass::Session,
                None,
                Notice::WarmedUp { bars: filled },
            );
        }
    }

    /// Wants the window filled anew: another length or sampling.
    pub fn refill_window(&mut self) {
        if self.link.reconciled {
            self.want(Ask::History, self.at_ms);
        }
    }

    /// Keeps a bar that closed while history is on its way.
    pub fn note_bar(&mut self, bar: Bar) {
        self.link.last_bar_ms = bar.open_at_ms;
        if self.link.history_is_out() && self.link.bars_since_asked.len() < BARS_SINCE_MAX {
            self.link.bars_since_asked.push(bar);
        }
    }

    /// The data behind the subscription broke or work again.
    pub fn on_feed(&mut self, ok: bool, detail: String) {
        if self.link.answered(Ask::MarketData) && ok {
            self.link.is_watching = true;
            self.link.watching_since_ms = self.at_ms;
        }
        if self.link.feed_ok != ok {
            self.control("data_feed", !ok, detail.clone());
            if ok {
                // What traded in between is in history only (D28).
                self.refill_window();
            }
        }
        self.link.feed_ok = ok;
        self.link.feed_detail = detail;
    }

    /// The broker pushed a position: where it differs from ours, everything is looked at.
    pub fn on_position_reported(&mut self, told: &BrokerPosition) {
        let is_ours = self
            .link
            .contract
            .as_ref()
            .is_some_and(|contract| contract.con_id == told.con_id);
        if is_ours {
            self.link.told_position = Some(told.position);
        }
        if is_ours && self.link.reconciled && told.position != self.position.signed() {
            // Its fill is likely on its way; a lasting difference is found by the look.
            self.want_state(self.at_ms + 1_000);
        }
    }
}
