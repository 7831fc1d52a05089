//! What `lumos serve` prints.

use std::collections::BTreeMap;
use std::fmt::Write;

use lumos_model::pool::{PoolConfig, Scaling};
use lumos_report::numbers;
use lumos_runner::gateway::{Gateway, GatewaySettings, ServedFunction};

use super::arguments::InstanceArgs;

/// Longest request that is shown as an example.
const MAX_EXAMPLE_BYTES: usize = 300;

/// What is served, and where.
pub(super) fn announcement(
    settings: &GatewaySettings,
    instance: &InstanceArgs,
    gateway: &Gateway,
) -> String {
    let Gateway { address, functions, warnings, .. } = gateway;
    let GatewaySettings { target, isolation, storage, http, stay_awake, .. } = settings;
    let mut text = format!(
        "serving on http://{address}: {target} with {isolation} isolation, {storage} storage\n\n"
    );
    text += &paths(functions);
    let _ = write!(
        text,
        "\npool      {}\n\
         instance  {}\n\
         http      body {}, headers {}, {} connections, idle {}, stay-awake {stay_awake}\n",
        pool(&settings.pool),
        limits(instance),
        http.body,
        http.headers,
        http.connections,
        http.idle
    );
    for warning in warnings {
        let _ = writeln!(text, "without   {warning}");
    }
    text.push('\n');
    if let Some((name, request)) = example(functions) {
        let _ = writeln!(text, "try       curl -d '{request}' http://{address}/{name}");
    }
    text.push_str("stop      Ctrl-C or SIGTERM\n");
    text
}

fn paths(functions: &[ServedFunction]) -> String {
    let width = functions.iter().map(|function| function.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for ServedFunction { name, proof, .. } in functions {
        let canary = match proof.canary_ns {
            // Native code has no canary loop.
            0 => String::new(),
            _ => format!(
                "its canary loop takes {} the time of native code: ",
                numbers::ratio(proof.slowdown())
            ),
        };
        let _ = writeln!(text, "  POST /{name:width$}  {canary}{}", proof.setting);
    }
    text + "  GET  /healthz\n  GET  /metrics\n"
}

fn pool(pool: &PoolConfig) -> String {
    let PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } = pool;
    let scaling = match scaling {
        Scaling::Immediate => "immediate".to_owned(),
        Scaling::Window { window, utilization } => {
            format!("by a window of {window} at {utilization} %")
        }
    };
    format!(
        "{min_instances} to {max_instances} instances, {prewarmed} pre-warmed, keep-alive \
         {keep_alive}, queue {queue}, scaling {scaling}"
    )
}

fn limits(instance: &InstanceArgs) -> String {
    let InstanceArgs { timeout, memory, cpus, .. } = instance;
    let memory = memory.map_or("unlimited".to_owned(), |memory| memory.to_string());
    let cpus = cpus.map_or("all".to_owned(), |cpus| cpus.to_string());
    format!("timeout {timeout}, memory {memory}, cores {cpus}")
}

/// The function with the shortest example request, unless that is too long to show.
fn example(functions: &[ServedFunction]) -> Option<(&str, &str)> {
    let examples = functions.iter().filter_map(|f| Some((f.name.as_str(), f.example.as_deref()?)));
    let shortest = examples.min_by_key(|(_, request)| request.len());
    shortest.filter(|(_, request)| request.len() <= MAX_EXAMPLE_BYTES)
}

/// What came of all requests, by cause.
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
