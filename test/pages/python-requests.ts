// Create parameters that make the emulator's scripted model run Python.

/** A request whose run makes one call for each code. The first line of its input is the title. */
export function pythonRequest(title: string, ...codes: string[]) {
  const blocks = codes.map((code) => "```python\n" + code + "\n```");
  return {
    input: [title, ...blocks].join("\n"),
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  };
}

/** Python that draws a curve as a PNG and shows it. */
export const DRAW_IMAGE = `import math, struct, zlib
from IPython.display import Image, display

def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

def pixel(x, y):
    near = abs(y - 90 - 70 * math.sin(x / 45)) < 2
    return b"\\x2f\\x55\\xcc" if near else b"\\xff\\xff\\xff"

width, height = 480, 180
rows = b"".join(b"\\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
png = b"\\x89PNG\\r\\n\\x1a\\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
display(Image(data=png))`;

/** Python that prints HTML, escape sequences, direction marks, broken characters and 5 MB. */
export const PRINT_HOSTILE_TEXT = String.raw`print("<script>alert(1)</script>")
print("</pre><img src=x onerror=alert(2)>")
print("\x1b[31mred\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07")
print("\u202egnp.exe\u202c \u2066hidden\u2069")
print("broken \ud800 \udcff text")
print("x" * 5_000_000)`;

/** Python that prints text which gzip can't compress much. */
export const PRINT_INCOMPRESSIBLE_TEXT = `import random
print("".join(chr(random.randrange(0x4e00, 0x9fff)) for _ in range(50_000)))`;
