//! `mote gallery`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use minijinja::Environment;
use minijinja::value::Serde;
use mote_laboratory::gallery::{GALLERY, Picture};
use mote_laboratory::theory::Laboratory;
use rayon::prelude::*;
use serde::Serialize;

use super::output::Format as Output;
use crate::files::write_atomically;

/// Arguments of `mote gallery`.
#[derive(Debug, clap::Args)]
#[command(after_help = "The same seed gives the same files. All pictures together also make an index.html.\n\n\
    Example: mote gallery brownian-paths reverse-diffusion --out pictures --format png")]
pub(super) struct Args {
    /// Pictures to draw. Default: all.
    names: Vec<String>,
    /// The folder to draw into; it is made if need be.
    #[arg(long, default_value = "gallery")]
    out: PathBuf,
    /// Kind of file.
    #[arg(long, value_enum, default_value_t = Kind::Both)]
    format: Kind,
    /// Pixels of a PNG to each of the SVG's.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    scale: u32,
    /// Seed of all experiments.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// List the pictures instead.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Lines and text that stay sharp at any size.
    Svg,
    /// Pixels, in a font that comes along.
    Png,
    /// One of each.
    Both,
}

/// A picture and its files, as JSON has them.
#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    files: Vec<PathBuf>,
}

impl Entry {
    fn new(picture: &Picture, files: Vec<PathBuf>) -> Self {
        Self { name: picture.name, title: picture.title, caption: picture.caption, files }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let chosen = chosen(&args.names)?;
    if args.list {
        let entries: Vec<_> = chosen.iter().map(|picture| Entry::new(picture, Vec::new())).collect();
        let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        let line = |entry: &Entry| format!("{:width$}  {}\n", entry.name, entry.title);
        return args.output.print(&entries, |entries| entries.iter().map(line).collect());
    }
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}; choose another by --out", args.out.display()))?;
    let done = AtomicUsize::new(0);
    let drawn = chosen.par_iter().map(|picture| {
        let files = draw(picture, args)?;
        let number = done.fetch_add(1, Ordering::Relaxed) + 1;
        eprintln!("drawing {number} of {}: {}", chosen.len(), picture.name);
        Ok(Entry::new(picture, files))
    });
    let mut entries = drawn.collect::<anyhow::Result<Vec<_>>>()?;
    let mut index = None;
    if args.names.is_empty() {
        let path = args.out.join("index.html");
        let html = page(&entries)?;
        write_atomically(&path, |out| out.write_all(html.as_bytes()))?;
        index = Some(path);
    }
    for entry in &mut entries {
        for file in &mut entry.files {
            *file = args.out.join(&file);
        }
    }
    args.output.print(&entries, |entries| {
        let files = entries.iter().flat_map(|entry| &entry.files).chain(&index);
        files.map(|file| format!("{}\n", file.display())).collect()
    })
}

/// The pictures of some names, or all.
fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Picture>> {
    let mut chosen = Vec::new();
    for name in names {
        let Some(picture) = GALLERY.iter().find(|picture| picture.name == name) else {
            bail!("there is no picture \"{name}\"{}; mote gallery --list names all", nearest(name));
        };
        chosen.push(picture);
    }
    if chosen.is_empty() {
        chosen = GALLERY.iter().collect();
    }
    // A name given twice is drawn once.
    chosen.dedup_by_key(|picture| picture.name);
    Ok(chosen)
}

/// Says which picture a name may have meant.
fn nearest(name: &str) -> String {
    let best = GALLERY.iter().map(|p| (strsim::damerau_levenshtein(name, p.name), p.name)).min();
    match best {
        Some((distance, known)) if distance <= known.len() / 2 => format!(" (did you mean {known}?)"),
        _ => String::new(),
    }
}

/// Draws one picture and gives the names of its files in the folder.
fn draw(picture: &Picture, args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    let figure = (picture.draw)(&Laboratory { seed: args.seed });
    let mut files = Vec::new();
    let mut write = |ending: &str, bytes: &[u8]| {
        let file = Path::new(picture.name).with_extension(ending);
        write_atomically(&args.out.join(&file), |out| out.write_all(bytes))?;
        files.push(file);
        anyhow::Ok(())
    };
    if args.format != Kind::Png {
        write("svg", figure.svg().as_bytes())?;
    }
    if args.format != Kind::Svg {
        write("png", &figure.png(args.scale)?)?;
    }
    Ok(files)
}

/// All pictures with their captions on one page; the files are beside it.
fn page(entries: &[Entry]) -> anyhow::Result<String> {
    let mut pages = Environment::new();
    pages.add_template("gallery.html", include_str!("gallery.html"))?;
    let template = pages.get_template("gallery.html")?;
    Ok(template.render(minijinja::context! { pictures => Serde(entries) })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_once_and_unknown_ones_are_told_the_nearest() {
        let name = |text: &str| vec![text.to_string(), text.to_string()];
        assert_eq!(chosen(&name("ou-paths")).unwrap().len(), 1);
        assert_eq!(chosen(&[]).unwrap().len(), GALLERY.len());
        let error = chosen(&name("brownian-path")).unwrap_err().to_string();
        assert!(error.contains("did you mean brownian-paths?") && error.contains("--list"), "{error}");
        assert!(!chosen(&name("q")).unwrap_err().to_string().contains("did you mean"));
    }

    #[test]
    fn the_page_holds_every_picture_with_its_caption() {
        let entries: Vec<_> =
            GALLERY.iter().map(|picture| Entry::new(picture, vec![format!("{}.svg", picture.name).into()])).collect();
        let page = page(&entries).unwrap();
        for picture in GALLERY {
            assert!(page.contains(&format!("src=\"{}.svg\"", picture.name)), "{}", picture.name);
            assert!(page.contains(picture.title), "{}", picture.name);
        }
        assert_eq!(page.matches("<figcaption>").count(), GALLERY.len());
    }
}
