//! The Mandelbrot set as a portable bitmap, after the description of the benchmarks game's
//! mandelbrot: eight pixels at a time, because eight pixels make a byte.

/// Number of pixels in a byte, which lie side by side.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// At most 49 steps: 12 rounds of 4, and a last one.
const ROUNDS: usize = 12;
const STEPS_A_ROUND: usize = 4;

/// A point has escaped beyond the radius with this square.
const ESCAPED: f64 = 4.0;

/// The set in [-1.5, 0.5) x [-1, 1) as a binary PBM file ("P4") of `size` x `size`
/// pixels; `size` is rounded down to a multiple of eight.
pub fn bitmap(size: u32) -> Vec<u8> {
    let size = size / LANES as u32 * LANES as u32;
    let columns = size as usize / LANES;
    let mut file = format!("P4\n{size} {size}\n").into_bytes();
    file.reserve_exact(columns * size as usize);

    let step = 2.0 / f64::from(size);
    let reals: Vec<Lanes> = (0..columns)
        .map(|column| std::array::from_fn(|lane| (column * LANES + lane) as f64 * step - 1.5))
        .collect();
    for row in 0..size {
        draw_row(&mut file, &reals, f64::from(row) * step - 1.0);
    }
    #[cfg(feature = "five-percent-slower")]
    draw_rows_again(&reals, size, step);
    file
}

/// Appends the bytes of a row to `file`.
#[inline(always)]
fn draw_row(file: &mut Vec<u8>, reals: &[Lanes], imaginary: f64) {
    let mut byte = 0;
    for real in reals {
        // Next to a byte with pixels of the set, giving up early rarely saves time.
        let may_give_up = byte == 0;
        byte = if may_give_up {
            pixels::<true>(real, imaginary)
        } else {
            pixels::<false>(real, imaginary)
        };
        file.push(byte);
    }
}

/// Draws one row of twenty a second time and discards it: 5 % more of the same work.
#[cfg(feature = "five-percent-slower")]
fn draw_rows_again(reals: &[Lanes], size: u32, step: f64) {
    let mut rows = Vec::with_capacity(reals.len() * size as usize / 20 + reals.len());
    for row in (10..size).step_by(20) {
        draw_row(&mut rows, reals, f64::from(row) * step - 1.0);
    }
    std::hint::black_box(rows);
}

/// Eight pixels, the leftmost one in the most significant bit. A set bit is a point that has not
/// escaped.
fn pixels<const MAY_GIVE_UP: bool>(real: &Lanes, imaginary: f64) -> u8 {
    let (mut re, mut im) = (*real, [imaginary; LANES]);
    for _ in 0..ROUNDS {
        for _ in 0..STEPS_A_ROUND {
            advance(&mut re, &mut im, real, imaginary);
        }
        if MAY_GIVE_UP && (0..LANES).all(|lane| norm(re[lane], im[lane]) > ESCAPED) {
            return 0;
        }
    }
    advance(&mut re, &mut im, real, imaginary);
    (0..LANES).fold(0, |byte, lane| byte << 1 | u8::from(norm(re[lane], im[lane]) <= ESCAPED))
}

/// One step z = z^2 + c in each lane.
#[inline(always)]
fn advance(re: &mut Lanes, im: &mut Lanes, real: &Lanes, imaginary: f64) {
    for lane in 0..LANES {
        let (x, y) = (re[lane], im[lane]);
        re[lane] = x * x - y * y + real[lane];
        im[lane] = (x + x) * y + imaginary;
    }
}

#[inline(always)]
fn norm(re: f64, im: f64) -> f64 {
    re * re + im * im
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn files_have_the_published_sizes() {
        for (size, bytes) in [(128, 2_059), (256, 8_203), (512, 32_779), (1024, 131_085)] {
            assert_eq!(bitmap(size).len(), bytes, "{size} px");
        }
    }

    #[test]
    fn sizes_are_rounded_down_to_whole_bytes() {
        assert_eq!(bitmap(15), bitmap(8));
        assert_eq!(bitmap(7), b"P4\n0 0\n");
    }

    /// Computes each pixel by the definition, without lanes and without giving up early.
    #[test]
    fn every_pixel_follows_the_definition() {
        let size = 64;
        let file = bitmap(size);
        let pixels = &file[b"P4\n64 64\n".len()..];
        for row in 0..size {
            for column in 0..size {
                let c = (
                    f64::from(column) * 2.0 / f64::from(size) - 1.5,
                    f64::from(row) * 2.0 / f64::from(size) - 1.0,
                );
                let z = (0..49).fold(c, |(x, y), _| (x * x - y * y + c.0, 2.0 * x * y + c.1));
                let byte = pixels[(row * size + column) as usize / 8];
                let drawn = byte >> (7 - column % 8) & 1 == 1;
                assert_eq!(drawn, norm(z.0, z.1) <= ESCAPED, "pixel {column}, {row}");
            }
        }
    }

    #[test]
    fn the_bytes_never_change() {
        let hash = format!("{:x}", Sha256::digest(bitmap(128)));
        assert_eq!(hash, "0402c927cd9501064bdb8eb5c20bf43ac47a0aaf8df8f5d87026c6c883d6846f");
    }
}
