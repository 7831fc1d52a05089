//! Runs a program and reads its output, within a time limit.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The standard output of `command`.
///
/// # Errors
/// When the program cannot be started, fails, or takes longer than `timeout`. The message is the
/// predicate of a sentence about the program, such as `cannot be started: ..`.
pub fn answer_within(command: &mut Command, timeout: Duration) -> Result<Vec<u8>, String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let deadline = Instant::now() + timeout;
    let stdout = read_in_thread(child.stdout.take());
    let stderr = read_in_thread(child.stderr.take());
    // The output ends when the process exits or closes it.
    let answer = stdout.recv_timeout(timeout);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                return answer
                    .map_err(|_| "exited, but another process keeps its output open".to_owned());
            }
            Ok(Some(status)) => {
                let message = stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                let message = String::from_utf8_lossy(&message);
                let last = message.trim().lines().last().unwrap_or("no message").to_owned();
                return Err(format!("{status}: {last}"));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", timeout.as_secs_f32()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

/// Reads a pipe to its end in a separate thread.
fn read_in_thread(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A read error may be ignored: the exit status shows whether the output is complete.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}
