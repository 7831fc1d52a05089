//! One request and its reply, timed by two processes on the clock that they share.

use lumos_model::phase::{Phase, Phases};
use lumos_model::wire::Reply;

/// One request and its reply. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The instance's own account.
    pub reply: Reply,
    /// Before the request's first byte was written.
    pub sent_ns: u64,
    /// After the reply's last byte was read.
    pub answered_ns: u64,
}

impl Exchange {
    /// The phases of the exchange. `launched_ns` is the start of the sandbox's launch if
    /// this is its first exchange.
    pub fn phases(&self, launched_ns: Option<u64>) -> Phases {
        let Reply { entered_ns, ready_ns, received_ns, replied_ns, .. } = self.reply;
        let Reply { load_ns, compile_ns, instantiate_ns, request_ns, response_ns, .. } = self.reply;
        let mut phases = Phases::default();
        phases.add(Phase::Load, load_ns);
        phases.add(Phase::Compile, compile_ns);
        phases.add(Phase::Instantiate, instantiate_ns);
        if let Some(launched_ns) = launched_ns {
            // The engine's own start, before it can load anything, is provisioning too.
            let boot_ns = ready_ns.saturating_sub(entered_ns);
            let engine_ns = boot_ns.saturating_sub(load_ns + compile_ns + instantiate_ns);
            phases.add(Phase::Provision, entered_ns.saturating_sub(launched_ns) + engine_ns);
        }
        let from_ns = self.sent_ns.max(ready_ns);
        phases.add(Phase::Request, received_ns.saturating_sub(from_ns) + request_ns);
        phases.add(Phase::Response, self.answered_ns.saturating_sub(replied_ns) + response_ns);
        phases
    }
}

#[cfg(test)]
mod tests {
    use lumos_model::wire::ReplyOutcome;

    use super::*;

    fn exchange() -> Exchange {
        let reply = Reply {
            outcome: ReplyOutcome::Answered,
            entered_ns: 130,
            ready_ns: 200,
            received_ns: 215,
            replied_ns: 300,
            load_ns: 20,
            compile_ns: 10,
            instantiate_ns: 5,
            request_ns: 1,
            response_ns: 2,
            memory_bytes: 0,
        };
        Exchange { reply, sent_ns: 110, answered_ns: 320 }
    }

    #[test]
    fn the_phases_of_a_new_process_cover_every_nanosecond() {
        let phases = exchange().phases(Some(100));
        assert_eq!(phases.get(Phase::Provision), 30 + 35);
        assert_eq!(phases.get(Phase::Request), 15 + 1);
        assert_eq!(phases.get(Phase::Response), 20 + 2);
        assert_eq!(phases.cold_start(), 100);
    }

    #[test]
    fn a_running_process_has_no_provisioning_phase() {
        let mut exchange = exchange();
        exchange.sent_ns = 205;
        let phases = exchange.phases(None);
        assert_eq!(phases.get(Phase::Provision), 0);
        assert_eq!(phases.get(Phase::Request), 10 + 1);
    }
}
