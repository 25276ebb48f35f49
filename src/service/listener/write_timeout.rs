//! Writing to a peer that may take nothing.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::read_buffer::ReadBuffer;

/// A connection whose peer takes what it is sent. Where it takes nothing for so long, writing
/// fails: answers that nobody reads would stay in memory for ever. It is read in large pieces.
#[derive(Debug)]
pub(super) struct WriteTimeout<I> {
    io: I,
    read_buffer: ReadBuffer,
    write_timeout: Duration,
    /// Runs out while the peer takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<I> WriteTimeout<I> {
    pub(super) fn new(io: I, write_timeout: Duration) -> Self {
        Self { io, read_buffer: ReadBuffer::default(), write_timeout, stuck: None }
    }

    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(self.write_timeout)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WriteTimeout<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, read_buffer, .. } = &mut *self;
        read_buffer.poll_read(io, context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (near, _far) = duplex(8);
        let mut near = WriteTimeout::new(near, Duration::from_millis(1));
        let error = near.write_all(&[0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_little_is_waited_for() {
        let (near, mut far) = duplex(8);
        let mut near = WriteTimeout::new(near, Duration::from_secs(3_600));
        near.write_all(&[0; 8]).await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(Pin::new(&mut near).poll_write(&mut context, &[0]).is_pending());
            assert!(near.stuck.is_some());
            far.read_u8().await.unwrap();
            assert!(Pin::new(&mut near).poll_write(&mut context, &[0]).is_ready());
            assert!(near.stuck.is_none(), "it has as much time again");
        }
    }
}
