//! A putative time for each reaction, the earliest on top: the next reaction method.
//!
//! Enters: propensities, random numbers. Leaves: when each reaction would happen next, and which
//! is the first (M. A. Gibson, J. Bruck, J. Phys. Chem. A 104, 1876, 2000). The times form a
//! binary heap in which the place of every channel is known.

use crate::kernel::Stream;

/// Times by channel, as an indexed heap.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    pub propensities: Vec<f64>,
    times: Vec<f64>,
    /// Channels, the earliest first, each before those at twice its place and one more.
    heap: Vec<usize>,
    /// Where each channel stands in the heap.
    places: Vec<usize>,
}

/// Exponentially distributed with this rate; infinite for 0.
#[inline]
pub(super) fn waiting_time(rate: f64, stream: &mut Stream) -> f64 {
    if rate > 0.0 {
        -stream.uniform().ln() / rate
    } else {
        f64::INFINITY
    }
}

impl Queue {
    pub fn new(channels: usize) -> Queue {
        Queue {
            propensities: vec![0.0; channels],
            times: vec![f64::INFINITY; channels],
            heap: (0..channels).collect(),
            places: (0..channels).collect(),
        }
    }

    /// Draws all times anew, from the propensities that stand here.
    pub fn draw(&mut self, now: f64, stream: &mut Stream) {
        for (time, propensity) in self.times.iter_mut().zip(&self.propensities) {
            *time = now + waiting_time(*propensity, stream);
        }
        for place in (0..self.heap.len() / 2).rev() {
            self.sink(place);
        }
    }

    /// The first channel and its time.
    #[inline]
    pub fn first(&self) -> (f64, usize) {
        match self.heap.first() {
            Some(channel) => (self.times[*channel], *channel),
            None => (f64::INFINITY, 0),
        }
    }

    /// The propensity of a channel that has not happened changed: its waiting time is stretched.
    #[inline]
    pub fn rescale(&mut self, channel: usize, propensity: f64, now: f64, stream: &mut Stream) {
        let before = std::mem::replace(&mut self.propensities[channel], propensity);
        if before == propensity {
            return;
        }
        let time = if before > 0.0 && propensity > 0.0 {
            now + before / propensity * (self.times[channel] - now)
        } else {
            now + waiting_time(propensity, stream)
        };
        self.put(channel, time);
    }

    /// A channel has happened: its next time is drawn.
    #[inline]
    pub fn renew(&mut self, channel: usize, propensity: f64, now: f64, stream: &mut Stream) {
        self.propensities[channel] = propensity;
        let time = now + waiting_time(propensity, stream);
        self.put(channel, time);
    }

    fn put(&mut self, channel: usize, time: f64) {
        self.times[channel] = time;
        let place = self.places[channel];
        if !self.rise(place) {
            self.sink(place);
        }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        self.times[self.heap[a]] < self.times[self.heap[b]]
    }

    fn exchange(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.places[self.heap[a]] = a;
        self.places[self.heap[b]] = b;
    }

    fn rise(&mut self, mut place: usize) -> bool {
        let mut moved = false;
        while place > 0 && self.is_before(place, (place - 1) / 2) {
            self.exchange(place, (place - 1) / 2);
            place = (place - 1) / 2;
            moved = true;
        }
        moved
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let mut least = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.heap.len() && self.is_before(child, least) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.exchange(place, least);
            place = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_always_on_top() {
        let mut stream = Stream::new(3, 1);
        let mut queue = Queue::new(33);
        for (channel, propensity) in queue.propensities.iter_mut().enumerate() {
            *propensity = if channel % 5 == 0 {
                0.0
            } else {
                1.0 + channel as f64
            };
        }
        queue.draw(0.0, &mut stream);
        let mut now = 0.0;
        for step in 0..1000 {
            let (time, channel) = queue.first();
            let earliest = queue.times.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(time, earliest);
            assert!(time >= now);
            now = time;
            queue.renew(channel, f64::from(step % 7), now, &mut stream);
            queue.rescale(step as usize % 33, f64::from(step % 4), now, &mut stream);
        }
    }
}
