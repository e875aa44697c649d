use mote_core::random::{NormalSource as _, Span, Stream, Ziggurat};
use mote_core::sde::{ProbabilityFlow, ReverseTime, Vp};
use mote_core::stepper::{EulerMaruyama, RungeKutta4};
use mote_picture::{Colour, Figure, Mark, Panel, Point, Scale};

use super::Picture;
use super::bimodal::{self, SCHEDULE};
use super::paths::paths;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "reverse-paths",
    title: "Two ways back from noise",
    caption: "Forty starts of noise, brought back by Anderson's equation (left) and by the probability flow (right) with the exact score. Read from right to left: \
        time runs backwards, from noise at t = 1 to data at t = 0. Colours tell where a path ends. \
        The flow has no noise, so that its paths never cross and the sign of a start decides; under Anderson's equation a path may change its mind for a long while. The laws at every time are the same.",
    draw,
};

const PATHS: usize = 40;
const SPAN: Span = Span { t0: 1.0, t1: 1e-3 };

fn draw(laboratory: &Laboratory) -> Figure {
    let seed = laboratory.seed_of(PICTURE.name);
    let mut starts = [0.0; PATHS];
    Ziggurat::new(Stream::nth(seed, 1)).fill(&mut starts);
    let forward = Vp { schedule: SCHEDULE };
    let room = [0.0; 2 * PATHS];
    let (Some(back), Some(flow)) = (
        ReverseTime::new(forward, bimodal::scores(PATHS), room),
        ProbabilityFlow::new(forward, bimodal::scores(PATHS), room),
    ) else {
        unreachable!("there is room for all paths")
    };
    let noisy = paths(&EulerMaruyama, back, (SPAN, 200), seed, &starts);
    let smooth = paths(&RungeKutta4, flow, (SPAN, 200), seed, &starts);
    // One scale for both, so that they can be compared by eye.
    let reach = 1.05 * noisy.iter().chain(&smooth).flatten().map(|point| point.1.abs()).fold(0.0, f64::max);
    let panels = vec![panel("Anderson's equation", reach, noisy), panel("Probability flow", reach, smooth)];
    Figure::new("Two ways back from noise to data, same starts", 2, panels).sized(1000, 400)
}

fn panel(title: &str, reach: f64, paths: Vec<Vec<Point>>) -> Panel {
    let above = |path: &Vec<Point>| path.last().is_some_and(|end| end.1 > 0.0);
    let (upper, lower): (Vec<_>, Vec<_>) = paths.into_iter().partition(above);
    Panel {
        title: title.into(),
        x: Scale::linear("diffusion time t, data at 0, noise at 1 (no unit)").between(0.0, 1.0),
        y: Scale::linear("state x (no unit)").between(-reach, reach),
        marks: vec![
            Mark::bundle("ends in the upper hump", Colour::Vermilion, upper).opacity(0.6),
            Mark::bundle("ends in the lower hump", Colour::Blue, lower).opacity(0.6),
        ],
    }
}
