fn main() {
    use mote_core::{random::Span, sde::OrnsteinUhlenbeck, stepper::EulerMaruyama};
    use mote_laboratory::ensemble::{Ensemble, at};
    let threads = std::env::args().nth(1).map_or(1, |n| n.parse().unwrap());
    let ou = OrnsteinUhlenbeck { rate: 2.0, mean: 0.0, diffusion: 1.0 };
    let e = Ensemble { stepper: EulerMaruyama, sde: ou, dim: 1, span: Span { t0: 0.0, t1: 5.0 }, steps: 1000, seed: 1 };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    for _ in 0..4 {
        let t = std::time::Instant::now();
        let x = e.finals(100_000, at(3.0));
        let m = x.iter().sum::<f32>() / 1e5;
        println!("{:.0} M/s mean {m}", 1e8 / t.elapsed().as_secs_f64() / 1e6);
    }
}
