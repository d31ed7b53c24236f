#!/usr/bin/python3
"""mutants.py - faults put into src/kv, one at a time: see test/mutate.py.
test_kv_cuts must notice every one of them.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from mutate import main  # noqa: E402

MUTANTS = [
    ("page-erased-alive", "kv/flash.c",
     "    esp_err_t err = kill_page(dev, part, page * KV_PAGE_LEN);\n",
     "    esp_err_t err = page > part->len ? kill_page(dev, part, 0) : ESP_OK;\n"),
    ("blank-is-erased", "kv/room.c",
     "    if (!p->erased)\n",
     "    if (!p->erased && p->kind != KV_HEAD_BLANK)\n"),
    ("empty-straight-to-erased", "kv/flash.c",
     "    esp_err_t err = mark(kv, run, KV_SLOT_ILLEGAL);\n",
     "    esp_err_t err = ESP_OK;\n"),
    ("payload-killed-last", "kv/flash.c",
     "    esp_err_t err = kill(kv, payload);\n\n"
     "    return err ? err : kill(kv, own);\n",
     "    esp_err_t err = kill(kv, own);\n\n"
     "    return err ? err : kill(kv, payload);\n"),
    ("payload-after-bits", "kv/item.c",
     "        err = prog_payload(kv, page, at->idx, payload);\n"
     "    if (!err)\n"
     "        err = kv_slots_commit(kv, page, at->idx, e->span);\n",
     "        err = kv_slots_commit(kv, page, at->idx, e->span);\n"
     "    if (!err)\n"
     "        err = prog_payload(kv, page, at->idx, payload);\n"),
    ("old-erased-first", "kv/value.c",
     "    err = kv_item_write(kv, e, payload, &at);\n"
     "    return err ? err : kv_key_erase(kv, e, &at);\n",
     "    err = kv_key_erase(kv, e, NULL);\n"
     "    return err ? err : kv_item_write(kv, e, payload, &at);\n"),
    ("same-chunk-numbers", "kv/blob.c", "? KV_BLOB_HALF", "? 0"),
    ("copies-stay", "kv/fix.c",
     "        err = fix_copies(kv);\n",
     "        err = kv->page_cnt == 0 ? fix_copies(kv) : ESP_OK;\n"),
    ("other-types-stay", "kv/fix.c",
     "        if (last && e.type != KV_TYPE_CHUNK)\n",
     "        if (last && e.type == KV_TYPE_ANY)\n"),
    ("chunks-stay", "kv/fix.c",
     "        err = fix_chunks(kv);\n",
     "        err = kv->page_cnt == 0 ? fix_chunks(kv) : ESP_OK;\n"),
    ("newest-page-kept", "kv/fix.c",
     "        kv_page_at(kv, newest)->kind != KV_HEAD_ACTIVE)\n",
     "        kv_page_at(kv, newest)->kind != KV_HEAD_FREEING)\n"),
    ("used-slots-not-seen", "kv/load.c",
     "        if (err || memcmp(raw, blank, sizeof(raw)) != 0)\n",
     "        if (err || memcmp(raw, blank, 0) != 0)\n"),
    ("gaps-stay", "kv/load.c",
     "            err = kill_gaps(&s);\n",
     "            err = kv->page_cnt == 0 ? kill_gaps(&s) : ESP_OK;\n"),
    ("half-an-item-counts", "kv/load.c",
     "    if (!kv_bits_all(s->bits, idx, e.span, KV_SLOT_WRITTEN))\n",
     "    if (!kv_bits_all(s->bits, idx, 1, KV_SLOT_WRITTEN))\n"),
    ("stale-is-used", "kv/load.c",
     "    esp_err_t err = kv->stale ? kv_load(kv) : ESP_OK;\n",
     "    esp_err_t err = ESP_OK;\n"),
    ("moved-unannounced", "kv/room.c",
     "    esp_err_t err = kv_page_set_state(kv, kv->order[rank], "
     "KV_STATE_FREEING);\n",
     "    esp_err_t err = ESP_OK;\n"),
    ("full-unannounced", "kv/room.c",
     "    if (p->kind != KV_HEAD_ACTIVE)\n",
     "    if (p->kind != KV_HEAD_FREEING)\n"),
]

if __name__ == "__main__":
    main(MUTANTS)
