//! Grids of small greyscale images.

/// Images of one size, row-major pixels one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Tiles<'a> {
    /// The pixels; what does not fill a whole image is left out.
    pub values: &'a [f32],
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
}

/// How a grid looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridStyle {
    /// Images in a row.
    pub columns: usize,
    /// The values shown black and white; values beyond are clipped, and (high, low) shows ink on paper.
    pub range: (f32, f32),
    /// Screen pixels to an image pixel, each way.
    pub scale: usize,
}

impl Default for GridStyle {
    fn default() -> Self {
        Self { columns: 8, range: (0.0, 1.0), scale: 4 }
    }
}

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// There is nothing to show, or it would have no size.
    #[error(
        "no picture: {images} images of {height} x {width} pixels in {columns} columns at scale {scale}; all must be at least 1"
    )]
    Nothing {
        /// Whole images given.
        images: usize,
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels from left to right.
        width: usize,
        /// Images in a row.
        columns: usize,
        /// Screen pixels to an image pixel.
        scale: usize,
    },
    /// More pixels than can be held.
    #[error("no picture: it would be larger than {MAX_PIXELS} pixels; show less or use a smaller scale")]
    TooLarge,
    /// The PNG encoder refused.
    #[error("no picture: {0}")]
    Encode(#[from] png::EncodingError),
    /// The SVG that was to become pixels cannot be read.
    #[error("no picture: {0}")]
    Svg(String),
}

/// The largest picture that is made.
pub(crate) const MAX_PIXELS: usize = 1 << 26;
/// Shade between the images: neither ink nor paper.
const GAP_SHADE: u8 = 112;
/// Shade of the band between two grids.
const BAND_SHADE: u8 = 255;

/// The bytes of one greyscale PNG of images, `columns` to a row.
///
/// # Errors
///
/// [`PictureError`] if there is nothing to show.
pub fn grid_png(tiles: &Tiles, style: &GridStyle) -> Result<Vec<u8>, PictureError> {
    Canvas::of(tiles, style)?.encode()
}

/// The bytes of a PNG of two grids beside each other with a white band between them, samples left and real images right for
/// example.
///
/// # Errors
///
/// As [`grid_png`], for either side.
pub fn side_by_side_png(left: &Tiles, right: &Tiles, style: &GridStyle) -> Result<Vec<u8>, PictureError> {
    let (left, right) = (Canvas::of(left, style)?, Canvas::of(right, style)?);
    let band = style.scale * 4;
    let width = left.width + band + right.width;
    let mut both = Canvas::filled(width, left.height.max(right.height), BAND_SHADE)?;
    both.paste(&left, 0);
    both.paste(&right, left.width + band);
    both.encode()
}

/// An 8-bit greyscale picture.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn filled(width: usize, height: usize, shade: u8) -> Result<Self, PictureError> {
        match width.checked_mul(height) {
            Some(count) if count <= MAX_PIXELS => Ok(Self { width, height, pixels: vec![shade; count] }),
            _ => Err(PictureError::TooLarge),
        }
    }

    fn of(tiles: &Tiles, style: &GridStyle) -> Result<Self, PictureError> {
        let size = tiles.height.saturating_mul(tiles.width);
        let images = tiles.values.len().checked_div(size).unwrap_or(0);
        let GridStyle { columns, scale, .. } = *style;
        if images == 0 || columns == 0 || scale == 0 {
            return Err(PictureError::Nothing { images, height: tiles.height, width: tiles.width, columns, scale });
        }
        let gap = scale.div_ceil(2);
        let across = columns.min(images);
        let down = images.div_ceil(across);
        // A gap before each tile and one after the last.
        let extent = |count: usize, pixels: usize| {
            let tile = pixels.checked_mul(scale)?.checked_add(gap)?;
            count.checked_mul(tile)?.checked_add(gap)
        };
        let width = extent(across, tiles.width).ok_or(PictureError::TooLarge)?;
        let height = extent(down, tiles.height).ok_or(PictureError::TooLarge)?;
        let mut canvas = Self::filled(width, height, GAP_SHADE)?;
        for (index, image) in tiles.values.chunks_exact(size).enumerate() {
            let left = gap + (index % across) * (tiles.width * scale + gap);
            let top = gap + (index / across) * (tiles.height * scale + gap);
            for y in 0..tiles.height * scale {
                let row = &image[y / scale * tiles.width..][..tiles.width];
                let start = (top + y) * width + left;
                let to = &mut canvas.pixels[start..start + tiles.width * scale];
                for (to, &value) in to.chunks_exact_mut(scale).zip(row) {
                    to.fill(shade(value, style.range));
                }
            }
        }
        Ok(canvas)
    }

    fn paste(&mut self, other: &Self, left: usize) {
        let rows = self.pixels.chunks_exact_mut(self.width);
        for (to, from) in rows.zip(other.pixels.chunks_exact(other.width)) {
            to[left..left + other.width].copy_from_slice(from);
        }
    }

    fn encode(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        // Both sides are at most MAX_PIXELS, which fits.
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// 0 at the first end of the range, 255 at the second; NaN is black.
fn shade(value: f32, (low, high): (f32, f32)) -> u8 {
    let share = if low == high { 0.0 } else { (value - low) / (high - low) };
    (share * 255.0).round() as u8 // saturates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        (info.width as usize, info.height as usize, pixels)
    }

    const STYLE: GridStyle = GridStyle { columns: 2, range: (0.0, 2.0), scale: 2 };

    #[test]
    fn pixels_land_where_they_should() {
        // Three images of 1 x 2 pixels: two columns and two rows, gap 1, the fourth place empty.
        let tiles = Tiles { values: &[0.0, 2.0, 1.0, -9.0, 9.0, f32::NAN], height: 1, width: 2 };
        let (width, height, pixels) = decode(&grid_png(&tiles, &STYLE).unwrap());
        let g = GAP_SHADE;
        let rows = [
            [g; 11],
            [g, 0, 0, 255, 255, g, 128, 128, 0, 0, g],
            [g, 0, 0, 255, 255, g, 128, 128, 0, 0, g],
            [g; 11],
            [g, 255, 255, 0, 0, g, g, g, g, g, g],
            [g, 255, 255, 0, 0, g, g, g, g, g, g],
            [g; 11],
        ];
        assert_eq!((width, height), (11, 7));
        assert_eq!(pixels, rows.concat());
    }

    #[test]
    fn two_grids_stand_beside_each_other() {
        let tiles = |values| Tiles { values, height: 1, width: 1 };
        let bytes = side_by_side_png(&tiles(&[2.0]), &tiles(&[0.0, 0.0, 0.0]), &STYLE);
        let (width, height, pixels) = decode(&bytes.unwrap());
        assert_eq!((width, height), (4 + 8 + 7, 7));
        let row = |y: usize| &pixels[y * width..(y + 1) * width];
        let (g, b) = (GAP_SHADE, BAND_SHADE);
        let band = [b; 8];
        assert_eq!(row(1), [&[g, 255, 255, g], &band[..], &[g, 0, 0, g, 0, 0, g]].concat());
        // The left grid has one row of images: below it is the band's shade.
        assert_eq!(row(5), [&[b; 4], &band[..], &[g, 0, 0, g, g, g, g]].concat());
    }

    #[test]
    fn a_range_the_other_way_round_inverts() {
        assert_eq!([0.0, 1.0, 2.0].map(|x| shade(x, (2.0, 0.0))), [255, 128, 0]);
        assert_eq!(shade(5.0, (1.0, 1.0)), 0);
    }

    #[test]
    fn nothing_to_show_is_an_error() {
        let tiles = Tiles { values: &[1.0; 3], height: 2, width: 2 };
        let error = grid_png(&tiles, &STYLE).unwrap_err();
        assert!(error.to_string().contains("0 images of 2 x 2"), "{error}");
        let values = [1.0; 4];
        let tiles = Tiles { values: &values, ..tiles };
        for (columns, scale) in [(0, 1), (1, 0), (1, usize::MAX / 2), (1, 1 << 20)] {
            let style = GridStyle { columns, scale, ..STYLE };
            assert!(grid_png(&tiles, &style).is_err());
        }
    }
}
