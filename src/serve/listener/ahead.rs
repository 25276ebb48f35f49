use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are read at once: two records of TLS. A peer that sends more than is read makes a connection hold so many.
const AHEAD: usize = 32 * 1024;

thread_local! {
    /// Where the connections of a thread read to, one after the other. It is taken along while bytes of it are left.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// A connection that is read in large pieces. TLS asks for 4 KiB at a time, and each time would be a system call.
#[derive(Debug)]
pub(super) struct ReadAhead<I> {
    io: I,
    left: Option<Piece>,
}

/// Bytes that were read and not yet asked for.
#[derive(Debug)]
struct Piece {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
}

impl<I> ReadAhead<I> {
    pub(super) fn new(io: I) -> Self {
        Self { io, left: None }
    }

    /// The bytes that are left, as far as there is room for them.
    fn give(&mut self, mut piece: Piece, buffer: &mut ReadBuf<'_>) {
        let left = piece.bytes.get(piece.from..piece.to).unwrap_or_default();
        let given = left.get(..buffer.remaining()).unwrap_or(left);
        buffer.put_slice(given);
        piece.from = piece.from.saturating_add(given.len());
        if piece.from < piece.to {
            self.left = Some(piece);
        } else {
            SPARE.set(Some(piece.bytes));
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for ReadAhead<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(piece) = self.left.take() {
            self.give(piece, buffer);
            return Poll::Ready(Ok(()));
        }
        let mut bytes = SPARE.take().unwrap_or_else(|| vec![0; AHEAD].into());
        let mut ahead = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut self.io).poll_read(context, &mut ahead);
        let to = ahead.filled().len();
        if to == 0 {
            SPARE.set(Some(bytes));
        } else {
            self.give(Piece { bytes, from: 0, to }, buffer);
        }
        ready!(read)?;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for ReadAhead<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_read_ahead_comes_in_order_and_whole() {
        let (near, mut far) = duplex(3 * AHEAD);
        let sent: Vec<u8> = (0..2 * AHEAD + 5).map(|index| (index % 251) as u8).collect();
        far.write_all(&sent).await.unwrap();
        drop(far);
        let mut near = ReadAhead::new(near);
        let mut received = vec![0; 4096];
        near.read_exact(&mut received).await.unwrap();
        assert_eq!(near.left.as_ref().map(|piece| piece.to), Some(AHEAD));
        near.read_to_end(&mut received).await.unwrap();
        assert!(received == sent);
        assert!(near.left.is_none());
    }

    #[tokio::test]
    async fn connections_do_not_mix() {
        let ((near, mut far), (near_too, mut far_too)) = (duplex(64), duplex(64));
        let (mut near, mut near_too) = (ReadAhead::new(near), ReadAhead::new(near_too));
        far.write_all(b"first").await.unwrap();
        far_too.write_all(b"second").await.unwrap();
        let (mut one, mut other) = ([0; 2], [0; 2]);
        near.read_exact(&mut one).await.unwrap();
        near_too.read_exact(&mut other).await.unwrap();
        assert_eq!((&one, &other), (b"fi", b"se"));
        let (mut one, mut other) = ([0; 3], [0; 4]);
        near.read_exact(&mut one).await.unwrap();
        near_too.read_exact(&mut other).await.unwrap();
        assert_eq!((&one, &other), (b"rst", b"cond"));
    }

    #[tokio::test]
    async fn an_idle_connection_keeps_nothing() {
        let (near, mut far) = duplex(64);
        let mut near = ReadAhead::new(near);
        far.write_all(b"x").await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), b'x');
        assert!(near.left.is_none());
        let spare = SPARE.take();
        assert_eq!(spare.as_ref().map(|bytes| bytes.len()), Some(AHEAD));
        SPARE.set(spare);
        let read = tokio::time::timeout(std::time::Duration::from_millis(1), near.read_u8()).await;
        assert!(read.is_err() && near.left.is_none(), "it waits, and keeps nothing meanwhile");
    }
}
