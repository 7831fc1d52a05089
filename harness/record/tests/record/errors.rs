//! Each error names its place, and says what to do.

use std::path::Path;

use lumos_model::files;
use lumos_record::{RecordError, Rows, Run, RunWriter, read_manifest};

use crate::fixtures::{SCENARIO, append, manifest, row, run_of_two_blocks};

#[track_caller]
fn assert_says(error: &RecordError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn a_directory_without_a_run_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let errors = [
        (Run::open(dir.path()).unwrap_err(), files::ROWS),
        (Rows::open(dir.path()).unwrap_err(), files::ROWS),
        (read_manifest(dir.path()).unwrap_err(), files::MANIFEST),
        (RunWriter::resume(dir.path()).unwrap_err(), files::SCENARIO),
    ];
    for (error, file) in errors {
        assert!(matches!(error, RecordError::NoRun { missing, .. } if missing == file), "{error}");
        assert_says(&error, &["is not a run directory", file, "lumos run"]);
    }
}

#[test]
fn a_run_is_not_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let error = RunWriter::create(&dir, SCENARIO, None, &manifest(1)).unwrap_err();
    assert!(matches!(error, RecordError::Taken { .. }));
    assert_says(&error, &["already holds a run", "--out", "--resume"]);
    assert_eq!(read_manifest(&dir).unwrap().seed, 42);
}

#[test]
fn a_run_that_is_being_written_is_locked() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let (writer, _) = RunWriter::resume(&dir).unwrap();
    let error = RunWriter::resume(&dir).unwrap_err();
    assert!(matches!(error, RecordError::Locked { .. }));
    assert_says(&error, &["another lumos process"]);
    drop(writer);
    RunWriter::resume(&dir).unwrap();
}

#[test]
fn a_directory_that_cannot_be_created_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("out");
    let error = RunWriter::create(&below, SCENARIO, None, &manifest(1)).unwrap_err();
    assert!(matches!(&error, RecordError::Write { path, .. } if *path == below));
    assert_says(&error, &["cannot write", "file/out"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    std::fs::remove_file(dir.join(files::MANIFEST)).unwrap();
    std::fs::create_dir(dir.join(files::MANIFEST)).unwrap();
    let error = Run::open(&dir).unwrap_err();
    assert!(matches!(&error, RecordError::Read { path, .. } if path.ends_with(files::MANIFEST)));
    assert_says(&error, &["cannot read", files::MANIFEST]);
}

#[test]
fn a_damaged_manifest_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    for damaged in ["{", r#"{"schema":2}"#] {
        std::fs::write(dir.join(files::MANIFEST), damaged).unwrap();
        let error = read_manifest(&dir).unwrap_err();
        assert!(matches!(error, RecordError::Damaged { .. }));
        assert_says(&error, &[files::MANIFEST, "is damaged"]);
    }
}

#[test]
fn a_corrupt_line_is_named_unless_it_is_an_incomplete_last_one() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    append(&dir, files::ROWS, "\n{\"schema\":");
    append(&dir, files::TELEMETRY, "{\"schema\":");
    let run = Run::open(&dir).unwrap();
    let mut rows = run.rows().unwrap();
    assert_eq!(rows.by_ref().map(Result::unwrap).count(), 4);
    assert!(rows.is_cut_short());
    assert_eq!(run.telemetry().unwrap().map(Result::unwrap).count(), 2);

    append(&dir, files::ROWS, "\n");
    append(&dir, files::TELEMETRY, "\n");
    let errors = [
        (run.rows().unwrap().find_map(Result::err).unwrap(), 6, "invocations.jsonl:6"),
        (run.telemetry().unwrap().find_map(Result::err).unwrap(), 3, "telemetry.jsonl:3"),
    ];
    for (error, number, place) in errors {
        assert!(matches!(error, RecordError::CorruptLine { line, .. } if line == number));
        assert_says(&error, &[place, "is damaged", "delete the line"]);
    }
}

#[test]
fn a_later_schema_is_named_with_its_place() {
    let parent = tempfile::tempdir().unwrap();
    let dir = run_of_two_blocks(parent.path());
    let error_of_rows = |path: &Path| {
        let rows = std::fs::read(path).unwrap();
        Rows::new(rows.as_slice(), path.to_owned()).find_map(Result::err).unwrap()
    };
    let mut later = serde_json::to_value(row(2, 0)).unwrap();
    later["schema"] = 99.into();
    append(&dir, files::ROWS, &format!("{later}\n"));
    let error = error_of_rows(&dir.join(files::ROWS));
    assert!(matches!(error, RecordError::Later { line: Some(5), found: 99, .. }), "{error}");
    assert_says(&error, &["invocations.jsonl:5", "schema 99", "use the version of lumos"]);

    std::fs::write(dir.join(files::MANIFEST), r#"{"schema": 99}"#).unwrap();
    let error = Run::open(&dir).unwrap_err();
    assert!(matches!(error, RecordError::Later { line: None, found: 99, .. }), "{error}");
    assert_says(&error, &[files::MANIFEST, "schema 99"]);
}
