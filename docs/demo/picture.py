"""A picture of a run: what commands print on a terminal, as SVG.

`make picture` runs the demo on a terminal of its own and writes docs/demo/demo.svg. What differs from run to run (the
time, ports, the folder) is replaced by what a reader would see. The picture names no font and nothing from the network.
"""

from __future__ import annotations

import fcntl
import html
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
PICTURE = HERE / "demo.svg"
COLUMNS = 88
# What the pictures show in place of the folder of a run.
FOLDER = "/home/you"
# The width of a character in rich's pictures: 0.61 of its height.
CHARACTER = 12.2

# As rich's own, without the font that it would fetch from a server.
FORMAT = """<svg class="terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" \
aria-label="mom on a terminal">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def recorded(
    command: list[str], folder: Path, environment: dict[str, str], columns: int = COLUMNS, timeout: float = 600
) -> tuple[str, int]:
    """Return what a command prints on a terminal of so many columns, and its exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**environment, "TERM": "xterm-256color"}
    with subprocess.Popen(
        ["timeout", str(timeout), *command], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        output = b""
        # Linux ends the last read with EIO, macOS with nothing.
        while chunk := _read(ours):
            output += chunk
        os.close(ours)
        return output.decode().replace("\r\n", "\n"), process.wait()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def steady(output: str, folder: Path) -> str:
    """Return output with the same time, ports and folder in each run."""
    output = re.sub(r"(?<!\d)\d\d:\d\d:\d\d(?!\d)", "12:00:00", output).replace(str(folder), FOLDER)
    ports = list(dict.fromkeys(re.findall(r"127\.0\.0\.1:(\d+)", output)))
    for port, shown in zip(ports, ["9000", "8082"], strict=False):
        output = output.replace(f"127.0.0.1:{port}", f"127.0.0.1:{shown}")
    return output


def svg(output: str, title: str) -> str:
    """Return output with its ANSI colours as an SVG picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(output.strip("\n")), soft_wrap=False)
    return console.export_svg(title=title, code_format=FORMAT, unique_id="mom")


def shown(picture: str) -> list[str]:
    """Return the lines of text in a picture, without blanks at their ends."""
    rows: dict[float, str] = {}
    pattern = r'<text class="mom-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*clip-path[^>]*>([^<]*)</text>'
    for x, y, text in re.findall(pattern, picture):
        row = rows.get(float(y), "")
        rows[float(y)] = row.ljust(round(float(x) / CHARACTER)) + html.unescape(text).replace("\xa0", " ").rstrip("\n")
    return [rows[y].rstrip() for y in sorted(rows)]


def demo(folder: Path) -> tuple[str, int]:
    """Run the demo in `folder` on a terminal, and return what it printed and its exit status."""
    # Lines are broken where they would be with the name that the picture shows.
    columns = COLUMNS + len(str(folder)) - len(FOLDER)
    return recorded([sys.executable, str(HERE / "demo.py"), str(folder)], folder.parent, dict(os.environ), columns)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve() / "demo"
        printed, status = demo(place)
        PICTURE.write_text(svg(steady(printed, place), "make demo"))
        sys.exit(status)
