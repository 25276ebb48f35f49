use std::collections::VecDeque;
use std::convert::Infallible;

use tokio::sync::oneshot::{Receiver, Sender, channel};

/// The handshakes that have begun and may not have finished, oldest first. Dropping it displaces them all.
#[derive(Debug)]
pub(super) struct Handshakes {
    begun: VecDeque<Sender<Infallible>>,
    most: usize,
}

/// Held by a handshake while it lasts. It resolves, to an error, when the handshake has to give way.
pub(super) type Place = Receiver<Infallible>;

impl Handshakes {
    pub(super) fn new(most: usize) -> Self {
        Self { begun: VecDeque::new(), most: most.max(1) }
    }

    /// Makes room for another, if need be at the expense of the oldest.
    pub(super) fn begin(&mut self) -> Place {
        while self.begun.front().is_some_and(Sender::is_closed) {
            self.begun.pop_front();
        }
        if self.begun.len() >= self.most {
            self.begun.retain(|handshake| !handshake.is_closed());
        }
        if self.begun.len() >= self.most {
            self.begun.pop_front();
        }
        let (sender, place) = channel();
        self.begun.push_back(sender);
        place
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn displaced(place: &mut Place) -> bool {
        place.try_recv() == Err(TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut handshakes = Handshakes::new(2);
        let mut first = handshakes.begin();
        let mut second = handshakes.begin();
        assert!(!displaced(&mut first));
        let mut third = handshakes.begin();
        assert!(displaced(&mut first));
        assert!(!displaced(&mut second));
        assert!(!displaced(&mut third));
    }

    #[test]
    fn finished_ones_take_no_place() {
        let mut handshakes = Handshakes::new(2);
        let mut mute = handshakes.begin();
        for _ in 0..100 {
            drop(handshakes.begin());
        }
        assert!(!displaced(&mut mute));
        assert!(handshakes.begun.len() <= 2);
    }

    #[test]
    fn the_end_displaces_all() {
        let mut handshakes = Handshakes::new(2);
        let mut place = handshakes.begin();
        drop(handshakes);
        assert!(displaced(&mut place));
    }
}
