//! The end of a guest's standard error.
//!
//! A panic writes its message there before the trap. The host's own standard error would be
//! flooded by thousands of instances. Writing never blocks and never fails.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamResult};

/// Bytes that are kept.
const KEPT: usize = 2048;
/// Bytes that a guest may write in one call.
const PERMIT: usize = 64 * 1024;

/// The last bytes that were written. Shared by an instance and its guest's streams.
#[derive(Clone, Default)]
pub struct StderrTail(Arc<Mutex<VecDeque<u8>>>);

impl StderrTail {
    /// The kept text, trimmed.
    pub fn text(&self) -> String {
        let mut kept = self.0.lock().expect("no thread panics while it holds the text");
        String::from_utf8_lossy(kept.make_contiguous()).trim().to_owned()
    }

    /// Drops the kept text.
    pub fn clear(&self) {
        self.0.lock().expect("no thread panics while it holds the text").clear();
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().expect("no thread panics while it holds the text");
        kept.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}

impl IsTerminal for StderrTail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for StderrTail {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for StderrTail {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for StderrTail {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

impl AsyncWrite for StderrTail {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_text_is_kept() {
        let stderr = StderrTail::default();
        stderr.push(&[b'a'; 3 * KEPT]);
        stderr.push(b"the end\n");
        let text = stderr.text();
        assert_eq!(text.len(), KEPT - 1);
        assert!(text.ends_with("aathe end"));
        stderr.clear();
        assert_eq!(stderr.text(), "");
    }
}
