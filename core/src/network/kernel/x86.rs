//! x86-64: sixteen products an instruction where the processor has AVX2, found out when it runs.

use super::{Matrix, SUM_SHIFT};
use crate::network::TILE;
use core::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_unpackhi_epi64, _mm256_add_epi32,
    _mm256_and_si256, _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_zextsi128_si256,
};

cpufeatures::new!(avx2, "avx2");

/// Calls `each` with the sums of consecutive rows; false if the processor or the lanes are not fit, and nothing was done.
pub(super) fn row_pairs(matrix: &Matrix<'_>, codes: &[i16], each: &mut dyn FnMut(&[i32])) -> bool {
    let cols = matrix.cols.next_multiple_of(TILE);
    let Some(codes) = codes.get(..cols).filter(|_| avx2::get()) else { return false };
    let sum = codes.iter().fold(0i32, |sum, code| sum.wrapping_add(i32::from(*code)));
    let block = (TILE * cols).max(1);
    for (first, weights) in (0..matrix.rows).step_by(TILE).zip(matrix.weights.chunks_exact(block)) {
        // SAFETY: the processor has AVX2.
        let [a, ab, c, cd] = unsafe { tile(weights, codes) };
        // A and C were stored with 128 added, and the pairs hold them too.
        let offset = sum.wrapping_mul(-128);
        let sums = [
            a.wrapping_add(offset) << SUM_SHIFT,
            ab.wrapping_sub(a),
            c.wrapping_add(offset) << SUM_SHIFT,
            cd.wrapping_sub(c),
        ];
        each(sums.get(..matrix.rows - first).unwrap_or(&sums));
    }
    true
}

/// Four rows: A' with 128 added to each weight, `256 B + A'`, and C and D likewise, all modulo `2^32`.
#[target_feature(enable = "avx2")]
fn tile(weights: &[u8], codes: &[i16]) -> [i32; TILE] {
    let (mut pairs, mut low) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let bytes = _mm256_set1_epi32(0x00ff_00ff);
    // Each two lanes meet the weights of A and B, and then those of C and D.
    let twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    let mut add = |weights: __m256i, codes: __m256i| {
        let codes = _mm256_permutevar8x32_epi32(codes, twice);
        // No sum of two products reaches 2^31, as codes stay above -2^15.
        pairs = _mm256_add_epi32(pairs, _mm256_madd_epi16(weights, codes));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_and_si256(weights, bytes), codes));
    };
    let (weights, last_weights) = weights.as_chunks::<32>();
    let (codes, last_codes) = codes.as_chunks::<8>();
    for (weights, codes) in weights.iter().zip(codes) {
        add(load32(weights), _mm256_castsi128_si256(load16(bytemuck::bytes_of(codes))));
    }
    if let (Some(weights), Some([c0, c1, c2, c3])) = (last_weights.first_chunk::<16>(), last_codes.first_chunk()) {
        let codes = load16(bytemuck::bytes_of(&[*c0, *c1, *c2, *c3, 0, 0, 0, 0]));
        add(_mm256_zextsi128_si256(load16(weights)), _mm256_castsi128_si256(codes));
    }
    let [[ab, cd], [a, c]] = [pairs, low].map(|sums| alternate_sums(sums));
    [a, ab, c, cd]
}

/// The sums of the words with even and with odd numbers.
#[target_feature(enable = "avx2")]
fn alternate_sums(words: __m256i) -> [i32; 2] {
    let four = _mm_add_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
    let two = _mm_cvtsi128_si64(_mm_add_epi32(four, _mm_unpackhi_epi64(four, four)));
    [two as i32, (two >> 32) as i32]
}

/// Calls `each` with the sum of one row after another; false if the processor is not fit, and nothing was done.
pub(super) fn rows(matrix: &Matrix<'_>, codes: &[i16], each: &mut dyn FnMut(&[i32])) -> bool {
    let Some(codes) = codes.get(..matrix.cols).filter(|_| avx2::get()) else { return false };
    for row in matrix.weights.chunks_exact(matrix.cols.max(1)).take(matrix.rows) {
        // SAFETY: the processor has AVX2.
        each(&[unsafe { row_sum(row, codes) } << SUM_SHIFT]);
    }
    true
}

/// The sum of one row.
#[target_feature(enable = "avx2")]
fn row_sum(weights: &[u8], codes: &[i16]) -> i32 {
    let mut sums = _mm256_setzero_si256();
    let (weights, last_weights) = weights.as_chunks::<16>();
    let (codes, last_codes) = codes.as_chunks::<16>();
    for (weights, codes) in weights.iter().zip(codes) {
        let codes = load32(bytemuck::bytes_of(codes).first_chunk().unwrap_or(&[0; 32]));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(load16(weights)), codes));
    }
    let [even, odd] = alternate_sums(sums);
    let last = last_weights.iter().zip(last_codes).map(|(weight, code)| i32::from(*weight as i8) * i32::from(*code));
    last.fold(even.wrapping_add(odd), i32::wrapping_add)
}

#[target_feature(enable = "avx2")]
fn load16(bytes: &[u8]) -> __m128i {
    let bytes: &[u8; 16] = bytes.first_chunk().unwrap_or(&[0; 16]);
    // SAFETY: sixteen bytes, and the load takes any address.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes, and the load takes any address.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}
