#!/usr/bin/python3
"""Read the picture that a command has printed to a terminal, or written as SVG, as a
camera would: its modules as a bitmap, which zbarimg decodes. Usage: qr_read.py FILE"""
import re
import subprocess
import sys
import tempfile

SCALE = 4
HALVES = {" ": (0, 0), "\u2584": (0, 1), "\u2580": (1, 0), "\u2588": (1, 1)}


def terminal_rows(text):
    """Read rows of modules, two to a line, from the lines that are black on white."""
    rows = []
    for line in re.findall("\x1b\\[30;107m(.*)\x1b\\[0m", text):
        for half in (0, 1):
            rows.append([HALVES[c][half] for c in line])
    return rows


def svg_rows(text):
    """Read rows of modules from the squares of a path."""
    side = int(re.search(r'viewBox="0 0 (\d+) ', text).group(1))
    rows = [[0] * side for _ in range(side)]
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", text):
        rows[int(y)][int(x)] = 1
    return rows


def main():
    """Print what the picture says."""
    with open(sys.argv[1], encoding="utf-8") as f:
        text = f.read()
    rows = svg_rows(text) if "<svg" in text else terminal_rows(text)
    big = [[m for m in row for _ in range(SCALE)] for row in rows for _ in range(SCALE)]
    with tempfile.NamedTemporaryFile("w", suffix=".pbm") as f:
        f.write(f"P1\n{len(big[0])} {len(big)}\n")
        f.writelines(" ".join(map(str, row)) + "\n" for row in big)
        f.flush()
        print(subprocess.run(["zbarimg", "--raw", "-q", f.name], check=True,
                             capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    main()
