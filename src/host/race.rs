//! Two futures at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Which of two came first.
pub enum First<A, B> {
    /// The one named first; it also wins a tie.
    Left(A),
    /// The other.
    Right(B),
}

/// Waits for the first of two futures, and drops the other.
pub async fn race<A, B>(left: impl Future<Output = A>, right: impl Future<Output = B>) -> First<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(|context| {
        if let Poll::Ready(output) = left.as_mut().poll(context) {
            return Poll::Ready(First::Left(output));
        }
        right.as_mut().poll(context).map(First::Right)
    })
    .await
}

/// What the future gives when it is polled once, if it is ready by then. The poll starts its effect.
pub async fn at_once<A>(future: impl Future<Output = A> + Unpin) -> Option<A> {
    let mut future = future;
    poll_fn(|context| match std::pin::Pin::new(&mut future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
