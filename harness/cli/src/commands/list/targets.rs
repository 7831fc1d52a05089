//! `lumos list targets`.

use lumos_model::SCHEMA;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_scenario::hosts::{Host, absent_runtimes};
use serde_json::{Value, json};

use super::listing::Listing;
use crate::text::{Table, join};

/// The targets of `hosts`, and the runtimes that have no usable host.
pub(super) fn list(hosts: &[Host]) -> Listing {
    let mut table = Table::new(["target", "here", "version", "isolation", "start", "storage"]);
    let (mut reasons, mut list, mut absent) = (String::new(), Vec::new(), Vec::new());
    for host in hosts {
        match &host.result {
            Ok(can) => {
                for target in &can.targets {
                    table.row(row(can, target));
                    if let Some(reason) = &target.unavailable {
                        reasons += &format!("{}: {reason}\n", target.target);
                    }
                    list.push(entry(can, target));
                }
            }
            Err(reason) => absent.push((host.runtime(), reason.clone())),
        }
    }
    absent.extend(absent_runtimes(hosts));
    for (runtime, reason) in &absent {
        table.row([*runtime, "no", "", "", "", ""]);
        reasons += &format!("{runtime}: {reason}\n");
    }
    let absent: Vec<_> =
        absent.iter().map(|(runtime, why)| json!({ "runtime": runtime, "reason": why })).collect();
    let gap = if reasons.is_empty() { "" } else { "\n" };
    Listing {
        text: format!("{}{gap}{reasons}", table.lines()),
        json: json!({ "schema": SCHEMA, "targets": list, "absent": absent }),
    }
}

fn row(can: &Capabilities, target: &TargetCapability) -> [String; 6] {
    [
        target.target.to_string(),
        if target.unavailable.is_none() { "yes" } else { "no" }.to_owned(),
        version(can),
        join(&target.isolations),
        join(&target.starts),
        join(&target.storages),
    ]
}

fn entry(can: &Capabilities, target: &TargetCapability) -> Value {
    let mut entry = json!(target);
    entry["available"] = json!(target.unavailable.is_none());
    entry["versions"] = json!(can.versions);
    entry
}

/// The version of the runtime, or the versions of what it is made of.
fn version(can: &Capabilities) -> String {
    match can.versions.get(&can.runtime) {
        Some(version) => version.clone(),
        None => join(can.versions.iter().map(|(name, version)| format!("{name} {version}"))),
    }
}

#[cfg(test)]
mod tests {
    use lumos_testkit::plans::hosts;

    use super::*;

    #[test]
    fn targets_show_what_they_can_do_or_why_they_cannot_run() {
        let mut hosts = hosts();
        hosts.push(Host {
            path: "lumos-host-broken".into(),
            result: Err("lumos-host-broken capabilities: exit status: 127".to_owned()),
        });
        let Listing { text, json } = list(&hosts);
        // The table is as wide as the terminal; the lines below it are not.
        let (table, reasons) = text.split_once("\n\n").unwrap();
        assert!(
            table.contains("wasmtime-aot  yes") && table.contains("wasmtime-jit  no"),
            "{text}"
        );
        insta::assert_snapshot!(reasons, @r"
        wasmtime-jit: no JIT here: install it
        broken: lumos-host-broken capabilities: exit status: 127
        wasmedge: lumos-host-wasmedge is not in the folder of lumos: run ./scripts/setup.sh and ./scripts/build.sh
        ");
        assert_eq!(json["targets"][2]["available"], false);
        assert_eq!(json["absent"][0]["runtime"], "broken");
    }
}
