//! The runtime's own host process, controlled in the way that `lumos` does it.

use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use lumos_model::codec::{read_message, write_message};
use lumos_model::protocol::{BlockResult, FromHost, Prepare, ToHost};
use lumos_model::row::Sample;

/// A running host, which is killed when this is dropped.
pub struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

impl Host {
    pub fn start(executable: &Path) -> Self {
        let mut child = Command::new(executable)
            .arg("control")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", executable.display()));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Self { child, stdin, stdout: stdout.expect("it is a pipe") }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Prepares a cell. Returns the samples of its warm-up.
    pub fn prepare(&mut self, prepare: Prepare) -> Vec<Sample> {
        match self.ask(&ToHost::Prepare(Box::new(prepare))) {
            FromHost::Prepared { warmup } => warmup,
            other => panic!("the cell was not prepared: {other:?}"),
        }
    }

    pub fn block(&mut self, samples: u32) -> BlockResult {
        match self.ask(&ToHost::Block { samples, keep_output: false, budget: None }) {
            FromHost::Block(block) => block,
            other => panic!("the block was not measured: {other:?}"),
        }
    }

    /// Ends the host's input, after which it must exit by itself.
    pub fn end(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().expect("it is our child")
    }

    fn ask(&mut self, message: &ToHost) -> FromHost {
        let stdin = self.stdin.as_mut().expect("only `end` takes it");
        write_message(stdin, message).expect("the host reads");
        let answer = read_message(&mut self.stdout).expect("the host speaks the protocol");
        answer.expect("the host died; its error message is above")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // After `end` the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
