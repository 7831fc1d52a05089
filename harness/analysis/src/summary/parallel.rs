//! Computes on all cores.

/// Maps `items` in order. On one core of a Raspberry Pi, the bootstrap of some hundred cells
/// takes half a minute.
pub(super) fn in_parallel<T: Sync, U: Send>(items: &[T], map: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let share = items.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let map = &map;
        let workers: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().map(map).collect::<Vec<U>>()))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("statistics do not panic"))
            .collect()
    })
}
