//! Work that falls into parts, done on several threads.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Bytes of stack for each thread that reads or computes: what nests as deep as it may must fit, also unoptimised, and
/// whatever the first thread is given by whoever starts it. Only what is used is taken.
pub const STACK: usize = 16 << 20;

/// What `work` makes of each part, in their order, on at most so many threads, and no more than there are processors.
pub fn each<P: Sync, R: Send>(parts: &[P], most: usize, work: impl Fn(&P) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let own = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(index) else { return done };
            done.push((index, work(part)));
        }
    };
    // How many processors there are is read from files: not where it does not matter.
    let threads = match parts.len().min(most) {
        most @ (0 | 1) => most,
        most => most.min(thread::available_parallelism().map_or(1, NonZero::get)),
    };
    let mut done = thread::scope(|scope| {
        let begin = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, own).ok();
        // Where no thread is to be had, this one does it.
        let others: Vec<_> = (1..threads).map_while(begin).collect();
        let mut done = own();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Two pieces of work at the same time, the second one on this thread.
pub fn both<A: Send, B>(first: impl Fn() -> A + Sync, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let begun = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &first);
        let second = second();
        // Where no thread is to be had, this one does both.
        let first = match begun {
            Ok(begun) => begun.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => first(),
        };
        (first, second)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_part_is_done_once_and_they_come_in_their_order() {
        let parts: Vec<u32> = (0..1000).collect();
        for most in [0, 1, 2, 100] {
            assert_eq!(
                super::each(&parts, most, |part| part * 2),
                parts.iter().map(|part| part * 2).collect::<Vec<_>>()
            );
        }
        assert_eq!(super::each(&[], 2, |part: &u32| *part), Vec::<u32>::new());
    }

    #[test]
    fn both_are_done() {
        assert_eq!(super::both(|| 1, || "two"), (1, "two"));
    }
}
