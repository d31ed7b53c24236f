"""Writes the inputs of the reference's generator: *.csv and files they name.
Everything is computed, so that a reader in a test can compute it again."""


def pattern(seed, length):
    """Bytes from a small generator; test_images.c has the same."""
    out, x = bytearray(), seed & 0xFFFFFFFF
    for _ in range(length):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(x >> 24)
    return bytes(out)


def text(seed, length):
    return "".join(chr(ord("a") + b % 26) for b in pattern(seed, length))


NUMBERS = """u8,data,u8,255
i8,data,i8,-128
u16,data,u16,65535
i16,data,i16,-32768
u32,data,u32,4294967295
i32,data,i32,-2147483648
u64,data,u64,18446744073709551615
i64,data,i64,-9223372036854775808
"""


def write(name, data):
    with open(name, "wb" if isinstance(data, bytes) else "w") as out:
        out.write(data)


def main():
    head = "key,type,encoding,value\n"
    write("blob9000.tmp", pattern(9000, 9000))
    write("blob1900.tmp", pattern(1900, 1900))
    write("types.csv", head + "storage,namespace,,\n" + NUMBERS +
          f"str,data,string,hello world\nlong,data,string,{text(3967, 3967)}\n"
          "hex,data,hex2bin,010203aabbcc\nb64,data,base64,aGVsbG8=\n"
          "big,file,binary,blob9000.tmp\n"
          "other,namespace,,\nexactly15chars_,data,u8,7\nu8,data,u8,1\n")
    write("v1.csv", head + "storage,namespace,,\n" + NUMBERS +
          "str,data,string,hello world\nblob,file,binary,blob1900.tmp\n")
    rows = [f"key{i},data,u32,{i * 1000003 % 4294967296}\n" for i in range(300)]
    write("many.csv", head + "storage,namespace,,\n" + "".join(rows))


if __name__ == "__main__":
    main()
