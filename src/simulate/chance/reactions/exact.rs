//! One reaction after the other, exactly.
//!
//! Few channels: the direct method. Many: the next reaction method, whose work for one reaction
//! grows with the logarithm of their number.

use super::network::Network;
use super::path::Path;
use super::queue::{Queue, waiting_time};
use super::sums::Sums;
use crate::kernel::Stream;
use crate::simulate::Stop;
use crate::simulate::interrupter::Interrupter;

/// Channels from which on the next reaction method takes over. In a ring of species, each of which
/// becomes the next, the direct method takes 0.8 of its time with 256 channels, 0.9 with 512, and
/// 1.1 times as long with 1024.
const MANY: usize = 800;

/// Which channels to look at after each.
pub(super) struct Graph {
    starts: Vec<usize>,
    targets: Vec<usize>,
}

impl Graph {
    /// From each channel to those whose propensities read what it changes.
    pub fn new(network: &Network<'_>) -> Graph {
        let propensities = network.propensities;
        let mut graph = Graph {
            starts: Vec::with_capacity(network.len() + 1),
            targets: Vec::new(),
        };
        let mut seen_at = vec![usize::MAX; network.len()];
        for (at, channel) in propensities.channels.iter().enumerate() {
            graph.starts.push(graph.targets.len());
            let readers = |position: usize| propensities.readers[position].iter();
            for reader in channel.change.iter().flat_map(|known| readers(known.0)) {
                if std::mem::replace(&mut seen_at[*reader], at) != at {
                    graph.targets.push(*reader);
                }
            }
        }
        graph.starts.push(graph.targets.len());
        graph
    }

    #[inline]
    pub fn affected(&self, channel: usize) -> &[usize] {
        &self.targets[self.starts[channel]..self.starts[channel + 1]]
    }
}

/// What is known of the next reaction.
pub(super) enum Clockwork {
    /// Direct method.
    Sums(Sums),
    /// Next reaction method.
    Queue(Queue),
}

/// Exact steps of one path.
pub(super) struct Exact {
    graph: Graph,
    clockwork: Clockwork,
}

/// How far exact steps came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// The stop.
    Stop,
    /// Another time: all that was known of the next reaction is void.
    Interruption,
    /// The number of steps asked for.
    Limit,
}

/// A path made of exact steps only.
pub(super) fn run<I: Interrupter>(path: &mut Path<'_, I>) -> Result<(), Stop> {
    path.begin()?;
    let mut exact = Exact::new(&path.network);
    let mut is_void = true;
    while path.time < path.work.end {
        if std::mem::take(&mut is_void) {
            exact.look_anew(path)?;
        }
        let stop = path.next_stop();
        is_void = match exact.steps(path, stop, u64::MAX)? {
            Reached::Stop => path.reach(stop)?,
            Reached::Interruption | Reached::Limit => true,
        };
    }
    Ok(())
}

impl Exact {
    /// By the number of channels.
    pub fn new(network: &Network<'_>) -> Exact {
        let clockwork = match network.len() {
            many if many >= MANY => Clockwork::Queue(Queue::new(many)),
            few => Clockwork::Sums(Sums::new(few)),
        };
        Exact::with(network, clockwork)
    }

    pub fn with(network: &Network<'_>, clockwork: Clockwork) -> Exact {
        Exact {
            graph: Graph::new(network),
            clockwork,
        }
    }

    /// Works out all propensities. Waiting times have no memory: new ones are as good as old ones.
    pub fn look_anew<I: Interrupter>(&mut self, path: &mut Path<'_, I>) -> Result<(), Stop> {
        let time = path.time;
        for channel in 0..path.network.len() {
            let value = path.network.propensity(channel, time, &path.state)?;
            match &mut self.clockwork {
                Clockwork::Sums(sums) => sums.set(channel, value),
                Clockwork::Queue(queue) => queue.propensities[channel] = value,
            }
        }
        match &mut self.clockwork {
            Clockwork::Sums(sums) => sums.sum_up(),
            Clockwork::Queue(queue) => queue.draw(path.time, &mut path.stream),
        }
        Ok(())
    }

    /// Reactions up to a stop, which is not gone over, or up to a number of them.
    pub fn steps<I: Interrupter>(
        &mut self,
        path: &mut Path<'_, I>,
        stop: f64,
        most: u64,
    ) -> Result<Reached, Stop> {
        for _ in 0..most {
            let next = self.next(path.time, &mut path.stream);
            if let Some(crossing) = path.crossing(next.min(stop))? {
                path.reach(crossing)?;
                return Ok(Reached::Interruption);
            }
            if next >= stop {
                return Ok(Reached::Stop);
            }
            path.show_until(next)?;
            path.show_before(next)?;
            path.time = next;
            let channel = self.choose(&mut path.stream);
            path.network.fire(channel, 1.0, next, &mut path.state)?;
            if path.happened()? {
                return Ok(Reached::Interruption);
            }
            self.update(channel, path)?;
        }
        Ok(Reached::Limit)
    }

    /// When the next reaction happens.
    #[inline]
    fn next(&self, now: f64, stream: &mut Stream) -> f64 {
        match &self.clockwork {
            Clockwork::Sums(sums) => now + waiting_time(sums.total(), stream),
            Clockwork::Queue(queue) => queue.first().0,
        }
    }

    /// Which it is.
    #[inline]
    fn choose(&self, stream: &mut Stream) -> usize {
        match &self.clockwork {
            Clockwork::Sums(sums) => sums.choose(stream),
            Clockwork::Queue(queue) => queue.first().1,
        }
    }

    /// Takes in what a reaction changed.
    #[inline]
    fn update<I: Interrupter>(
        &mut self,
        channel: usize,
        path: &mut Path<'_, I>,
    ) -> Result<(), Stop> {
        let time = path.time;
        match &mut self.clockwork {
            Clockwork::Sums(sums) => {
                for affected in self.graph.affected(channel) {
                    let value = path.network.propensity(*affected, time, &path.state)?;
                    sums.set(*affected, value);
                }
                sums.sum_up();
            }
            Clockwork::Queue(queue) => {
                let now = path.time;
                for affected in self.graph.affected(channel) {
                    if *affected != channel {
                        let value = path.network.propensity(*affected, time, &path.state)?;
                        queue.rescale(*affected, value, now, &mut path.stream);
                    }
                }
                let own = match self.graph.affected(channel).contains(&channel) {
                    true => path.network.propensity(channel, time, &path.state)?,
                    false => queue.propensities[channel],
                };
                queue.renew(channel, own, now, &mut path.stream);
            }
        }
        Ok(())
    }
}
