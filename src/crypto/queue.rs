//! A queue of bounded length, for work that runs few at once. No sender fills it alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::sender::{is_shared, network};

/// What one sender may have of a queue: one part of so many.
const SHARE: usize = 2;

pub struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    by_sender: HashMap<IpAddr, usize>,
}

impl Queue {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, waiting: Mutex::default() })
    }

    /// A place, where there is one. Whom an address does not tell apart from others has no share of their own.
    pub fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Place> {
        let sender = from.filter(|address| !is_shared(*address)).map(network);
        let mut waiting = self.lock();
        if waiting.all >= self.most {
            return None;
        }
        if let Some(sender) = sender {
            let own = waiting.by_sender.entry(sender).or_default();
            if *own >= self.most / SHARE {
                return None;
            }
            *own += 1;
        }
        waiting.all += 1;
        drop(waiting);
        Some(Place { queue: self.clone(), sender })
    }

    /// How many may wait.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a queue, until it is dropped: when the work begins, or who waited for it hangs up.
pub struct Place {
    queue: Arc<Queue>,
    sender: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        waiting.all -= 1;
        let Some(sender) = self.sender else { return };
        if let Some(own) = waiting.by_sender.get_mut(&sender) {
            *own -= 1;
            if *own == 0 {
                waiting.by_sender.remove(&sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(queue: &Arc<Queue>, address: [u8; 4], times: usize) -> Vec<Place> {
        (0..times).map_while(|_| queue.enter(Some(address.into()))).collect()
    }

    #[test]
    fn r4_a_queue_is_bounded_and_has_room_again_for_each_that_leaves() {
        let queue = Queue::new(4);
        let mut places: Vec<Place> = (0..9).map_while(|_| queue.enter(None)).collect();
        assert_eq!((places.len(), queue.len()), (4, 4));
        places.pop();
        assert_eq!(queue.len(), 3);
        assert!(queue.enter(None).is_some());
        drop(places);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn r4_one_sender_leaves_half_of_the_queue_to_others() {
        let queue = Queue::new(10);
        let mut flood = enter(&queue, [192, 0, 2, 1], 10);
        assert_eq!(flood.len(), 5);
        let others = enter(&queue, [192, 0, 2, 2], 2);
        assert_eq!(others.len(), 2);
        flood.pop();
        flood.extend(enter(&queue, [192, 0, 2, 1], 10));
        assert_eq!(flood.len(), 5, "who leaves makes room for one more");
        drop((flood, others));
        assert!(queue.lock().by_sender.is_empty(), "who has left is forgotten");
    }

    #[test]
    fn r4_behind_a_proxy_the_whole_queue_is_for_all() {
        let queue = Queue::new(10);
        assert_eq!(enter(&queue, [10, 0, 0, 1], 20).len(), 10);
    }
}
