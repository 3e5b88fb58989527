//! Our clock against the broker's (D27). The broker tells whole seconds, and its answer travels; only what neither can
//! explain is skew.

use super::core::Core;
use super::risk::seconds;
use crate::effect::{Notice, NoticeClass};
use crate::status::Gate;
use serde::{Deserialize, Serialize};

/// A broker's second may have begun so long ago.
const RESOLUTION_MS: i64 = 999;
/// More than this is told, and keeps entries out.
const SKEW_MS_WARN: i64 = 500;
/// More than this halts, once so many looks in a row have shown it.
const SKEW_MS_HALT: i64 = 2_000;
const LOOKS_TO_HALT: u32 = 3;
/// The next look after one that was beyond.
const LOOK_AGAIN_MS: i64 = 3_000;
/// The clocks must have agreed for so long.
const GOOD_MS: i64 = 60_000;

/// What the last looks said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClockState {
    /// By how much the clocks differ for certain; the broker's is ahead where above 0.
    skew_ms: i64,
    /// Looks in a row that were beyond the halt's limit.
    beyond: u32,
    /// When a look was last beyond the first limit; 0 = never.
    bad_at_ms: i64,
}

impl Core {
    /// Compares the broker's time, which was read after `asked_ms`, with ours.
    pub fn check_clock(&mut self, brokers_ms: i64, asked_ms: i64) {
        let ahead_ms = (brokers_ms - self.at_ms).max(0);
        let behind_ms = (asked_ms - (brokers_ms + RESOLUTION_MS)).max(0);
        let skew_ms = ahead_ms - behind_ms;
        let was_bad = self.clock.skew_ms.abs() > SKEW_MS_WARN;
        let is_bad = skew_ms.abs() > SKEW_MS_WARN;
        self.clock.skew_ms = skew_ms;
        self.clock.beyond = if skew_ms.abs() > SKEW_MS_HALT {
            self.clock.beyond + 1
        } else {
            0
        };
        if is_bad {
            self.clock.bad_at_ms = self.at_ms;
            self.want_state(self.at_ms + LOOK_AGAIN_MS);
        }
        if is_bad != was_bad {
            self.control("clock", is_bad, self.skew_words());
        }
        if is_bad && !was_bad {
            let lines = vec![
                format!("The clocks differ: {}.", self.skew_words()),
                "Entries wait; set this machine's clock by a time server.".to_owned(),
            ];
            let told = Notice::Told {
                name: "clock".to_owned(),
                lines,
            };
            self.notice(NoticeClass::System, Some("clock"), told);
        }
        if self.clock.beyond == LOOKS_TO_HALT {
            let words = self.skew_words();
            self.halt("clock", &words, "risk", vec!["entries are off".to_owned()]);
        }
    }

    /// Is the clock beyond what /arm may wave away?
    pub fn clock_is_beyond(&self) -> bool {
        self.clock.skew_ms.abs() > SKEW_MS_HALT
    }

    /// Returns how the clocks stand, for a person.
    pub fn skew_words(&self) -> String {
        let seconds = seconds(self.clock.skew_ms.abs());
        match self.clock.skew_ms.signum() {
            1 => format!("the broker's clock is {seconds} ahead of this machine's"),
            -1 => format!("the broker's clock is {seconds} behind this machine's"),
            _ => "the clocks agree".to_owned(),
        }
    }

    /// Do the clocks agree, and have they for a minute?
    pub fn clock_gate(&self) -> Gate {
        let since_ms = self.at_ms - self.clock.bad_at_ms;
        let open = self.clock.bad_at_ms == 0 || since_ms >= GOOD_MS;
        let detail = if open || self.clock.skew_ms != 0 {
            self.skew_words()
        } else {
            "the clocks agree again, not yet for a minute".to_owned()
        };
        Gate {
            name: "clock".to_owned(),
            open,
            detail,
        }
    }
}
