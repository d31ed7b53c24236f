#!/usr/bin/python3
"""mutants.py - faults put into the code under test, one at a time: see
test/mutate.py. The harness must notice every one of them: a proof that cannot
fail proves nothing.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from mutate import main  # noqa: E402

# name, file, what is there, what stands there instead
MUTANTS = [
    # The reference's way: erase the record, then write it.
    ("reference-write", "otadata/change.c",
     "    if (o->free_cnt[1 - idx] == 0)\n",
     "    if (o != NULL)\n"),
    ("intent-after-erase", "otadata/change.c",
     "        err = write_intent(at, o, idx, rec);\n"
     "    if (!err)\n"
     "        err = erase_and_write(at, idx, rec);\n",
     "        err = erase_and_write(at, idx, rec);\n"
     "    if (!err)\n"
     "        err = write_intent(at, o, idx, rec);\n"),
    ("redo-only-closes", "otadata/change.c",
     "    if (o->redo_open)\n        err = erase_and_write(",
     "    if (o->redo_open && o->gen == 0)\n        err = erase_and_write("),
    ("done-before-record", "otadata/change.c",
     "        err = erase_and_write(at, idx, rec);\n"
     "    if (!err)\n"
     "        err = close_intent(at, next_place(o, 1 - idx));\n",
     "        err = close_intent(at, next_place(o, 1 - idx));\n"
     "    if (!err)\n"
     "        err = erase_and_write(at, idx, rec);\n"),
    ("reader-ignores-intent", "otadata/log.c",
     "    out->rec[idx] = rec;\n",
     ""),
    ("intent-without-crc", "otadata/log.c",
     "    if (le16_get(window) != MAGIC ||\n"
     "        le32_get(window + CRC_OFF) != entry_crc(window))\n",
     "    if (le16_get(window) != MAGIC || entry_crc(window) == 0)\n"),
    ("running-record-overwritten", "otadata/activate.c",
     "        c.target = c.same ? c.active : 1 - c.active;\n",
     "        c.target = c.active, c.keep = OTA_REC_NONE;\n"),
    ("no-house-move", "otadata/activate.c",
     "    bool low = o->free_cnt[1 - c.target] < OTADATA_LOG_RESERVE;\n",
     "    bool low = false;\n"),
    ("head-first", "slot/slot.c",
     "        memcpy(s->head, s->buf, skip);\n",
     "        memcpy(s->head, s->buf, skip);\n        skip = 0;\n"),
    ("failed-program-goes-on", "part/part_dev.c",
     "    esp_err_t err = part_prog(dev, e, off, src.ptr, src.len);\n",
     "    esp_err_t err = part_prog(dev, e, off, src.ptr, src.len);\n"
     "    if (err != ESP_FAIL)\n        return ESP_OK;\n"),
    ("copy-not-noted", "update/final.c",
     "    bool has_note = u->opts.store && !u->target.has_boot;\n",
     "    bool has_note = u->opts.store && u->target.has_boot;\n"),
    ("end-copy-note-dropped-early", "update/final.c",
     "    if (!err)\n        err = job->run(job->ctx);\n",
     "    if (!err)\n        forget(store);\n"
     "    if (!err)\n        err = job->run(job->ctx);\n"),
    ("end-copy-not-compared", "update/final.c",
     "    if (!err && !holds_all(parts, &c, buf))\n",
     "    if (!err && buf == NULL)\n"),
    ("note-dropped-early", "update/final.c",
     "    err = copy_all(u, &c, &to, receipt);\n",
     "    forget(u->opts.store);\n"
     "    err = copy_all(u, &c, &to, receipt);\n"),
    ("settings-count-early", "kv/gen.c",
     "    esp_err_t err = store(kv, old);\n",
     "    esp_err_t err = store(kv, &plan->last);\n"),
    ("confirmed-copy-of-old-settings", "kv/gen.c",
     "    if (!err && job->migrate)\n",
     "    if (!err)\n        err = store(kv, &plan->last);\n"
     "    if (!err && job->migrate)\n"),
    ("failed-activation-is-success", "update/finish.c",
     "        err = otadata_activate(&at, &o, &req);\n",
     "        (void)!otadata_activate(&at, &o, &req);\n"),
    ("unmarked-trial-starts", "boot/exec.c",
     "            may_start = false;\n",
     "            may_start = true;\n"),
    ("uncounted-trial-starts", "boot/exec.c",
     "    if (err && mark->rec.state == OTA_STATE_PENDING)\n"
     "        return err;\n",
     "    if (err && mark->rec.state == OTA_STATE_NEW)\n"
     "        return err;\n"),
    ("trial-never-ends", "boot/plan.c",
     "            ev->charged = last->charged;\n",
     ""),
    ("unconfirmed-is-kept", "boot/plan.c",
     "    struct ota_event *ev = &p->event[idx];\n"
     "    p->rec[idx].state = OTA_STATE_ABORTED;\n",
     "    struct ota_event *ev = &p->event[idx];\n"
     "    p->rec[idx].state = OTA_STATE_VALID;\n"),
    ("setting-erased-first", "kv/value.c",
     "    err = kv_item_write(kv, e, payload, &at);\n"
     "    return err ? err : kv_key_erase(kv, e, &at);\n",
     "    err = kv_key_erase(kv, e, NULL);\n"
     "    return err ? err : kv_item_write(kv, e, payload, &at);\n"),
    ("setting-marked-first", "kv/item.c",
     "    err = kv_page_prog(kv, page, KV_SLOTS_OFF + at->idx * KV_SLOT_LEN,\n"
     "                       span_of(raw, sizeof(raw)));\n"
     "    if (!err)\n"
     "        err = prog_payload(kv, page, at->idx, payload);\n"
     "    if (!err)\n"
     "        err = kv_slots_commit(kv, page, at->idx, e->span);\n",
     "    err = kv_slots_commit(kv, page, at->idx, e->span);\n"
     "    if (!err)\n"
     "        err = kv_page_prog(kv, page,\n"
     "                           KV_SLOTS_OFF + at->idx * KV_SLOT_LEN,\n"
     "                           span_of(raw, sizeof(raw)));\n"
     "    if (!err)\n"
     "        err = prog_payload(kv, page, at->idx, payload);\n"),
]

if __name__ == "__main__":
    main(MUTANTS)
