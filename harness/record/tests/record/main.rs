//! A run directory as its writer leaves it and its readers find it.

mod errors;
mod fixtures;
mod resume;

use lumos_record::{Run, RunWriter};

use crate::fixtures::{SCENARIO, block, manifest, row};

#[test]
fn a_reader_finds_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("day.csv");
    std::fs::write(&trace, "at_s\n0\n").unwrap();
    let out = dir.path().join("results/out");
    let mut writer = RunWriter::create(&out, SCENARIO, Some(&trace), &manifest(7)).unwrap();
    assert_eq!(writer.dir(), out);
    let rows = [row(0, 0), row(0, 1)];
    writer.append(&rows, &block(0)).unwrap();
    writer.write_manifest(&manifest(8)).unwrap();

    let run = Run::open(&out).unwrap();
    assert_eq!(run.dir(), out);
    assert_eq!(run.manifest().unwrap().seed, 8);
    assert_eq!(std::fs::read_to_string(run.scenario_path()).unwrap(), SCENARIO);
    assert_eq!(std::fs::read_to_string(out.join("trace.csv")).unwrap(), "at_s\n0\n");
    assert_eq!(run.rows().unwrap().map(Result::unwrap).collect::<Vec<_>>(), rows);
    assert_eq!(run.telemetry().unwrap().map(Result::unwrap).collect::<Vec<_>>(), [block(0)]);
    assert_eq!(out.read_dir().unwrap().count(), 5, "no temporary file is left");
}
