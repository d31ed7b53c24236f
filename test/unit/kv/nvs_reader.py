"""nvs_reader.py - a strict reader of NVS partitions, from the format's text.

It shares no code with the library. read(image) gives {namespace: {key:
(type, value)}}; anything that the format does not allow is a ValueError."""
import struct
import zlib

PAGE, SLOT, SLOTS = 4096, 32, 126
NUMBERS = {0x01: "<B", 0x11: "<b", 0x02: "<H", 0x12: "<h", 0x04: "<I",
           0x14: "<i", 0x08: "<Q", 0x18: "<q", 0x24: "<f", 0x28: "<d"}
STR, BLOB_V1, CHUNK, INDEX = 0x21, 0x41, 0x42, 0x48
ACTIVE, FULL = 0xFFFFFFFE, 0xFFFFFFFC


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF) & 0xFFFFFFFF


def check(condition, message):
    if not condition:
        raise ValueError(message)


def slot_state(page, index):
    return page[32 + index // 4] >> (index % 4 * 2) & 3


def read_entry(page, index):
    raw = page[64 + index * SLOT:64 + (index + 1) * SLOT]
    ns, kind, span, chunk, stored = struct.unpack_from("<BBBBI", raw)
    check(stored == crc(raw[:4] + raw[8:]), f"slot {index}: CRC")
    check(1 <= span <= SLOTS - index, f"slot {index}: span {span}")
    check(all(slot_state(page, index + i) == 2 for i in range(span)),
          f"slot {index}: written in part")
    key = raw[8:24]
    check(key[15] == 0, f"slot {index}: key without an end")
    name = key.split(b"\0")[0]
    check(key == name.ljust(16, b"\0"), f"slot {index}: key not padded")
    return {"ns": ns, "type": kind, "span": span, "chunk": chunk,
            "key": name.decode("ascii"), "data": raw[24:],
            "payload": payload(page, index, kind, span, raw[24:])}


def payload(page, index, kind, span, data):
    if kind not in (STR, BLOB_V1, CHUNK):
        check(span == 1, f"slot {index}: type {kind:#x} spans {span}")
        return None
    length, reserved, stored = struct.unpack("<HHI", data)
    check(reserved == 0xFFFF, f"slot {index}: reserved bytes")
    check(span == 1 + (length + SLOT - 1) // SLOT, f"slot {index}: span")
    start = 64 + (index + 1) * SLOT
    area = page[start:start + (span - 1) * SLOT]
    check(crc(area[:length]) == stored, f"slot {index}: payload CRC")
    check(set(area[length:]) <= {0xFF}, f"slot {index}: padding")
    return area[:length]


def read_pages(image, versions):
    """The used pages by age; at least one other page is there."""
    check(len(image) % PAGE == 0, "not a whole number of pages")
    pages, free = {}, 0
    for offset in range(0, len(image), PAGE):
        page = image[offset:offset + PAGE]
        state, seq, version = struct.unpack_from("<IIB", page)
        if set(page) == {0xFF}:
            free += 1
            continue
        check(struct.unpack_from("<I", page, 28)[0] == crc(page[4:28]),
              f"page at {offset:#x}: header CRC")
        check(version in versions, f"page at {offset:#x}: version {version}")
        check(state in (ACTIVE, FULL), f"page at {offset:#x}: state {state:#x}")
        check(set(page[9:28]) == {0xFF}, f"page at {offset:#x}: reserved")
        check(seq not in pages, f"sequence {seq} twice")
        pages[seq] = (state, page)
    check(free >= 1, "no free page")
    ordered = [pages[seq] for seq in sorted(pages)]
    check(all(state == FULL for state, _ in ordered[:-1]),
          "an active page that is not the newest")
    return [page for _, page in ordered]


def read_entries(page):
    states = [slot_state(page, index) for index in range(SLOTS)]
    used = SLOTS - next((i for i, state in enumerate(reversed(states))
                         if state != 3), SLOTS)
    check(3 not in states[:used], "an empty slot before a used one")
    index = 0
    while index < SLOTS:
        state = slot_state(page, index)
        check(state != 1, f"slot {index}: illegal state")
        if state == 2:
            entry = read_entry(page, index)
            yield entry
            index += entry["span"]
        else:
            index += 1


def value(entry, chunks):
    kind, data = entry["type"], entry["data"]
    if kind in NUMBERS:
        size = struct.calcsize(NUMBERS[kind])
        check(set(data[size:]) <= {0xFF}, "number not padded")
        return struct.unpack(NUMBERS[kind], data[:size])[0]
    if kind == STR:
        check(entry["payload"][-1:] == b"\0", "string without an end")
        return entry["payload"][:-1].decode("ascii")
    if kind == BLOB_V1:
        return entry["payload"]
    check(kind == INDEX, f"type {kind:#x}")
    length, count, start, reserved = struct.unpack("<IBBH", data)
    check(reserved == 0xFFFF and start in (0, 0x80), "index")
    parts = [chunks.pop((entry["ns"], entry["key"], start + i))
             for i in range(count)]
    blob = b"".join(parts)
    check(len(blob) == length, f"blob {entry['key']}: {len(blob)} bytes")
    return blob


def read(image, versions=(0xFE,)):
    entries = [e for page in read_pages(image, versions)
               for e in read_entries(page)]
    names = {e["data"][0]: e["key"] for e in entries if e["ns"] == 0}
    chunks = {(e["ns"], e["key"], e["chunk"]): e["payload"]
              for e in entries if e["type"] == CHUNK}
    found = {name: {} for name in names.values()}
    for entry in entries:
        check(entry["type"] == CHUNK or entry["chunk"] == 0xFF, "chunk number")
        if entry["ns"] == 0 or entry["type"] == CHUNK:
            continue
        check(entry["ns"] in names, f"no namespace {entry['ns']}")
        space = found[names[entry["ns"]]]
        check(entry["key"] not in space, f"key {entry['key']} twice")
        space[entry["key"]] = (entry["type"], value(entry, chunks))
    check(not chunks, f"chunks without an index: {sorted(chunks)}")
    return found
