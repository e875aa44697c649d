//! From a name on the command line to a table.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::error::DataError;
use super::planar::{self, PLANAR};
use super::{LoadOptions, Split, Table, csv_table, digits, npy};

/// The names of the built-in sets, as a message lists them.
#[must_use]
pub fn built_in_names() -> String {
    built_in().collect::<Vec<_>>().join(", ")
}

fn built_in() -> impl Iterator<Item = &'static str> {
    ["digits"].into_iter().chain(PLANAR.iter().map(|set| set.name))
}

/// How a source is split where nothing else is asked for: a built-in set in the plane into 20,000 rows that train, 3,000 that validate
/// and 2,000 that test; anything else as [`Split::default`].
#[must_use]
pub fn usual_split(source: &str) -> Split {
    if planar_classes(source).is_some() { planar::SPLIT } else { Split::default() }
}

/// How many classes a built-in set in the plane has, named with a seed or without; `None` for any other source.
#[must_use]
pub fn planar_classes(source: &str) -> Option<usize> {
    planar::classes(source)
}

/// Reads a table: `digits`, `moons`, `eight-gaussians`, `swiss-roll` and `checkerboard` are built in (the last four take a seed, as in
/// `moons:7`), a path that ends in `.csv`, `.csv.gz` or `.npy` is a file.
///
/// A CSV may be separated by commas, semicolons or tabs (found from its first line), with cells in quotes. An .npy file holds floats,
/// integers or booleans of any size and byte order, in C or Fortran order: one dimension is one feature, two are rows and
/// features, three are images \[n, height, width\]. All values become f32.
///
/// # Errors
///
/// [`DataError`], one line with file, line and column, and the way out.
pub fn load(source: &str, options: &LoadOptions) -> Result<Table, DataError> {
    if source == "digits" {
        return digits::load(options);
    }
    if let Some(table) = PLANAR.iter().find_map(|set| set.asked_by(source, options)) {
        return table;
    }
    match content(source)? {
        Content::Text { name, bytes } => csv_table::read(source, name, &bytes, options),
        Content::Array { name, bytes } => npy::read(source, name, &bytes, options),
    }
}

/// What a file holds, unpacked.
pub(super) enum Content {
    /// Comma-separated text.
    Text {
        /// The file's name without its ending.
        name: String,
        /// The text.
        bytes: Vec<u8>,
    },
    /// An .npy array.
    Array {
        /// The file's name without its ending.
        name: String,
        /// The file.
        bytes: Vec<u8>,
    },
}

/// Reads a file and says by its ending what it holds.
pub(super) fn content(source: &str) -> Result<Content, DataError> {
    let path = || source.to_string();
    let (ending, bytes) = match fs::metadata(source) {
        Ok(metadata) if metadata.is_dir() => return Err(DataError::IsFolder { path: path() }),
        Ok(_) => {
            let ending = Ending::of(source).ok_or_else(|| DataError::UnknownKind { path: path() })?;
            let bytes = fs::read(source).map_err(|source| DataError::Io { path: path(), source })?;
            if bytes.is_empty() {
                return Err(DataError::Empty { path: path(), what: "the file is empty" });
            }
            (ending, bytes)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(DataError::NotFound { path: path(), hint: hint(source) });
        }
        Err(error) => {
            return Err(DataError::Io { path: path(), source: error });
        }
    };
    let name = stem(source);
    Ok(match ending {
        Ending::Csv => Content::Text { name, bytes },
        Ending::CsvGz => Content::Text { name, bytes: unpack(source, &bytes)? },
        Ending::Npy => Content::Array { name, bytes },
    })
}

#[derive(Clone, Copy)]
enum Ending {
    Csv,
    CsvGz,
    Npy,
}

const ENDINGS: [(&str, Ending); 3] = [(".csv.gz", Ending::CsvGz), (".csv", Ending::Csv), (".npy", Ending::Npy)];

impl Ending {
    fn of(source: &str) -> Option<Self> {
        let lower = source.to_lowercase();
        let found = ENDINGS.iter().find(|(end, _)| lower.ends_with(end));
        found.map(|&(_, ending)| ending)
    }
}

fn stem(source: &str) -> String {
    let name = file_name(Path::new(source));
    let lower = name.to_lowercase();
    let end = ENDINGS.iter().find(|(end, _)| lower.ends_with(end));
    let cut = name.len() - end.map_or(0, |(end, _)| end.len());
    name.get(..cut).unwrap_or(&name).to_string()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn unpack(path: &str, packed: &[u8]) -> Result<Vec<u8>, DataError> {
    let mut text = Vec::new();
    // Several members in a row are one file, as gzip has it.
    match flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut text) {
        Ok(0) => Err(DataError::Empty { path: path.into(), what: "the file is empty once unpacked" }),
        Ok(_) => Ok(text),
        Err(error) => Err(DataError::Gzip {
            path: path.into(),
            what: if error.kind() == io::ErrorKind::UnexpectedEof { "cut short" } else { "corrupt" },
        }),
    }
}

/// The nearest name in the same folder, or what else could be meant.
fn hint(source: &str) -> String {
    let wanted = source.to_lowercase();
    let nearest = built_in().map(|name| (strsim::damerau_levenshtein(&wanted, name), name)).min();
    if let Some((distance, name)) = nearest
        && distance <= (name.len() / 3).max(2)
    {
        return format!("did you mean the built-in set `{name}`?");
    }
    let path = Path::new(source);
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return format!("there is no folder {} either", folder.display());
    };
    let wanted = file_name(path).to_lowercase();
    let nearest = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| Ending::of(name).is_some())
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_lowercase()), name))
        .min();
    match nearest {
        Some((distance, name)) if distance <= (wanted.len() / 3).max(2) => {
            format!("did you mean {}?", path.with_file_name(name).display())
        }
        _ => format!("check the path, or use a built-in set: {}", built_in_names()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn error_of(path: &Path) -> String {
        let text = load(path.to_str().unwrap(), &LoadOptions::default()).unwrap_err().to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    }

    #[test]
    fn names_lead_to_their_readers() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("wave.csv");
        let packed = folder.path().join("wave2.CSV.gz");
        fs::write(&plain, "a,b\n1,2\n3,4\n").unwrap();
        fs::write(&packed, gzip(b"a,b\n1,2\n3,4\n")).unwrap();
        let options = LoadOptions::default();
        let one = load(plain.to_str().unwrap(), &options).unwrap();
        let two = load(packed.to_str().unwrap(), &options).unwrap();
        assert_eq!((one.name.as_str(), two.name.as_str()), ("wave", "wave2"));
        assert_eq!(one.values, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(one.values, two.values);
        assert_eq!(load("digits", &options).unwrap().name, "digits");
    }

    #[test]
    fn a_missing_file_brings_a_near_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("weather.csv"), "1,2\n").unwrap();
        let near = error_of(&folder.path().join("wether.csv"));
        assert!(near.contains("no such file; did you mean") && near.contains("weather.csv"));
        let far = error_of(&folder.path().join("something_else.npy"));
        assert!(far.contains("a built-in set: digits, moons, eight-gaussians, swiss-roll, checkerboard"), "{far}");
        let typo = error_of(Path::new("digit"));
        assert!(typo.contains("did you mean the built-in set `digits`?"), "{typo}");
        for (typo, meant) in [("monos", "moons"), ("8-gaussians", "eight-gaussians"), ("swissroll", "swiss-roll")] {
            let hint = error_of(Path::new(typo));
            assert!(hint.contains(&format!("did you mean the built-in set `{meant}`?")), "{hint}");
        }
        let lost = error_of(&folder.path().join("none/a.csv"));
        assert!(lost.contains("there is no folder"), "{lost}");
    }

    #[test]
    fn folders_unknown_kinds_and_empty_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error_of(folder.path()).contains("is a folder"));
        for (name, part) in [
            ("a.parquet", "this kind of file is not read"),
            ("a.csv", "the file is empty"),
            ("a.npy", "the file is empty"),
            ("a.csv.gz", "the file is empty"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, b"").unwrap();
            assert!(error_of(&path).contains(part));
        }
    }

    #[test]
    fn broken_gzip_is_cut_short_or_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv.gz");
        let whole = gzip("1,2\n3,4\n".repeat(500).as_bytes());
        for length in 1..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(error_of(&path).contains("gzip data is cut short"), "{length}");
        }
        let mut flipped = whole.clone();
        let last = flipped.len() - 6; // in the checksum
        flipped[last] ^= 1;
        fs::write(&path, &flipped).unwrap();
        assert!(error_of(&path).contains("gzip data is corrupt"));
        fs::write(&path, b"1,2\n3,4\n1,2\n3,4\n").unwrap();
        assert!(error_of(&path).contains("gzip data is corrupt"));
        fs::write(&path, gzip(b"")).unwrap();
        assert!(error_of(&path).contains("empty once unpacked"));
    }
}
