//! What a person is answered: what was done, or why not and what to do instead.

use super::core::Core;
use crate::status::Posture;

impl Core {
    pub(super) fn pause_lines(&self, until_ms: Option<i64>) -> Vec<String> {
        let until = match until_ms {
            Some(until_ms) => format!("Entries are off until {}.", self.hours.clock(until_ms)),
            None => "Entries are off until /resume.".to_owned(),
        };
        vec![until, self.untouched_line()]
    }

    pub(super) fn resume_lines(&self) -> Vec<String> {
        let mut lines = vec!["Entries are on.".to_owned()];
        let closed = self
            .gates(None)
            .into_iter()
            .find(|gate| !gate.open && gate.name != "position");
        if let Some(gate) = closed {
            lines.push(format!("Still closed: {} ({}).", gate.name, gate.detail));
        }
        lines
    }

    pub(super) fn halt_lines(&self) -> Vec<String> {
        vec![
            "Halted: no entries until /arm.".to_owned(),
            self.untouched_line(),
        ]
    }

    pub(super) fn arm_lines(&self) -> Vec<String> {
        vec![
            "Armed: entries are on.".to_owned(),
            format!(
                "Daily limit: {} left.",
                super::risk::cents(self.today().loss_left_cents)
            ),
        ]
    }

    pub(super) fn adopt_lines(&self, position: i64) -> Vec<String> {
        let mut lines = vec![format!("A position of {position} is ours from now on.")];
        if let Some(stop_ticks) = self.trip.as_ref().and_then(|trip| trip.stop_ticks) {
            lines.push(format!("Its stop is placed at {stop_ticks} t."));
        }
        if self.posture.now == Posture::Halted {
            lines.push("Entries stay off until /arm.".to_owned());
        }
        lines
    }

    pub(super) fn flatten_lines(&self, joins: bool) -> Vec<String> {
        let signed = self.position.signed();
        let orders = self.orders.live().count();
        let mut lines = Vec::new();
        if joins {
            lines.push("A flatten is under way already; this one joins it.".to_owned());
        }
        lines.push(format!(
            "Entries are off. Position {signed}, {orders} own orders."
        ));
        if !self.is_link_up() {
            lines.push(
                "NOT flat: the link to the broker is down; a stop rests at the broker.".to_owned(),
            );
            lines.push("The flatten is kept and runs first when the link is back.".to_owned());
        } else if !self.link.reconciled {
            lines.push(
                "The broker is being asked what is true; the flatten runs right after.".to_owned(),
            );
        } else if signed != 0 && self.market_open() == Some(false) {
            lines.push(
                "The market is closed: the exit runs when it opens; the stop keeps its place."
                    .to_owned(),
            );
        } else {
            lines.push("Flat is said once the broker has confirmed it.".to_owned());
        }
        lines
    }

    fn untouched_line(&self) -> String {
        let signed = self.position.signed();
        if signed == 0 {
            return "No position is open.".to_owned();
        }
        let (side, size) = (if signed > 0 { "LONG" } else { "SHORT" }, signed.abs());
        format!("Position {side} {size}, its stop, target and exits are untouched.")
    }
}
