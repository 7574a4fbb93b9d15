# /// script
# requires-python = ">=3.14"
# dependencies = ["pillow", "resvg-py"]
# ///
"""Draw the images Home Assistant and HACS show, from the two drawings in docs/.

Run it with `uv run script/draw_brand.py` after changing a drawing; the images are kept in
the repository, because Home Assistant takes them from the integration's folder.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image
import resvg_py

ROOT = Path(__file__).parents[1]
DRAWINGS = ROOT / "docs"
BRAND = ROOT / "custom_components" / "esp32_fire_alarm" / "brand"

INK_ON_LIGHT = "#2b3036"
INK_ON_DARK = "#f1f3f5"


def draw(name: str, height: int, *, on_dark: bool = False) -> None:
    """Write one drawing at its normal size and at twice that."""
    svg = (DRAWINGS / f"brand_{name}.svg").read_text()
    if on_dark:
        svg = svg.replace(INK_ON_LIGHT, INK_ON_DARK)
    for suffix, scale in (("", 1), ("@2x", 2)):
        png = resvg_py.svg_to_bytes(
            svg_string=svg, resources_dir=str(DRAWINGS), height=height * scale
        )
        path = BRAND / f"{'dark_' * on_dark}{name}{suffix}.png"
        image = Image.open(BytesIO(bytes(png)))
        # A few flat colours and their edges: a palette shows no difference at a third of the size.
        image.quantize(128, Image.Quantize.FASTOCTREE).save(path, optimize=True)
        print(
            f"{path.relative_to(ROOT)}: {image.width}x{image.height}, {path.stat().st_size} B"
        )


if __name__ == "__main__":
    BRAND.mkdir(exist_ok=True)
    draw("icon", 256)
    draw("logo", 128)
    draw("logo", 128, on_dark=True)
