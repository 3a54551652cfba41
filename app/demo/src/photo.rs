//! Tiny generated pictures: head and shoulders in one colour, as PNG.

use super::rng::SeededRng;

/// The media type.
pub(super) const MEDIA_TYPE: &str = "image/png";

/// The width and height in pixels.
const SIDE: usize = 16;

/// Head and shoulders, one bit for each pixel.
const FACE: [u16; SIDE] = [
    0x0000, 0x03C0, 0x07E0, 0x0FF0, 0x0FF0, 0x0FF0, 0x0FF0, 0x07E0, 0x03C0, 0x03C0, 0x1FF8, 0x3FFC, 0x7FFE,
    0x7FFE, 0x7FFE, 0x7FFE,
];

/// Returns a picture in two random colours.
pub(super) fn png(rng: &mut SeededRng) -> Vec<u8> {
    let mut colours = Vec::with_capacity(6);
    for least in [200, 200, 200, 40, 40, 40] {
        colours.push(u8::try_from(rng.between(least, least + 50)).unwrap_or(u8::MAX));
    }
    let side = 16_u32.to_be_bytes();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    // One bit for each pixel, with a palette.
    chunk(&mut bytes, *b"IHDR", &[&side[..], &side[..], &[1, 3, 0, 0, 0]].concat());
    chunk(&mut bytes, *b"PLTE", &colours);
    let lines: Vec<u8> =
        FACE.iter().flat_map(|line| [0, line.to_be_bytes()[0], line.to_be_bytes()[1]]).collect();
    chunk(&mut bytes, *b"IDAT", &stored(&lines));
    chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    bytes.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(kind);
    bytes.extend(data);
    bytes.extend(crc32(kind.iter().chain(data)).to_be_bytes());
}

/// Returns a zlib stream that stores the data uncompressed.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or_default();
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

fn crc32<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_png() {
        assert_eq!(crc32(b"IEND".iter()), 0xAE42_6082);
        let picture = png(&mut SeededRng::new(1));
        assert!(picture.ends_with(b"IEND\xAE\x42\x60\x82"));
    }
}
