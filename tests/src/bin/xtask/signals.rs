//! Test windows of real signals with the noise, the gaps and the faults that their baselines were measured with, as files for `mote denoise`, `mote impute` and `mote detect`.

use anyhow::{Context as _, Result};
use npyz::WriterBuilder as _;
use std::fs;
use std::path::Path;

const DATA: &str = "tests/data/signals";

/// Deviations of noise, in training standard deviations.
const SIGMAS: [f32; 3] = [0.1, 0.2, 0.5];

/// One set of windows.
struct Set {
    name: &'static str,
    /// Units of the stored values.
    scale: &'static [f32],
    /// Standard deviation of each channel in the training windows, as the baselines have it.
    deviation: &'static [f32],
    /// Patterns of missing values, a bit each, most significant first.
    gaps: &'static [&'static str],
}

const SETS: [Set; 3] = [
    Set { name: "ecg", scale: &[1.0], deviation: &[0.61397], gaps: &[] },
    Set {
        name: "imu",
        scale: &[1.0 / 4096.0, 1.0 / 4096.0, 1.0 / 4096.0, 1.0 / 1024.0, 1.0 / 1024.0, 1.0 / 1024.0],
        deviation: &[0.78019, 0.52659, 0.62686, 1.08237, 2.88389, 1.118],
        gaps: &["mcar25", "block25"],
    },
    Set {
        name: "weather",
        scale: &[1.0; 5],
        deviation: &[9.683, 10.2687, 15.5481, 7.083, 2.4393],
        gaps: &["mcar25", "block25", "channel"],
    },
];

/// An array of any kind of number as floats, and its shape.
fn read(name: &str) -> Result<(Vec<f32>, Vec<u64>)> {
    let path = format!("{DATA}/{name}.npy");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let file = npyz::NpyFile::new(&bytes[..]).with_context(|| path.clone())?;
    let shape = file.shape().to_vec();
    let kind = file.dtype().descr();
    let values = match kind.as_str() {
        kind if kind.contains("f4") => file.into_vec::<f32>()?,
        kind if kind.contains("i2") => file.into_vec::<i16>()?.into_iter().map(f32::from).collect(),
        _ => file.into_vec::<u8>()?.into_iter().map(f32::from).collect(),
    };
    Ok((values, shape))
}

fn write(path: &Path, values: &[f32], shape: &[u64]) -> Result<()> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::<f32>::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes every set's clean, noisy and gappy windows into a folder.
pub fn write_all(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for Set { name, scale, deviation, gaps } in SETS {
        let channels = scale.len();
        let (mut clean, shape) = read(&format!("{name}-test"))?;
        clean.iter_mut().enumerate().for_each(|(index, x)| *x *= scale[index % channels]);
        write(&folder.join(format!("{name}-clean.npy")), &clean, &shape)?;
        // Noise of unit variance, in steps of 1/4096.
        let (noise, _) = read(&format!("{name}-noise"))?;
        for sigma in SIGMAS {
            let noisy: Vec<f32> = clean
                .iter()
                .zip(&noise)
                .enumerate()
                .map(|(index, (x, z))| x + sigma * deviation[index % channels] * z / 4096.0)
                .collect();
            write(&folder.join(format!("{name}-noisy-{sigma}.npy")), &noisy, &shape)?;
        }
        let window = clean.len() / shape[0] as usize;
        for gap in gaps {
            let (bytes, packed) = read(&format!("{name}-{gap}"))?;
            let bit = |place: usize| {
                let (row, column) = (place / window, place % window);
                let byte = bytes[row * packed[1] as usize + column / 8] as u8;
                byte >> (7 - column % 8) & 1 == 1
            };
            let holed: Vec<f32> =
                clean.iter().enumerate().map(|(place, x)| if bit(place) { f32::NAN } else { *x }).collect();
            write(&folder.join(format!("{name}-{gap}.npy")), &holed, &shape)?;
        }
        println!("{name}: {} windows", shape[0]);
        if name == "weather" {
            faults(folder, &clean, &shape)?;
        }
    }
    Ok(())
}

/// Writes the windows as they are and, behind them, four times each with a fault of one sensor, stuck, drift, spike and offset in turn; and for each 0, or 1 where
/// it has a fault.
fn faults(folder: &Path, clean: &[f32], shape: &[u64]) -> Result<()> {
    let (values, faulty) = read("weather-faults")?;
    let channels = shape[2] as usize;
    let window = clean.len() / shape[0] as usize;
    let (mut all, mut labels) = (clean.to_vec(), "0\n".repeat(shape[0] as usize));
    // A row is a channel's number and its values in the place of the window's own.
    for (number, row) in values.chunks_exact(faulty[1] as usize).enumerate() {
        let mut other = clean[number / 4 * window..][..window].to_vec();
        let places = other.iter_mut().skip(row[0] as usize).step_by(channels);
        places.zip(&row[1..]).for_each(|(place, value)| *place = *value);
        all.extend(other);
        labels += "1\n";
    }
    write(&folder.join("weather-faults.npy"), &all, &[shape[0] + faulty[0], shape[1], shape[2]])?;
    let path = folder.join("weather-faults.csv");
    fs::write(&path, labels).with_context(|| format!("cannot write {}", path.display()))
}
