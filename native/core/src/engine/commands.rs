//! What people command, and the beginning and end of a run. A command is obeyed once; a repeat is answered and no more.

use super::core::{Core, NEVER_MS, ShellGate, UPDATE_IDS_MAX};
use crate::effect::{Effect, Notice, NoticeClass};
use crate::event::Command;
use crate::settings::DailyLossReset;
use crate::status::{ExitReason, Posture};

/// A gap after a crash that leaves it to a person to go on (C.12).
const CRASH_GAP_MS_MAX: i64 = 15 * 60_000;

impl Core {
    /// A run begins: nothing of the last connection holds, the posture does.
    pub fn on_started(&mut self, starts_trading: bool, after_crash: bool, latched: bool) {
        let last_ms = self.link.last_state_ms;
        self.wake_at_ms = NEVER_MS;
        self.unlink();
        self.link.state = crate::status::Link::Down;
        self.link.since_ms = self.at_ms;
        self.link.down_since_ms = Some(self.at_ms);
        self.link.market_was_open = false;
        self.link.told_down = false;
        self.link.down_alarms = 0;
        self.link.losses.clear();
        self.shell_gates.clear();
        self.risk.auto_notional_cents = None;
        self.link.feed_ok = true;
        if !self.posture.is_known {
            self.posture.is_known = true;
            if starts_trading {
                self.set_posture(Posture::Trading, None, "", "start");
            } else {
                self.posture.halted_by = "start".to_owned();
                self.emit(Effect::Latch {
                    by: "start".to_owned(),
                    reason: "live trading starts halted".to_owned(),
                });
                self.set_posture(
                    Posture::Halted,
                    None,
                    "live trading starts halted; /arm when ready",
                    "start",
                );
            }
        } else if after_crash
            && self.posture.now == Posture::Trading
            && last_ms > 0
            && self.at_ms - last_ms > CRASH_GAP_MS_MAX
        {
            self.pause(
                None,
                "the program was gone for more than 15 min; /resume when ready",
                "start",
            );
        }
        if latched && !self.is_halted() {
            self.posture.halted_by = "latch".to_owned();
            self.posture.halted_on = self.day.trade_date.clone();
            if self.posture.now == Posture::Flattening {
                self.posture.after_flatten = Posture::Halted;
            } else {
                self.set_posture(
                    Posture::Halted,
                    None,
                    "the halt latch lies on the disk",
                    "latch",
                );
            }
        } else if !latched && self.is_halted() {
            self.emit(Effect::Latch {
                by: "start".to_owned(),
                reason: self.posture.reason.clone(),
            });
        }
        let notice = Notice::Started {
            version: self.version.clone(),
            after_crash,
            posture: self.posture.now,
        };
        let class = if after_crash {
            NoticeClass::Critical
        } else {
            NoticeClass::System
        };
        self.notice(class, None, notice);
    }

    /// The run ends in order.
    pub fn on_stopped(&mut self, reason: String) {
        let orders = u32::try_from(self.orders.live().count()).unwrap_or(u32::MAX);
        let notice = Notice::Stopped {
            reason,
            position: self.position.signed(),
            orders,
        };
        self.notice(NoticeClass::System, None, notice);
    }

    /// A gate of the shell opened or closed.
    pub fn on_gate_changed(&mut self, gate: String, blocks: bool, detail: String) {
        let before = self.shell_gates.get(&gate).is_some_and(|gate| gate.blocks);
        if before != blocks {
            self.control(&gate, blocks, detail.clone());
        }
        self.shell_gates.insert(gate, ShellGate { blocks, detail });
    }

    /// The shell has something to tell.
    pub fn on_told(&mut self, class: &str, event: String, lines: Vec<String>) {
        let class = match class {
            "critical" => NoticeClass::Critical,
            "trade" => NoticeClass::Trade,
            "session" => NoticeClass::Session,
            "link" => NoticeClass::Link,
            "control" => NoticeClass::Control,
            _ => NoticeClass::System,
        };
        self.notice(class, None, Notice::Told { name: event, lines });
    }

    /// Remembers an update; returns whether it was known.
    pub fn remember_update(&mut self, update_id: i64) -> bool {
        if self.seen_updates.contains(&update_id) {
            return true;
        }
        if self.seen_updates.len() >= UPDATE_IDS_MAX {
            self.seen_updates.pop_front();
        }
        self.seen_updates.push_back(update_id);
        false
    }

    /// A person commands.
    pub fn on_command(&mut self, by: String, update_id: Option<i64>, command: Command) {
        let verb = match &command {
            Command::Pause { .. } => "pause",
            Command::Resume {} => "resume",
            Command::Flatten {} => "flatten",
            Command::Halt { .. } => "halt",
            Command::Arm {} => "arm",
            Command::Acknowledge { .. } => "acknowledge",
            Command::Adopt {} => "adopt",
        };
        let repeated = update_id.is_some_and(|id| self.remember_update(id));
        let (accepted, lines) = if repeated {
            (
                true,
                vec!["This was done before; nothing was done again.".to_owned()],
            )
        } else {
            self.obey(&by, command)
        };
        let verb = verb.to_owned();
        self.emit(Effect::CommandAnswered {
            by,
            update_id,
            verb,
            accepted,
            repeated,
            lines,
        });
    }

    fn obey(&mut self, by: &str, command: Command) -> (bool, Vec<String>) {
        match command {
            Command::Pause { until_ms } => self.obey_pause(by, until_ms),
            Command::Resume {} => self.obey_resume(by),
            Command::Flatten {} => self.obey_flatten(by),
            Command::Halt { reason } => self.obey_halt(by, &reason),
            Command::Arm {} => self.obey_arm(by),
            Command::Acknowledge { notice_id } => {
                if let Some(exit) = &mut self.exit {
                    exit.acknowledged = true;
                }
                (true, vec![format!("Notice #{notice_id} is acknowledged.")])
            }
            Command::Adopt {} => self.obey_adopt(),
        }
    }

    fn obey_pause(&mut self, by: &str, until_ms: Option<i64>) -> (bool, Vec<String>) {
        match self.posture.now {
            Posture::Halted => {
                return (
                    true,
                    vec!["Already halted: no entries until /arm.".to_owned()],
                );
            }
            Posture::Flattening => {
                return (
                    true,
                    vec!["A flatten is under way; entries stay off after it.".to_owned()],
                );
            }
            Posture::Trading | Posture::Paused => {}
        }
        if until_ms.is_some_and(|until_ms| until_ms <= self.at_ms) {
            return (
                false,
                vec!["That time has passed; nothing was changed.".to_owned()],
            );
        }
        self.pause(until_ms, "paused by a person", by);
        self.cancel_entries("paused by a person");
        (true, self.pause_lines(until_ms))
    }

    fn obey_resume(&mut self, by: &str) -> (bool, Vec<String>) {
        match self.posture.now {
            Posture::Trading => return (true, vec!["Entries are on already.".to_owned()]),
            Posture::Halted => {
                let reason = format!("Halted: {}.", self.posture.reason);
                return (
                    false,
                    vec![reason, "Entries stay off until /arm.".to_owned()],
                );
            }
            Posture::Flattening => {
                return (
                    false,
                    vec![
                        "A flatten is under way.".to_owned(),
                        "Resume when it is verified.".to_owned(),
                    ],
                );
            }
            Posture::Paused => {}
        }
        let refused = ["link", "reconciled", "contract"];
        let closed = self
            .gates(None)
            .into_iter()
            .find(|gate| !gate.open && refused.contains(&gate.name.as_str()));
        if let Some(gate) = closed {
            let line = format!("Refused by the gate \"{}\": {}.", gate.name, gate.detail);
            return (
                false,
                vec![
                    line,
                    "Nothing was changed; try again when it is open.".to_owned(),
                ],
            );
        }
        self.strategy.resume();
        self.resume_by(by);
        (true, self.resume_lines())
    }

    fn obey_flatten(&mut self, by: &str) -> (bool, Vec<String>) {
        let joins = self.posture.now == Posture::Flattening;
        self.adopt();
        self.begin_flatten(ExitReason::Flatten, by, Posture::Paused);
        self.advance_exit();
        (true, self.flatten_lines(joins))
    }

    fn obey_halt(&mut self, by: &str, reason: &str) -> (bool, Vec<String>) {
        let reason = if reason.is_empty() {
            "halted by a person"
        } else {
            reason
        };
        if self.is_halted() {
            return (
                true,
                vec!["Already halted: no entries until /arm.".to_owned()],
            );
        }
        self.halt("command", reason, by, vec!["entries are off".to_owned()]);
        (true, self.halt_lines())
    }

    fn obey_arm(&mut self, by: &str) -> (bool, Vec<String>) {
        if self.posture.now == Posture::Flattening {
            return (
                false,
                vec!["A flatten is under way; arm when it is verified.".to_owned()],
            );
        }
        if self.posture.now != Posture::Halted {
            return (
                false,
                vec!["Not halted; there is nothing to arm.".to_owned()],
            );
        }
        let causes = self.causes_that_persist();
        if !causes.is_empty() {
            let mut lines = vec!["Still halted, the cause persists:".to_owned()];
            lines.extend(causes);
            return (false, lines);
        }
        let control = self.posture.halted_by.clone();
        self.strategy.lift_day_halt();
        self.risk.rejects.clear();
        self.risk.round_trips.clear();
        self.risk.entries_without_trade = 0;
        self.questions.retain(|key, _| persists(key));
        self.emit(Effect::Unlatch { by: by.to_owned() });
        if control != "command" && !control.is_empty() {
            self.control(&control, false, format!("armed by {by}"));
        }
        self.set_posture(Posture::Trading, None, "", by);
        self.notice(
            NoticeClass::Control,
            None,
            Notice::Armed { by: by.to_owned() },
        );
        (true, self.arm_lines())
    }

    fn causes_that_persist(&self) -> Vec<String> {
        let mut causes = Vec::new();
        if !self.is_link_up() || !self.link.reconciled {
            causes.push("the link to the broker is not up and compared".to_owned());
        }
        if self.clock_is_beyond() {
            causes.push(self.skew_words());
        }
        for (key, question) in &self.questions {
            if persists(key) {
                causes.push(question.clone());
            }
        }
        if let Some((name, gate)) = self.shell_gates.iter().find(|(_, gate)| gate.blocks) {
            causes.push(format!("{name}: {}", gate.detail));
        }
        let same_day = self.posture.halted_on == self.day.trade_date;
        let left =
            self.settings.risk.daily_loss_cents + self.strategy.day_result_cents(self.open_cents());
        let by_person = self.settings.risk.daily_loss_reset == DailyLossReset::Arm;
        if left <= 0 {
            causes.push("the daily loss limit is used up".to_owned());
        } else if by_person && same_day && self.strategy.is_day_halted() {
            causes.push(
                "the daily loss limit was reached in this trading day; arm in the next one"
                    .to_owned(),
            );
        }
        causes
    }

    fn obey_adopt(&mut self) -> (bool, Vec<String>) {
        match self.adopt() {
            Some(position) => {
                self.protect();
                (true, self.adopt_lines(position))
            }
            None => (false, vec!["There is no position to adopt.".to_owned()]),
        }
    }
}

/// Is this a question that /arm cannot wave away: its cause is looked at anew and ends by itself.
fn persists(question: &str) -> bool {
    matches!(question, "position" | "contract" | "account") || question.starts_with("in_doubt:")
}
