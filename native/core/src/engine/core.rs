//! The state behind the engine and the few ways in which every part of it speaks: effects, notices, the next wake-up.

use super::EngineError;
use super::account::AccountState;
use super::clock::ClockState;
use super::day::Day;
use super::decide::{EntryPlan, TripPlan};
use super::exits::ExitPlan;
use super::hours::Hours;
use super::link::LinkState;
use super::market::Market;
use super::posture::PostureState;
use super::risk::RiskState;
use super::told::ToldTrips;
use crate::bars::BarBuilder;
use crate::effect::{Caused, Effect, Notice, NoticeClass};
use crate::event::{BrokerPosition, Event};
use crate::frames::Input;
use crate::orders::OrderBook;
use crate::position::{Ledger, Position};
use crate::settings::{EngineSettings, StrategySettings};
use crate::status::Blocked;
use crate::strategy::Strategy;
use crate::zscore::RollingZ;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A notice of the same key is told at most once in this time; the outbox counts no more than these.
pub(super) const NOTICE_FOLD_MS: i64 = 60_000;
/// The longest of such times: what was told is remembered for so long.
pub(super) const NOTICE_FOLD_MS_MAX: i64 = 24 * 3_600_000;
/// Commands' update ids that are remembered (reliability note, section F).
pub(super) const UPDATE_IDS_MAX: usize = 1_000;
/// Stands for "no time".
pub(super) const NEVER_MS: i64 = i64::MAX;

/// A float that survives being written down: its bits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Real(u64);

impl From<f64> for Real {
    fn from(value: f64) -> Real {
        Real(value.to_bits())
    }
}

impl From<Real> for f64 {
    fn from(real: Real) -> f64 {
        f64::from_bits(real.0)
    }
}

/// A gate that the shell keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShellGate {
    pub blocks: bool,
    pub detail: String,
}

/// Positions that our orders do not explain: nothing is touched until a person decides (R11–R14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mismatch {
    pub brokers: BrokerPosition,
    pub ours: i64,
}

/// Day limits that a person has loosened, waiting for the next trading day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LooserLimits {
    pub daily_loss_cents: i64,
    pub loss_streak: u32,
}

/// Settings that a person has changed while a position is open or an entry under way, waiting until flat: what is held keeps
/// the rules that it was entered by, and no risk grows under it (H8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WhenFlat {
    pub strategy: StrategySettings,
    pub stop_cents: Option<i64>,
    pub target_cents: Option<i64>,
    pub max_hold_ms: i64,
    pub trailing_drawdown_cents: Option<i64>,
    pub trailing_armed_at_cents: i64,
}

/// Everything that the engine knows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Core {
    pub seq: i64,
    pub at_ms: i64,
    pub version: String,
    pub badge: String,
    pub revision: u32,
    pub settings: EngineSettings,
    /// Looser limits that wait for the next trading day: nobody raises a limit in the middle of a loss.
    pub looser_limits: Option<LooserLimits>,
    /// Changes that wait until flat.
    pub when_flat: Option<Box<WhenFlat>>,
    pub hours: Hours,
    pub strategy: Strategy,
    pub bars: BarBuilder,
    pub bars_closed: i64,
    pub market: Market,
    pub link: LinkState,
    pub orders: OrderBook,
    pub order_seq: i64,
    pub highest_order_id: i64,
    pub position: Position,
    pub ledger: Ledger,
    pub account: AccountState,
    pub clock: ClockState,
    pub told_trips: ToldTrips,
    pub trip_seq: i64,
    pub entry: Option<EntryPlan>,
    pub trip: Option<TripPlan>,
    pub exit: Option<ExitPlan>,
    pub flat_since_ms: i64,
    pub posture: PostureState,
    pub risk: RiskState,
    pub day: Day,
    pub mismatch: Option<Mismatch>,
    pub questions: BTreeMap<String, String>,
    pub shell_gates: BTreeMap<String, ShellGate>,
    pub last_blocked: Option<Blocked>,
    pub seen_updates: VecDeque<i64>,
    pub told_at_ms: BTreeMap<String, i64>,
    /// When the shell will knock; `NEVER_MS` = not asked.
    pub wake_at_ms: i64,
    #[serde(skip)]
    pub out: Vec<Caused>,
}

impl Core {
    /// Returns the state before its first event.
    pub fn new(settings: &EngineSettings, at_ms: i64) -> Result<Core, EngineError> {
        let refuse = |error: String| EngineError::Settings(error);
        Ok(Core {
            seq: 0,
            at_ms,
            version: String::new(),
            badge: String::new(),
            revision: 0,
            hours: Hours::new(&settings.session).map_err(|error| refuse(error.to_string()))?,
            strategy: Strategy::try_new(&settings.strategy, &settings.risk)
                .map_err(|error| refuse(error.to_string()))?,
            bars: BarBuilder::new(settings.strategy.sampling_ms),
            bars_closed: 0,
            market: Market::default(),
            link: LinkState::new(at_ms),
            orders: OrderBook::default(),
            order_seq: 0,
            highest_order_id: 0,
            position: Position::default(),
            ledger: Ledger::default(),
            account: AccountState::default(),
            clock: ClockState::default(),
            told_trips: ToldTrips::default(),
            trip_seq: 0,
            entry: None,
            trip: None,
            exit: None,
            flat_since_ms: at_ms,
            posture: PostureState::new(),
            risk: RiskState::default(),
            day: Day::default(),
            mismatch: None,
            questions: BTreeMap::new(),
            shell_gates: BTreeMap::new(),
            last_blocked: None,
            seen_updates: VecDeque::new(),
            told_at_ms: BTreeMap::new(),
            wake_at_ms: NEVER_MS,
            out: Vec::new(),
            settings: settings.clone(),
            looser_limits: None,
            when_flat: None,
        })
    }

    /// Takes in one input at its time. Timers that are due come first, so that what they allow is allowed at once.
    pub fn take(&mut self, seq: i64, at_ms: i64, input: Input) -> Result<(), EngineError> {
        self.seq = seq;
        self.at_ms = at_ms;
        let timers_due = at_ms >= self.wake_at_ms;
        if timers_due {
            self.wake_at_ms = NEVER_MS;
            self.run_timers();
        }
        let needs_settling = match input {
            Input::Trade(trade) => self.on_trade(trade),
            Input::Quote(quote) => self.on_quote(quote),
            Input::Event(event) => {
                self.on_event(*event)?;
                true
            }
        };
        if needs_settling || timers_due {
            self.settle();
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            // Unpacked before they come here.
            Event::Trade { .. } | Event::Quote { .. } | Event::Woke {} => {}
            Event::Started {
                version,
                badge,
                starts_trading,
                after_crash,
                latched,
                revision,
                settings,
            } => {
                self.revision = revision;
                self.version = version;
                self.badge = badge;
                self.take_settings(settings)?;
                self.on_started(starts_trading, after_crash, latched);
            }
            Event::Stopped { reason } => self.on_stopped(reason),
            Event::History { bar_ms, bars } => self.on_history(bar_ms, bars),
            Event::LinkChanged {
                link,
                epoch,
                detail,
                account,
            } => self.on_link(link, epoch, detail, account),
            Event::FeedChanged { ok, detail } => self.on_feed(ok, detail),
            Event::ContractResolved { contract } => self.on_contract(contract),
            Event::AskFailed { ask, detail } => self.on_ask_failed(ask, &detail),
            Event::Sent {
                order_ref,
                order_id,
                epoch,
            } => self.on_sent(&order_ref, order_id, epoch),
            Event::NotSent { order_ref, reason } => self.on_not_sent(&order_ref, &reason),
            Event::OrderReported { order } => self.on_order_reported(&order),
            Event::OrderRefused {
                order_ref,
                code,
                text,
            } => self.on_order_refused(&order_ref, code, text),
            Event::ChangeRefused {
                order_ref,
                code,
                text,
            } => self.on_change_refused(&order_ref, code, &text),
            Event::OrderWarned {
                order_ref,
                code,
                text,
            } => self.on_order_warned(&order_ref, code, &text),
            Event::Fill { fill } => self.on_fill(&fill),
            Event::Commission { exec_id, fee_cents } => self.on_commission(&exec_id, fee_cents),
            Event::PositionReported { position } => self.on_position_reported(&position),
            Event::AccountReported {
                net_liquidation_cents,
                excess_liquidity_cents,
                realised_cents,
            } => self.on_account(
                net_liquidation_cents,
                excess_liquidity_cents,
                realised_cents,
            ),
            Event::MarginReported {
                quantity,
                equity_cents,
                margin_cents,
                margin_after_cents,
            } => self.on_margin(quantity, equity_cents, margin_cents, margin_after_cents),
            Event::Reconciled {
                open_orders,
                fills,
                positions,
                broker_at_ms,
            } => self.on_reconciled(&open_orders, &fills, &positions, broker_at_ms),
            Event::Command {
                by,
                update_id,
                command,
            } => self.on_command(by, update_id, command),
            Event::ConfigChanged {
                revision,
                by,
                update_id,
                changes,
                settings,
            } => {
                if let Some(id) = update_id {
                    self.remember_update(id);
                }
                self.take_settings(settings)?;
                self.revision = revision;
                self.notice(
                    NoticeClass::Control,
                    None,
                    Notice::ConfigChanged {
                        revision,
                        by,
                        changes,
                    },
                );
            }
            Event::SummaryDue {} => self.on_summary_due(),
            Event::GateChanged {
                gate,
                blocks,
                detail,
            } => self.on_gate_changed(gate, blocks, detail),
            Event::Told {
                class,
                event,
                lines,
            } => self.on_told(&class, event, lines),
        }
        Ok(())
    }

    fn take_settings(&mut self, mut settings: EngineSettings) -> Result<(), EngineError> {
        let refuse = |error: String| EngineError::Settings(error);
        let hours = Hours::new(&settings.session).map_err(|error| refuse(error.to_string()))?;
        RollingZ::new(settings.strategy.window, settings.strategy.ddof)
            .map_err(|error| refuse(error.to_string()))?;
        self.looser_limits = self.hold_back_looser_limits(&mut settings);
        self.when_flat = self.hold_back_until_flat(&mut settings);
        if settings == self.settings {
            return Ok(());
        }
        if settings.risk.max_position != self.settings.risk.max_position
            || settings.instrument != self.settings.instrument
        {
            self.risk.auto_notional_cents = None;
        }
        self.hours = hours;
        let before = std::mem::replace(&mut self.settings, settings).strategy;
        self.take_strategy(&before);
        Ok(())
    }

    /// Brings window and bars in line with the settings, which were `before`.
    fn take_strategy(&mut self, before: &StrategySettings) {
        let now = &self.settings.strategy;
        self.strategy.reconfigure(now, &self.settings.risk);
        let resampled = now.sampling_ms != before.sampling_ms || now.price != before.price;
        let refill = resampled || now.window != before.window;
        if resampled {
            self.bars = BarBuilder::new(now.sampling_ms);
            self.strategy.clear_window();
        }
        if refill {
            self.refill_window();
        }
    }

    /// Takes out of `settings` what would loosen a day limit within a trading day, and returns it for the next one. A
    /// restart in between changes nothing: the settings of `started` go through here too.
    fn hold_back_looser_limits(&self, settings: &mut EngineSettings) -> Option<LooserLimits> {
        if self.day.trade_date.is_empty() {
            return None;
        }
        let now = &self.settings.risk;
        let wanted = LooserLimits {
            daily_loss_cents: settings.risk.daily_loss_cents,
            loss_streak: settings.risk.loss_streak,
        };
        settings.risk.daily_loss_cents = wanted.daily_loss_cents.min(now.daily_loss_cents);
        settings.risk.loss_streak = wanted.loss_streak.min(now.loss_streak);
        let is_held_back = settings.risk.daily_loss_cents < wanted.daily_loss_cents
            || settings.risk.loss_streak < wanted.loss_streak;
        is_held_back.then_some(wanted)
    }

    /// Takes out of `settings` what must not change under an open position or an entry under way, and returns it for the
    /// next flat moment; what lowers risk is not held back. A restart in between changes nothing, as with the day limits.
    fn hold_back_until_flat(&self, settings: &mut EngineSettings) -> Option<Box<WhenFlat>> {
        if self.is_idle() {
            return None;
        }
        let now = &self.settings;
        let wanted = WhenFlat {
            strategy: settings.strategy.clone(),
            stop_cents: settings.risk.stop_cents,
            target_cents: settings.risk.target_cents,
            max_hold_ms: settings.risk.max_hold_ms,
            trailing_drawdown_cents: settings.risk.trailing_drawdown_cents,
            trailing_armed_at_cents: settings.risk.trailing_armed_at_cents,
        };
        settings.strategy = now.strategy.clone();
        settings.risk.stop_cents = now.risk.stop_cents;
        settings.risk.target_cents = now.risk.target_cents;
        settings.risk.max_hold_ms = wanted.max_hold_ms.min(now.risk.max_hold_ms);
        if let Some(allowed_cents) = now.risk.trailing_drawdown_cents {
            let tighter = wanted.trailing_drawdown_cents.unwrap_or(i64::MAX);
            settings.risk.trailing_drawdown_cents = Some(tighter.min(allowed_cents));
            settings.risk.trailing_armed_at_cents = wanted
                .trailing_armed_at_cents
                .min(now.risk.trailing_armed_at_cents);
        }
        let is_held_back = settings.strategy != wanted.strategy
            || settings.risk.stop_cents != wanted.stop_cents
            || settings.risk.target_cents != wanted.target_cents
            || settings.risk.max_hold_ms != wanted.max_hold_ms
            || settings.risk.trailing_drawdown_cents != wanted.trailing_drawdown_cents
            || settings.risk.trailing_armed_at_cents != wanted.trailing_armed_at_cents;
        is_held_back.then(|| Box::new(wanted))
    }

    /// Is nothing held and no entry under way?
    fn is_idle(&self) -> bool {
        self.position.signed() == 0 && self.entry.is_none()
    }

    /// Lets settings that waited for the flat moment come into force.
    fn release_when_flat(&mut self) {
        if !self.is_idle() {
            return;
        }
        let Some(waiting) = self.when_flat.take() else {
            return;
        };
        let before = std::mem::replace(&mut self.settings.strategy, waiting.strategy);
        let risk = &mut self.settings.risk;
        risk.stop_cents = waiting.stop_cents;
        risk.target_cents = waiting.target_cents;
        risk.max_hold_ms = waiting.max_hold_ms;
        risk.trailing_drawdown_cents = waiting.trailing_drawdown_cents;
        risk.trailing_armed_at_cents = waiting.trailing_armed_at_cents;
        self.take_strategy(&before);
    }

    /// Lets limits that waited for the new trading day come into force.
    pub fn release_looser_limits(&mut self) {
        let Some(limits) = self.looser_limits.take() else {
            return;
        };
        self.settings.risk.daily_loss_cents = limits.daily_loss_cents;
        self.settings.risk.loss_streak = limits.loss_streak;
        self.strategy
            .reconfigure(&self.settings.strategy, &self.settings.risk);
    }

    /// Brings the world nearer to what is wanted, one step at a time; asks to be woken for what comes next.
    pub fn settle(&mut self) {
        if self.market.stale_told {
            self.check_data_age();
        }
        self.advance_exit();
        self.protect();
        if self.when_flat.is_some() {
            self.release_when_flat();
        }
        self.want_margin();
        self.pump_asks();
        self.watch_gates();
        self.ask_wake(self.next_due_ms());
    }

    /// Adds an effect, caused by the present input.
    pub fn emit(&mut self, effect: Effect) {
        self.out.push(Caused {
            cause: self.seq,
            effect,
        });
    }

    /// Queues a notice; one with a key is told at most once in a minute.
    pub fn notice(&mut self, class: NoticeClass, key: Option<&str>, notice: Notice) {
        self.notice_every(NOTICE_FOLD_MS, class, key, notice);
    }

    /// Queues a notice; one with a key is told at most once in `fold_ms`.
    pub fn notice_every(
        &mut self,
        fold_ms: i64,
        class: NoticeClass,
        key: Option<&str>,
        notice: Notice,
    ) {
        if let Some(key) = key {
            let at_ms = self.at_ms;
            if self
                .told_at_ms
                .get(key)
                .is_some_and(|told_ms| at_ms - told_ms < fold_ms)
            {
                return;
            }
            self.told_at_ms
                .retain(|_, told_ms| at_ms - *told_ms < NOTICE_FOLD_MS_MAX);
            self.told_at_ms.insert(key.to_owned(), at_ms);
        }
        self.emit(Effect::NoticeQueued {
            class,
            dedupe_key: key.map(str::to_owned),
            notice,
        });
    }

    /// Notes something that should not happen.
    pub fn anomaly(&mut self, detail: String) {
        self.emit(Effect::Anomaly { detail });
    }

    /// Tells that a control tripped or cleared.
    pub fn control(&mut self, control: &str, tripped: bool, detail: String) {
        self.emit(Effect::Control {
            control: control.to_owned(),
            tripped,
            detail,
        });
    }

    /// Asks to be woken at `at_ms` unless that is asked for already.
    pub fn ask_wake(&mut self, at_ms: i64) {
        if at_ms < self.wake_at_ms {
            self.wake_at_ms = at_ms.max(self.at_ms + 1);
            let at_ms = self.wake_at_ms;
            self.emit(Effect::WakeAt { at_ms });
        }
    }

    /// Returns a fresh sequence number for order references: never used before, never going back.
    pub fn next_order_seq(&mut self) -> i64 {
        self.order_seq = self.seq.max(self.order_seq + 1);
        self.order_seq
    }

    /// Returns what one tick of one contract is worth.
    pub fn tick_value_cents(&self) -> i64 {
        self.settings.instrument.tick_value_cents
    }
}
