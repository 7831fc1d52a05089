//! Runs a program of the system and reads its answer, within a time limit.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Standard output of `command`, when it ends well within `patience`.
pub fn answer_within(command: &mut Command, patience: Duration) -> Result<Vec<u8>, String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let deadline = Instant::now() + patience;
    let answer = read_aside(child.stdout.take());
    let complaint = read_aside(child.stderr.take());
    // The output ends when the process does, or when it says no more.
    let answer = answer.recv_timeout(patience);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                return answer.map_err(|_| "ended, but something keeps its output open".to_owned());
            }
            Ok(Some(status)) => {
                let complaint = complaint.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                let complaint = String::from_utf8_lossy(&complaint);
                let last = complaint.trim().lines().last().unwrap_or("no message").to_owned();
                return Err(format!("{status}: {last}"));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", patience.as_secs_f32()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

/// Reads all of a pipe in a thread of its own.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read is enough: the exit status says whether it is whole.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}
