"""`build.py IMAGE TAG`: pushes an image, and prints `digest=…`."""

import sys

from real_registry import RealRegistry

host, _, name = sys.argv[1].partition("/")
print(f"digest={RealRegistry(f'http://{host}', {}, None).push(name, sys.argv[2])}")
