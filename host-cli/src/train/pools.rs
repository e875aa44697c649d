//! Threads that each work on a block of a batch.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;

use super::TrainError;

/// One pool for each thread: dfdx hands every product to as many threads as its pool has, and small products lose more by
/// that than they gain.
pub(super) struct Pools(Vec<ThreadPool>);

impl Pools {
    /// `threads` of them, at most one a block and at least one.
    pub fn new(threads: usize, blocks: usize) -> Result<Self, TrainError> {
        (0..threads.clamp(1, blocks.max(1)))
            .map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build())
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|e| TrainError::Device(e.to_string()))
    }

    /// What `job` makes of each block, in order.
    pub fn map<R: Send>(&self, blocks: usize, job: impl Fn(usize) -> R + Sync) -> Vec<R> {
        let results: Vec<_> = (0..blocks).map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        on_all(&self.0, &|| {
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                let Some(result) = results.get(block) else {
                    return;
                };
                let done = job(block);
                *result.lock().expect("no block panics while it holds this") = Some(done);
            }
        });
        let whole = |result: Mutex<Option<R>>| result.into_inner().expect("no block panics while it holds this");
        results.into_iter().map(|result| whole(result).expect("every block was taken")).collect()
    }
}

/// Runs `job` once in every pool, at the same time, and waits for all.
fn on_all(pools: &[ThreadPool], job: &(dyn Fn() + Sync)) {
    match pools {
        [] => {}
        [only] => only.install(job),
        [pool, rest @ ..] => pool.in_place_scope(|scope| {
            scope.spawn(|_| job());
            on_all(rest, job);
        }),
    }
}
