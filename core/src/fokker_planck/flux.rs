use super::UniformGrid;
use crate::math;

/// The coefficients of the Itô equation `dX = drift(X, t) dt + diffusion(X, t) dW`, as functions of x and t.
///
/// `drift` is in units of x per time, `diffusion` in units of x per root of time; only its square matters.
#[derive(Clone, Copy, Debug)]
pub struct Ito<F, G>
where
    F: Fn(f32, f32) -> f32,
    G: Fn(f32, f32) -> f32,
{
    /// The drift `mu(x, t)`.
    pub drift: F,
    /// The diffusion `sigma(x, t)`, the amplitude of the noise; may be zero.
    pub diffusion: G,
}

/// Probability that crosses a face in one time step, for each unit of probability in the cell it leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exchange {
    /// From the lower to the upper cell, not negative.
    pub(super) up: f32,
    /// From the upper to the lower cell, not negative.
    pub(super) down: f32,
}

impl Exchange {
    /// Chang and Cooper's flux for a Courant number `advection = mu dt / h`, already less the diffusion's gradient, and
    /// a diffusion number `spread = sigma^2 dt / (2 h^2)`, not negative.
    ///
    /// The paper writes the flux with a weight `delta = 1/w - 1/(e^w - 1)`, `w = advection / spread`, which cancels at
    /// small w. The same flux is `spread * B(-w)` up and `spread * B(w)` down with Bernoulli's `B(w) = w / (e^w - 1)`
    /// and `B(-w) = B(w) + w`: no difference of like numbers, and both stay at or above zero when rounded.
    pub(super) fn new(advection: f32, spread: f32) -> Self {
        let speed = advection.abs();
        let w = speed / spread;
        let against = if speed == 0.0 || w == 0.0 {
            spread
        } else if w.is_infinite() {
            // Without noise, or too little for f32 to see: the limit is the upwind flux.
            0.0
        } else {
            // Beyond w = 88.7 the denominator is infinite and the quotient 0, which is its limit.
            spread * (w / math::expm1(w))
        };
        let along = against + speed;
        if advection >= 0.0 { Self { up: along, down: against } } else { Self { up: against, down: along } }
    }

    /// The exchange over every face of a grid, upwards, with the face's place.
    pub(super) fn faces<F, G>(
        grid: &UniformGrid,
        process: &Ito<F, G>,
        t: f32,
        dt: f32,
    ) -> impl Iterator<Item = (f32, Self)>
    where
        F: Fn(f32, f32) -> f32,
        G: Fn(f32, f32) -> f32,
    {
        let h = grid.width();
        let square = move |x| {
            let sigma = (process.diffusion)(x, t);
            sigma * sigma
        };
        let mut centres = grid.centres().map(move |x| ((process.drift)(x, t), square(x)));
        let mut lower = centres.next().unwrap_or_default();
        grid.faces().zip(centres).map(move |(x, upper)| {
            // Simpson's mean of the drift between the centres: h times it is the potential's exact difference up to
            // degree 4.
            let drift = (lower.0 + 4.0 * (process.drift)(x, t) + upper.0) / 6.0;
            // (1/2) d(sigma^2 p)/dx = (sigma^2 / 2) dp/dx + p d(sigma^2 / 2)/dx; the second part acts as a drift.
            let drift = drift - 0.5 * (upper.1 - lower.1) / h;
            lower = upper;
            (x, Self::new(drift * dt / h, 0.5 * square(x) * dt / h / h))
        })
    }

    /// Whether both rates are numbers, and small enough for the elimination to add a few of them.
    pub(super) fn is_moderate(self) -> bool {
        self.up < f32::MAX / 4.0 && self.down < f32::MAX / 4.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `w / (e^w - 1)` in double precision.
    fn bernoulli(w: f64) -> f64 {
        if w == 0.0 { 1.0 } else { w / libm::expm1(w) }
    }

    #[test]
    fn exchange_is_bernoullis_function_to_three_ulp_for_any_peclet_number() {
        for i in -8000i32..=8000 {
            // |w| from 3e-35 to 3e+35, both signs and zero.
            let size = (libm::exp(f64::from(i.abs() - 4000) * 0.02) * f64::from(i.signum())) as f32;
            let exchange = Exchange::new(size, 1.0);
            let (up, down) = (bernoulli(-f64::from(size)), bernoulli(f64::from(size)));
            // The second term: above w = 88.72 e^w overflows and B(w), at most 2.6e-37, comes out as 0.
            let close = |got: f32, truth: f64| (f64::from(got) - truth).abs() <= 1.8e-7 * truth.abs() + 2.7e-37;
            assert!(close(exchange.up, up) && close(exchange.down, down), "{size}: {exchange:?}, not {up} and {down}");
            assert!(exchange.up >= 0.0 && exchange.down >= 0.0);
        }
    }

    #[test]
    fn weight_is_chang_and_coopers() {
        // flux = advection ((1 - delta) p_low + delta p_high) - spread (p_high - p_low), delta = 1/w - 1/(e^w - 1). The
        // paper's w has the opposite sign, which turns delta into 1 - delta. So down = spread - advection delta.
        for w in [-30.0f64, -3.0, -0.7, 0.2, 1.0, 5.0, 40.0] {
            let delta = 1.0 / w - 1.0 / libm::expm1(w);
            let spread = 0.37f32;
            let exchange = Exchange::new(w as f32 * spread, spread);
            let advection = w * f64::from(spread);
            let down = f64::from(spread) - advection * delta;
            let up = f64::from(spread) + advection * (1.0 - delta);
            // Rounding w to f32 moves e^w by |w| 1.2e-7; the double-precision side loses about 1e-15 of 11 to
            // cancellation.
            let allowed = |truth: f64| (3e-7 + 1.2e-7 * w.abs()) * truth + 1e-14;
            assert!((f64::from(exchange.down) - down).abs() < allowed(down), "{w}: {} {down}", exchange.down);
            assert!((f64::from(exchange.up) - up).abs() < allowed(up), "{w}: {} {up}", exchange.up);
        }
    }

    #[test]
    fn without_noise_the_flux_is_upwind() {
        for spread in [0.0, 1e-45] {
            assert_eq!(Exchange::new(2.0, spread), Exchange { up: 2.0, down: 0.0 });
            assert_eq!(Exchange::new(-2.0, spread), Exchange { up: 0.0, down: 2.0 });
        }
        assert_eq!(Exchange::new(0.0, 0.0), Exchange { up: 0.0, down: 0.0 });
    }
}
