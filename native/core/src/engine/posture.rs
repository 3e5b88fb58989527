//! Exactly one posture at a time: what may be entered, since when, why, and what follows a flatten.

use super::core::Core;
use crate::effect::{Effect, Notice, NoticeClass};
use crate::status::{Leg, Posture};
use serde::{Deserialize, Serialize};

/// The posture and its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PostureState {
    pub now: Posture,
    /// End of a pause; none = until a person says so.
    pub until_ms: Option<i64>,
    /// A pause that also ends with the session.
    pub until_session: bool,
    pub reason: String,
    /// Who or "risk".
    pub by: String,
    /// What follows once a flatten is verified.
    pub after_flatten: Posture,
    /// Event name of the control that halted; "command" where a person did; empty where not halted.
    pub halted_by: String,
    /// Trading day of the halt.
    pub halted_on: String,
    /// True once a run has begun: a posture is known that a restart must keep.
    pub is_known: bool,
}

impl PostureState {
    pub fn new() -> PostureState {
        PostureState {
            now: Posture::Paused,
            until_ms: None,
            until_session: false,
            reason: "not started".to_owned(),
            by: String::new(),
            after_flatten: Posture::Paused,
            halted_by: String::new(),
            halted_on: String::new(),
            is_known: false,
        }
    }
}

impl Core {
    /// Changes the posture and tells the record; nothing where it is the same.
    pub fn set_posture(&mut self, to: Posture, until_ms: Option<i64>, reason: &str, by: &str) {
        let from = self.posture.now;
        if from == to && self.posture.until_ms == until_ms && self.posture.reason == reason {
            return;
        }
        self.posture.now = to;
        self.posture.until_ms = until_ms;
        self.posture.until_session = false;
        self.posture.reason = reason.to_owned();
        self.posture.by = by.to_owned();
        if to == Posture::Trading {
            self.posture.halted_by.clear();
            self.posture.reason.clear();
        }
        self.emit(Effect::PostureChanged {
            from,
            to,
            until_ms,
            reason: reason.to_owned(),
        });
    }

    /// Halts entries until a person arms: the latch first, then the record, the entries' end and the alarm (D34).
    pub fn halt(&mut self, control: &str, detail: &str, by: &str, doing: Vec<String>) {
        if self.is_halted() {
            self.control(control, true, format!("{detail} (halted already)"));
            return;
        }
        self.emit(Effect::Latch {
            by: by.to_owned(),
            reason: detail.to_owned(),
        });
        if control != "command" {
            self.control(control, true, detail.to_owned());
        }
        self.posture.halted_by = control.to_owned();
        self.posture.halted_on = self.day.trade_date.clone();
        if self.posture.now == Posture::Flattening {
            self.posture.after_flatten = Posture::Halted;
        } else {
            self.set_posture(Posture::Halted, None, detail, by);
        }
        self.cancel_entries("entries are halted");
        let today = self.today();
        let notice = Notice::Halted {
            control: control.to_owned(),
            detail: detail.to_owned(),
            doing,
            today,
        };
        self.notice(NoticeClass::Critical, None, notice);
    }

    /// Is true where a halt is in force, or due after a flatten.
    pub fn is_halted(&self) -> bool {
        self.posture.now == Posture::Halted
            || (self.posture.now == Posture::Flattening
                && self.posture.after_flatten == Posture::Halted)
    }

    /// Pauses entries; a halt or a flatten under way stays what it is.
    pub fn pause(&mut self, until_ms: Option<i64>, reason: &str, by: &str) {
        match self.posture.now {
            Posture::Halted | Posture::Flattening => return,
            Posture::Trading | Posture::Paused => {}
        }
        self.set_posture(Posture::Paused, until_ms, reason, by);
        let notice = Notice::Paused {
            until_ms,
            reason: reason.to_owned(),
            by: by.to_owned(),
        };
        self.notice(NoticeClass::Control, None, notice);
    }

    /// Ends a pause whose time has come.
    pub fn end_pause(&mut self) {
        if self.posture.now == Posture::Paused
            && self
                .posture
                .until_ms
                .is_some_and(|until_ms| self.at_ms >= until_ms)
        {
            self.resume_by("timer");
        }
    }

    /// Lets entries go on.
    pub fn resume_by(&mut self, by: &str) {
        self.set_posture(Posture::Trading, None, "", by);
        self.notice(
            NoticeClass::Control,
            None,
            Notice::Resumed { by: by.to_owned() },
        );
    }

    /// Takes back entries that may still fill.
    pub fn cancel_entries(&mut self, why: &str) {
        for order_ref in self.orders.live_refs(|order| order.leg == Leg::Entry) {
            self.cancel_order(&order_ref, why);
        }
    }
}
