//! A run that was ended early continues with its complete blocks.

use std::fs;

use lumos_model::files::{ROWS, TELEMETRY};
use lumos_record::{Run, RunWriter};

use crate::fixtures::{append, block, row, run_of_two_blocks};

#[test]
fn a_complete_run_is_not_rewritten() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let modified = |name: &str| dir.join(name).metadata().unwrap().modified().unwrap();
    let before = [ROWS, TELEMETRY].map(modified);
    let (_writer, complete) = RunWriter::resume(&dir).unwrap();
    assert_eq!(complete, [block(0).block_id(), block(1).block_id()].into());
    assert_eq!([ROWS, TELEMETRY].map(modified), before);
}

#[test]
fn rows_of_incomplete_blocks_are_removed_and_can_be_written_again() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let rows = fs::read_to_string(dir.join(ROWS)).unwrap();
    let telemetry = fs::read_to_string(dir.join(TELEMETRY)).unwrap();
    let third = serde_json::to_string(&row(2, 0)).unwrap();
    // Killed while the second row of the third block, and its telemetry, were written.
    append(&dir, ROWS, &format!("{third}\n{}", &third[..third.len() / 2]));
    append(&dir, TELEMETRY, "{\"schema\":1,\"ce");
    let (mut writer, complete) = RunWriter::resume(&dir).unwrap();
    assert_eq!(complete.len(), 2);
    assert_eq!(fs::read_to_string(dir.join(ROWS)).unwrap(), rows);
    assert_eq!(fs::read_to_string(dir.join(TELEMETRY)).unwrap(), telemetry);

    writer.append(&[row(2, 0), row(2, 1)], &block(2)).unwrap();
    let run = Run::open(&dir).unwrap();
    assert_eq!(run.rows().unwrap().map(Result::unwrap).count(), 6);
    assert_eq!(run.telemetry().unwrap().map(Result::unwrap).count(), 3);
    assert_eq!(dir.read_dir().unwrap().count(), 4, "no temporary file is left");
}

#[test]
fn incomplete_blocks_in_the_middle_and_damaged_lines_are_removed() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let telemetry = fs::read_to_string(dir.join(TELEMETRY)).unwrap();
    let second = telemetry.lines().nth(1).unwrap();
    fs::write(dir.join(TELEMETRY), format!("damaged\n\n{second}\n")).unwrap();
    let (_writer, complete) = RunWriter::resume(&dir).unwrap();
    assert_eq!(complete, [block(1).block_id()].into());
    let run = Run::open(&dir).unwrap();
    let rows: Vec<_> = run.rows().unwrap().map(|row| row.unwrap().block).collect();
    assert_eq!(rows, [1, 1]);
    assert_eq!(fs::read_to_string(dir.join(TELEMETRY)).unwrap(), format!("{second}\n"));
}

#[test]
fn a_last_line_that_lacks_only_its_line_feed_is_kept_and_terminated() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let whole = [ROWS, TELEMETRY].map(|name| {
        let text = fs::read_to_string(dir.join(name)).unwrap();
        fs::write(dir.join(name), text.trim_end()).unwrap();
        text
    });
    let (_writer, complete) = RunWriter::resume(&dir).unwrap();
    assert_eq!(complete.len(), 2);
    assert_eq!([ROWS, TELEMETRY].map(|name| fs::read_to_string(dir.join(name)).unwrap()), whole);
}
