use super::{PATIENCE, device, everything, greet, tiny};
use mote_core::model::Model;
use mote_device::{Client, Draw, State};
use mote_tests::live::{Host, bits, normals};

#[test]
fn samples_over_the_link_have_the_bits_of_the_host() {
    let blob = everything();
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    let plans = client.plans().unwrap();
    let model = Model::parse(&blob).unwrap();
    assert!(plans.iter().map(|plan| plan.name.as_str()).eq(model.plans().map(|plan| plan.name)));
    for plan in &plans {
        assert_eq!(usize::from(plan.rows), model.plan(plan.number.into()).unwrap().plan.len());
        for (seed, number, class, guidance) in
            [(0, 0, None, None), (u64::MAX, 3, Some(1), None), (7, 40, Some(0), Some(1.5))]
        {
            let draw = Draw { plan: plan.number, seed, number, class, guidance };
            assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&blob).sample(&draw), "{draw:?}");
        }
    }
    let counters = client.counters().unwrap();
    assert_eq!(counters.samples as usize, 3 * plans.len());
    assert_eq!((counters.repeated, counters.refused, counters.faults), (0, 0, [0; 6]));
}

#[test]
fn a_window_is_denoised_as_tweedies_formula_has_it() {
    let blob = everything();
    let model = Model::parse(&blob).unwrap();
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    let window: Vec<f32> = normals(3, model.dim_in());
    for noise in [0.05f32, 0.7, 30.0] {
        let found = client.denoise(&window, noise, None).unwrap();
        let expected = Host(&blob).denoise(&window, noise, None);
        assert_eq!(found.len(), model.dim_out());
        for (found, expected) in found.iter().zip(&expected) {
            // The network's output is the same; what is left is a handful of roundings of numbers of this size.
            let scale = expected.abs() + f64::from(noise) * 8.0 + 1.0;
            assert!((f64::from(*found) - expected).abs() < 1e-5 * scale, "{found} {expected} at {noise}");
        }
    }
    assert_eq!(client.counters().unwrap().windows, 3);
}

#[test]
fn a_signal_is_denoised_with_the_bits_of_cores_estimate_gaps_and_ends_included() {
    let blob = include_bytes!("../../../core/tests/golden/v1-slide-random.mote");
    let channels = Model::parse(blob).unwrap().dim_out();
    let (_board, line) = device(blob);
    let mut client = greet(line);
    for samples in [1, 2, super::WIDTH / channels] {
        let mut signal = normals(samples as u64, samples * channels);
        for gap in [0, 5, 6, 17] {
            signal.get_mut(gap).into_iter().for_each(|x| *x = f32::NAN);
        }
        if samples == 1 {
            signal[0] = 0.25;
        }
        let found = client.denoise(&signal, 0.3, None).unwrap();
        assert_eq!(bits(&found), Host(blob).denoise_signal(&signal, 0.3), "{samples} samples");
        assert!(found.iter().zip(&signal).all(|(x, y)| x.is_nan() == y.is_nan()));
    }
    // A step a sample, so that the device listens between them.
    assert_eq!(client.counters().unwrap().steps as usize, 3 + super::WIDTH / channels);
}

#[test]
fn a_score_is_the_error_of_the_noised_window_denoised() {
    // In the units of the data, the score is the denoiser's mean square error on y = w + noise z, at a level of exactly this noise.
    let blob = everything();
    let model = Model::parse(&blob).unwrap();
    let at = model.network().levels().noise(1).unwrap();
    let noise = at.sigma / at.alpha;
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    let window = normals(5, model.dim_in());
    let z = normals(17, model.dim_in());
    let noisy: Vec<f32> =
        window.iter().zip(&z).zip(model.scaling()).map(|((w, z), (_, d))| w + noise * z * d).collect();
    let found = f64::from(client.score(&window, noise, 17, Some(1)).unwrap());
    let clean = client.denoise(&noisy, noise, Some(1)).unwrap();
    let errors = clean.iter().zip(&window).zip(model.scaling()).map(|((c, w), (_, d))| f64::from((c - w) / d).powi(2));
    let expected = errors.sum::<f64>() / model.dim_out() as f64;
    // A rounding of the state can move an activation code by one, an eighth of a percent of its range.
    assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}");
    assert_eq!(client.score(&window, noise, 17, Some(1)).unwrap().to_bits(), (found as f32).to_bits());
    assert_ne!(client.score(&window, noise, 18, Some(1)).unwrap().to_bits(), (found as f32).to_bits());
}

#[test]
fn a_long_job_is_cancelled_and_leaves_nothing_behind() {
    let blob = tiny();
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    // Four billion jumps: a minute's work at least.
    client.start_sample(&Draw { number: u32::MAX, ..Draw::default() }).unwrap();
    let progress = client.progress().unwrap();
    assert_eq!((progress.state, progress.done), (State::Running, 0));
    assert!(progress.total > 0 && client.counters().unwrap().samples == 0);
    client.cancel().unwrap();
    assert_eq!(client.progress().unwrap().state, State::Idle);
    let draw = Draw { seed: 3, ..Draw::default() };
    assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&blob).sample(&draw));
}

#[test]
fn a_new_session_ends_what_the_last_one_began() {
    let blob = tiny();
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    client.start_sample(&Draw { number: u32::MAX, ..Draw::default() }).unwrap();
    let mut next = Client::greet(client.into_line(), "a thread", PATIENCE).unwrap();
    assert_eq!(next.progress().unwrap().state, State::Idle);
}

#[test]
fn the_self_test_is_the_one_in_the_model() {
    let blob = tiny();
    let (_board, line) = device(&blob);
    let digest = Model::parse(&blob).unwrap().self_test().digest;
    assert_eq!(greet(line).self_test().unwrap(), (digest, digest));
}
