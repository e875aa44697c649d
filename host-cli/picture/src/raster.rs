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
