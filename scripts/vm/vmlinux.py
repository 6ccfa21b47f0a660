"""Takes the kernel out of a bzImage: vmlinux.py BZIMAGE OUT. Its boot header says where the xz payload lies."""

import lzma
import pathlib
import struct
import sys

image = pathlib.Path(sys.argv[1]).read_bytes()
SECTOR = 512
setup = (image[0x1F1] or 4) + 1
offset, length = struct.unpack_from("<II", image, 0x248)
begin = setup * SECTOR + offset
payload = image[begin : begin + length]
if not payload.startswith(b"\xfd7zXZ"):
    sys.exit("siaga: this kernel is not packed by xz: add its form to scripts/vm/vmlinux.py")
# Behind the xz stream stands the unpacked size, which is no part of it.
pathlib.Path(sys.argv[2]).write_bytes(lzma.LZMADecompressor().decompress(payload))
