use mote_core::random::{BrownianTree, NoiseSource as _, Span};
use mote_picture::{Colour, Figure, Mark, Panel, Point, Scale};

use super::Picture;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "brownian-zoom",
    title: "One Brownian path under a lens",
    caption: "One path, seen over [0, 1], over a sixteenth of that and over a sixteenth again; the shaded box is the next panel. \
        Time is stretched 16 times from panel to panel and the state 4 times, and the path looks as rough as before: it is its own magnification. \
        All three come from one seed by bridges, none is stored.",
    draw,
};

const DEPTH: u32 = 20;
const POINTS: u32 = 512;
/// Half of a panel's height, in roots of its width.
const REACH: f64 = 1.3;

fn draw(laboratory: &Laboratory) -> Figure {
    let seed = laboratory.seed_of(PICTURE.name);
    let windows = [Span { t0: 0.0, t1: 1.0 }, Span { t0: 0.5, t1: 0.5625 }, Span { t0: 0.53125, t1: 0.535_156_25 }];
    let paths = windows.map(|window| path(seed, window));
    let frames: Vec<_> = windows.iter().zip(&paths).map(|(window, path)| frame(*window, path)).collect();
    let panels = (0..windows.len()).map(|i| {
        let (t, x) = frames[i];
        let mut marks = Vec::new();
        if let Some(((from, to), (low, high))) = frames.get(i + 1).copied() {
            marks.push(
                Mark::band("the next panel", Colour::Orange, vec![(from, low, high), (to, low, high)]).opacity(0.5),
            );
        }
        marks.push(Mark::line("the path", Colour::Blue, paths[i].clone()).wide(1.0));
        Panel {
            title: format!("{} of the path", ["All", "1/16", "1/256"][i]),
            x: Scale::linear("time t (no unit)").between(t.0, t.1),
            y: Scale::linear("state x (no unit)").between(x.0, x.1),
            marks,
        }
    });
    Figure::new("Brownian motion under a lens: one path at three scales", 3, panels.collect()).sized(1080, 340)
}

/// The path over a window, in equal parts.
fn path(seed: u64, window: Span) -> Vec<Point> {
    let Some(mut tree) = BrownianTree::new(seed, Span { t0: 0.0, t1: 1.0 }, DEPTH) else { return Vec::new() };
    let mut read = |span: Span| {
        let mut w = [0.0];
        tree.increment(span, &mut w, None);
        f64::from(w[0])
    };
    let mut x = read(Span { t0: 0.0, t1: window.t0 });
    let mut points = vec![(window.t0.into(), x)];
    for i in 0..POINTS {
        let part = window.step(i, POINTS);
        x += read(part);
        points.push((part.t1.into(), x));
    }
    points
}

/// Ends of a panel in time and state: centred on what is seen, as high as the root of its width asks.
fn frame(window: Span, path: &[Point]) -> ((f64, f64), (f64, f64)) {
    let (low, high) = path.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.1), high.max(p.1)));
    let (middle, reach) = (0.5 * (low + high), REACH * f64::from(window.length()).sqrt());
    ((window.t0.into(), window.t1.into()), (middle - reach, middle + reach))
}
