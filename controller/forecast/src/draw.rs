//! Draws: a seed in, a stream of random numbers out. Pure, the same on every run.

/// A seeded stream (splitmix64).
#[derive(Clone, Debug)]
pub struct Stream(u64);

impl Stream {
    /// A stream of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed for another stream, drawn from this one.
    pub fn seed(&mut self) -> u64 {
        self.next()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in `[0, 1)`, in steps of `2^-32`.
    pub fn even(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / 4_294_967_296.0
    }

    /// Evenly in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        (high - low).mul_add(self.even(), low)
    }

    /// Evenly on a logarithmic scale in `[low, high)`, both above zero.
    pub fn log_between(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// A whole number in `0..bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).expect("below an address")
    }

    /// True with this chance.
    pub fn chance(&mut self, share: f64) -> bool {
        self.even() < share
    }

    /// Normal, mean 0 and deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.even()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.even()).ln()
    }

    /// Poisson: by the product of uniforms up to a mean of 30, above it a rounded normal.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return mean.sqrt().mul_add(self.normal(), mean).round().max(0.0);
        }
        let (floor, mut product, mut count) = ((-mean).exp(), self.even(), 0.0);
        while product > floor {
            product *= self.even();
            count += 1.0;
        }
        count
    }

    /// Gamma with this shape and mean 1 (Marsaglia and Tsang; below 1 by one draw more).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.even()).powf(shape.recip());
            return self.gamma(shape + 1.0) * (shape + 1.0) / shape * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = (9.0 * d).sqrt().recip();
        loop {
            let x = self.normal();
            let v = (c * x + 1.0).powi(3);
            if v > 0.0 && (1.0 - self.even()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v / shape;
            }
        }
    }
}
