//! SVG to PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::PictureError;
use crate::grid::MAX_PIXELS;

/// The fonts that come along: Ubuntu Light for all text, Hack for the few signs that it lacks.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    fonts.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
    fonts.set_sans_serif_family("Ubuntu");
    Arc::new(fonts)
});

/// An SVG's picture as a PNG file, `scale` pixels to each of the SVG's; the machine's own fonts play no part.
pub(crate) fn png(svg: &str, scale: u32) -> Result<Vec<u8>, PictureError> {
    let options = Options { fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| PictureError::Svg(error.to_string()))?;
    let size = tree.size().to_int_size();
    let pixels = |length: u32| length.checked_mul(scale).filter(|pixels| (1..=1 << 16).contains(pixels));
    let (Some(width), Some(height)) = (pixels(size.width()), pixels(size.height())) else {
        return Err(PictureError::TooLarge);
    };
    if width as usize * height as usize > MAX_PIXELS {
        return Err(PictureError::TooLarge);
    }
    let mut pixmap = Pixmap::new(width, height).ok_or(PictureError::TooLarge)?;
    resvg::render(&tree, Transform::from_scale(scale as f32, scale as f32), &mut pixmap.as_mut());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter); // flat colours repeat as they are
    let mut writer = encoder.write_header()?;
    // The background is opaque, so that premultiplied colours are colours.
    let rgb: Vec<u8> = pixmap.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, Figure, Mark, Panel, Scale};

    fn figure(title: &str) -> Figure {
        let panel = Panel {
            title: String::new(),
            x: Scale::linear("x (no unit)"),
            y: Scale::log("y (no unit)"),
            marks: vec![Mark::line("line", Colour::Blue, vec![(0.0, 1.0), (1.0, 10.0)])],
        };
        Figure::new(title, 1, vec![panel]).sized(300, 200)
    }

    /// Width, height and pixels.
    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        (info.width as usize, info.height as usize, pixels)
    }

    #[test]
    fn a_png_has_the_size_of_its_svg_times_the_scale() {
        let figure = figure("Title");
        let svg = figure.svg();
        // Title 40, a row of names 20, the panel 200, and 5 below.
        assert!(svg.starts_with("<svg width=\"300\" height=\"265\""), "{}", &svg[..60]);
        for scale in [1, 2] {
            let (width, height, pixels) = decode(&figure.png(scale).unwrap());
            assert_eq!((width, height), (300 * scale as usize, 265 * scale as usize));
            assert_eq!(pixels[..3], [255; 3], "the corner is paper");
        }
        assert!(matches!(figure.png(0), Err(PictureError::TooLarge)));
        assert!(matches!(figure.png(u32::MAX), Err(PictureError::TooLarge)));
        assert!(matches!(png("<svg", 1), Err(PictureError::Svg(_))));
    }

    #[test]
    fn every_sign_of_a_label_has_a_shape_of_its_own() {
        // A sign without one would be left out or drawn as an empty box, the same for each. (The chi of this font is an x.)
        let ink = |title: &str| {
            let (width, _, pixels) = decode(&figure(title).png(2).unwrap());
            pixels[..3 * width * 80].to_vec() // the header
        };
        let signs: Vec<char> = ('!'..='~').chain("αβγδεθλμπρστφψωΔΣ√·±−×²³½∞≤≥≈ôöéü".chars()).collect();
        let mut seen = std::collections::HashMap::from([(ink(""), ' ')]);
        for sign in signs {
            if let Some(other) = seen.insert(ink(&sign.to_string()), sign) {
                assert_eq!(other, sign, "both look alike");
            }
        }
    }

    #[test]
    fn the_same_figure_gives_the_same_bytes() {
        assert_eq!(figure("Title").svg(), figure("Title").svg());
        assert_eq!(figure("Title").png(1).unwrap(), figure("Title").png(1).unwrap());
    }
}
