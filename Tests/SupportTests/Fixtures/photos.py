"""Makes the photos that the tests send: each is a real picture and carries what must not come out again.

Needs Pillow. The camera, the place (55.7539 N, 37.6208 E) and the words are searched for in what the service keeps.
"""
import io
import pathlib
import struct
import zlib

from PIL import Image, PngImagePlugin

HERE = pathlib.Path(__file__).parent
PLACE = {1: "N", 2: (55.0, 45.0, 14.04), 3: "E", 4: (37.0, 37.0, 14.88), 29: "2026:11:27"}


def receipt(width: int, height: int) -> Image.Image:
    """Bright paper with dark lines, so that it shrinks well."""
    image = Image.new("RGB", (width, height), (250, 248, 240))
    for row in range(10, height - 10, 12):
        for column in range(10, width - 10 - (row * 7) % (width // 2)):
            image.putpixel((column, row), (30, 30, 40))
    return image


def exif(image: Image.Image) -> bytes:
    """Camera, orientation, place and a preview, as a phone writes them."""
    data = image.getexif()
    data[0x010F], data[0x0110] = "SecretCameraMaker", "SecretCamera 7"
    data[0x0112] = 6  # turned by a quarter
    data[0x8825] = PLACE
    return data.tobytes()


def main() -> None:
    image = receipt(240, 160)
    image.save(HERE / "gps.jpg", quality=80, exif=exif(image), comment=b"SecretComment")
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SecretComment")
    image.save(HERE / "gps.png", exif=exif(image), pnginfo=text)
    image.save(HERE / "gps.webp", quality=80, exif=exif(image), xmp=b"<x:xmpmeta>SecretComment</x:xmpmeta>")
    # A picture and a page at once: what is behind the last pixel.
    page = b"<html><script>SecretComment</script></html>"
    (HERE / "polyglot.jpg").write_bytes((HERE / "gps.jpg").read_bytes() + page)
    # A bomb: few bytes, many pixels, and a header that says so.
    large = io.BytesIO()
    Image.new("1", (8000, 8000)).save(large, "PNG", optimize=True)
    (HERE / "bomb.png").write_bytes(large.getvalue())
    # A bomb that lies: the header says small, the data goes on.
    rows = zlib.compress(b"\x00" * 30_000_000, 9)
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    liar = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (HERE / "liar.png").write_bytes(liar)


main()
