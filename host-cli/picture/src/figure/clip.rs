//! Lines cut off at the ends of their axes.

use super::Point;

/// The parts of a line inside a box, (x ends, y ends); a value that is not finite breaks the line.
pub(super) fn clipped(points: &[Point], x: (f64, f64), y: (f64, f64)) -> Vec<Vec<Point>> {
    let finite = |p: &Point| p.0.is_finite() && p.1.is_finite();
    let inside = |p: &Point| p.0 >= x.0 && p.0 <= x.1 && p.1 >= y.0 && p.1 <= y.1;
    let mut runs = Vec::new();
    for part in points.split(|p| !finite(p)) {
        let mut run: Vec<Point> = Vec::new();
        if let [only] = part {
            run.extend(Some(*only).filter(inside));
        }
        for pair in part.windows(2) {
            let Some((from, to)) = segment(pair[0], pair[1], x, y) else {
                runs.push(std::mem::take(&mut run));
                continue;
            };
            if run.last() != Some(&from) {
                runs.push(std::mem::take(&mut run));
                run.push(from);
            }
            run.push(to);
        }
        runs.push(run);
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// The part of a segment inside the box (Liang and Barsky 1984).
fn segment(a: Point, b: Point, x: (f64, f64), y: (f64, f64)) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (step, room) in [(-dx, a.0 - x.0), (dx, x.1 - a.0), (-dy, a.1 - y.0), (dy, y.1 - a.1)] {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            enter = enter.max(room / step);
        } else {
            leave = leave.min(room / step);
        }
    }
    let at = |share: f64| (a.0 + share * dx, a.1 + share * dy);
    // The ends themselves where nothing is cut, so that neighbours join to the bit.
    let from = if enter == 0.0 { a } else { at(enter) };
    let to = if leave == 1.0 { b } else { at(leave) };
    (enter <= leave).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: (f64, f64) = (0.0, 1.0);

    #[test]
    fn a_line_is_cut_at_the_border_and_comes_back() {
        // A tent through (0, .5), (1, 1.5) leaves at half way; (2, ...) is outside.
        let line = [(0.0, 0.5), (0.5, 1.5), (1.0, 0.5), (2.0, 0.5)];
        let runs = clipped(&line, UNIT, UNIT);
        assert_eq!(runs, [vec![(0.0, 0.5), (0.25, 1.0)], vec![(0.75, 1.0), (1.0, 0.5), (1.0, 0.5)]]);
    }

    #[test]
    fn what_is_not_finite_breaks_and_what_is_outside_vanishes() {
        let line = [(0.0, 0.5), (f64::NAN, 0.5), (0.5, 0.5), (1.0, f64::INFINITY), (0.1, 0.2), (0.3, 0.4)];
        assert_eq!(clipped(&line, UNIT, UNIT), [vec![(0.0, 0.5)], vec![(0.5, 0.5)], vec![(0.1, 0.2), (0.3, 0.4)]]);
        assert_eq!(clipped(&[(2.0, 2.0), (3.0, 2.0)], UNIT, UNIT), Vec::<Vec<Point>>::new());
        assert_eq!(clipped(&[(2.0, 2.0)], UNIT, UNIT), Vec::<Vec<Point>>::new());
    }
}
