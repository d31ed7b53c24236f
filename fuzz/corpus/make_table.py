#!/usr/bin/env python3
"""make_table.py - writes the first inputs of the table fuzzers.

usage: fuzz/corpus/make_table.py
Makes fuzz/corpus/table/ and fuzz/corpus/table_csv/ anew, beside itself. In
table_csv the first byte of an input picks the options of the parser.
"""
import hashlib
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
END = b"\xff" * 32


def row(label, kind, subtype, off, length, flags=0):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, off, length,
                       label, flags)


def md5(rows):
    return b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(rows).digest()


def tables():
    nvs = row(b"nvs", 1, 2, 0x9000, 0x4000)
    two = nvs + row(b"otadata", 1, 0, 0xD000, 0x2000) + \
        row(b"ota_0", 0, 0x10, 0x10000, 0x100000) + \
        row(b"ota_1", 0, 0x11, 0x110000, 0x100000, 1)
    many = b"".join(row(b"p%d" % i, 0x40, i, 0x9000 + i * 0x1000, 0x1000)
                    for i in range(96))
    yield "two_ota", two + md5(two) + END
    yield "no_md5", two + END
    yield "wrong_md5", two + md5(nvs) + END
    yield "two_md5", two + md5(two) + md5(two) + END
    yield "md5_only", md5(b"") + END
    yield "row_after_md5", nvs + md5(nvs) + nvs + END
    yield "no_end", two + md5(two)
    yield "blank", END * 2
    yield "rows_94", many[:94 * 32] + md5(many[:94 * 32]) + END
    yield "rows_95", many[:95 * 32] + END
    yield "rows_96", many
    yield "last_row_leaves_flash", many[:94 * 32] + md5(many[:94 * 32]) + \
        row(b"far", 1, 6, 0xFFFFF000, 0x2000)
    yield "wraps", row(b"w", 1, 6, 0xFFFFF000, 0xFFFFF000) + END
    yield "label", row(b"\x1b[2J\xff\xc3\xa9,#$\0zz", 1, 6, 0x9000, 1) + END
    yield "flags", row(b"sixteen bytes!!!", 9, 9, 0x9000, 1, 0xFFFFFFFC) + END


def texts():
    two = ("# Name, Type, SubType, Offset, Size, Flags\n"
           "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n"
           "phy_init,data,phy,,4K,\nota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n")
    system = ("b,bootloader,primary,N/A,N/A\n"
              "t,partition_table,primary,N/A,N/A\n"
              "b2,bootloader,ota,,\nr,bootloader,recovery,,\n")
    yield "two_ota", 0, two.encode()
    yield "other_offset", 3, two.encode()
    yield "secure", 32, two.encode()
    yield "system", 4 | 8 | 16, system.encode()
    yield "utf8_mark", 0, two.encode("utf-8-sig")
    yield "utf16", 0, two.encode("utf-16")
    yield "utf16_big", 0, b"\xfe\xff" + two.encode("utf-16-be")
    yield "utf32", 0, two.encode("utf-32")
    yield "carriage_returns", 0, two.replace("\n", "\r").encode()
    yield "variables", 0, b"n,$A\r\n$B,${A}\n\\$C,$C"
    yield "numbers", 0, b"x,0x4_0,0b11,0o110000,0x10k,\ny,+64,-0,,-1M\n"
    yield "overflow", 0, b"x,64,1,0xffffffff,4096M\ny,64,1,,1KKKKKKKKKKK\n"
    yield "flags", 0, b"d,data,fat,,4K,encrypted::readonly:\n"
    yield "mine", 0, b"m,app,MINE,,64K\n"
    yield "labels", 0, b"\xff\xc3\xa9 # $,data,,,4K\n,data,,,0\n"
    yield "long_line", 0, b"#" * 600 + b"\n" + b"x" * 600
    yield "many", 0, b"".join(b"%d,64,%d,,4K\n" % (i, i) for i in range(95))


def main():
    for name in ("table", "table_csv"):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for name, data in tables():
        (HERE / "table" / name).write_bytes(data)
    for name, bits, data in texts():
        (HERE / "table_csv" / name).write_bytes(bytes([bits]) + data)


if __name__ == "__main__":
    main()
