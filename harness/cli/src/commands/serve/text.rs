//! What `lumos serve` says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::{ModeProof, Pooled};
use lumos_report::numbers;

use super::Serve;
use super::arguments::InstanceArgs;
use crate::commands::shared::function_names;

/// Longest request that is shown as an example.
const EXAMPLE_SHOWN: usize = 300;

impl Serve {
    /// What is served, for people.
    pub(super) fn describe(
        &self,
        address: SocketAddr,
        functions: &[Pooled],
        proofs: &[ModeProof],
        warnings: &[String],
    ) -> String {
        let mut text = format!(
            "serving on http://{address}: {} with {} isolation, {} storage\n\n",
            self.target, self.isolation, self.instance.storage
        );
        let width = self.functions.iter().map(String::len).max().unwrap_or(0);
        for (function, proof) in functions.iter().zip(proofs) {
            let _ = writeln!(
                text,
                "  POST /{:width$}  its canary takes {} of the time of the host's own code: {}",
                function.name,
                numbers::ratio(proof.slowdown()),
                proof.setting
            );
        }
        let PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } =
            self.pool.config();
        let scaling = match scaling {
            Scaling::Immediate => "immediate".to_owned(),
            Scaling::Window { window, utilization } => {
                format!("by a window of {window} at {utilization} %")
            }
        };
        let InstanceArgs { timeout, memory, cpus, .. } = &self.instance;
        let memory = memory.map_or("no bound".to_owned(), |memory| memory.to_string());
        let cpus = cpus.map_or("all".to_owned(), |cpus| cpus.to_string());
        let http = self.http.limits();
        let _ = write!(
            text,
            "  GET  /healthz\n  GET  /metrics\n\n\
             pool      {min_instances} to {max_instances} instances, {prewarmed} pre-warmed, \
             keep-alive {keep_alive}, queue {queue}, scaling {scaling}\n\
             instance  timeout {timeout}, memory {memory}, cores {cpus}\n\
             http      body {}, head {}, {} connections, idle {}, stay-awake {}\n",
            http.body, http.headers, http.connections, http.idle, self.http.stay_awake
        );
        for warning in warnings {
            let _ = writeln!(text, "without   {warning}");
        }
        text.push('\n');
        let example = functions
            .iter()
            .filter(|function| function_names().contains(&function.name.as_str()))
            .min_by_key(|function| function.prepare.request.len())
            .filter(|function| function.prepare.request.len() <= EXAMPLE_SHOWN);
        if let Some(Pooled { name, prepare, .. }) = example {
            let _ =
                writeln!(text, "try       curl -d '{}' http://{address}/{name}", prepare.request);
        }
        text.push_str("stop      Ctrl-C or SIGTERM\n");
        text
    }
}

/// What came of all requests.
pub(super) fn summary(causes: &BTreeMap<String, u64>) -> String {
    let all: u64 = causes.values().sum();
    let mut text = format!("\ndrained: {all} requests\n");
    let width = all.to_string().len();
    for (cause, count) in causes {
        let _ = writeln!(text, "  {count:>width$}  {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_adds_up() {
        let causes = [("answered".to_owned(), 99), ("trapped".to_owned(), 1)].into();
        let expected = "\ndrained: 100 requests\n   99  answered\n    1  trapped\n";
        assert_eq!(summary(&causes), expected);
        assert_eq!(summary(&BTreeMap::new()), "\ndrained: 0 requests\n");
    }
}
