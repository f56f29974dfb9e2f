"""Write the SHA-256 of a file into another: ``checksum.py SOURCE OUTPUT``."""

import hashlib
import sys
from pathlib import Path

source, output = map(Path, sys.argv[1:])
output.write_text(f"{hashlib.sha256(source.read_bytes()).hexdigest()}\n", encoding="ascii")
