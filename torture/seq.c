#include "seq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

#define WORD 4u
#define PAGE 256u
#define SHORT_LEN 64u /* a program that tears at each word */
#define ERASE_WAYS 2u

static const char *const fault_names[TORT_FAULT_CNT] = {
    "before", "torn", "half", "unstable", "after", "fails", "stuck", "worn"
};
static const char *const op_names[TORT_OP_CNT] = {
    [TORT_OP_SLOT_ERASE] = "erase slot sector",
    [TORT_OP_SLOT_PROG] = "program slot",
    [TORT_OP_SLOT_HEAD] = "program image head",
    [TORT_OP_INTENT] = "announce change",
    [TORT_OP_REC_ERASE] = "erase record",
    [TORT_OP_RECORD] = "program record",
    [TORT_OP_REC_CRC] = "program its CRC",
    [TORT_OP_DONE] = "close change",
    [TORT_OP_NOTE] = "note trial",
    [TORT_OP_KV_ERASE] = "erase nvs page",
    [TORT_OP_KV_PROG] = "program nvs",
    [TORT_OP_DATA_ERASE] = "erase data sector",
    [TORT_OP_DATA_PROG] = "program data",
    [TORT_OP_KEY_ERASE] = "erase key sector",
    [TORT_OP_KEY_PROG] = "program keys",
    [TORT_OP_FUSE_ERASE] = "erase fuses",
    [TORT_OP_FUSE_PROG] = "program fuses",
    [TORT_OP_OTHER] = "other",
};

const char *tort_op_name(enum tort_op_kind kind)
{
    return op_names[kind];
}

const char *tort_fault_name(enum tort_fault fault)
{
    return fault_names[fault];
}

static uint32_t tear_len(const struct world_op *op)
{
    return op->len <= SHORT_LEN ? WORD : PAGE;
}

uint32_t seq_ways(const struct world_op *op, enum tort_fault fault)
{
    uint32_t len = tear_len(op);

    switch (fault) {
    case TORT_TORN:
        return op->erase ? 0
                         : (op->off + op->len - 1) / len - op->off / len + 1;
    case TORT_HALF:
    case TORT_UNSTABLE:
        return op->erase ? ERASE_WAYS : 0;
    case TORT_STUCK:
        return op->first;
    case TORT_WORN:
        return op->first_erase;
    default:
        return 1;
    }
}

struct sim_fault_plan seq_plan(const struct world_op *op,
                               const struct tort_cut *cut, uint64_t seed)
{
    static const enum sim_fault faults[TORT_FAULT_CNT] = {
        SIM_FAULT_BEFORE, SIM_FAULT_TORN,   SIM_FAULT_TORN, SIM_FAULT_UNSTABLE,
        SIM_FAULT_AFTER,  SIM_FAULT_STATUS, SIM_FAULT_NONE, SIM_FAULT_NONE
    };
    return (struct sim_fault_plan){
        .fault = faults[cut->fault],
        .nth = cut->op,
        .seed = seed + 1000003u * cut->part,
        .tear_len = tear_len(op),
        .tear_idx = cut->fault == TORT_TORN ? cut->part : SIM_TEAR_ANY,
    };
}

/* --- text ----------------------------------------------------------------- */

const char *tort_seq_text(const struct tort_seq *seq, char *text, size_t len)
{
    size_t at = (size_t)snprintf(text, len, "%s", paths[seq->path].name);

    for (uint32_t i = 0; i < seq->cut_cnt && at < len; i++) {
        const struct tort_cut *c = &seq->cuts[i];
        at += (size_t)snprintf(text + at, len - at, "/%u:%s", (unsigned)c->op,
                               fault_names[c->fault]);
        if (c->part > 0 && at < len)
            at +=
                (size_t)snprintf(text + at, len - at, ".%u", (unsigned)c->part);
    }
    return text;
}

static bool parse_number(const char **at, uint32_t *out)
{
    char *end;
    unsigned long n = strtoul(*at, &end, 10);

    if (**at < '0' || **at > '9' || n > 1000000)
        return false;
    *out = (uint32_t)n;
    *at = end;
    return true;
}

static bool parse_cut(const char **at, struct tort_cut *out)
{
    size_t len;

    if (!parse_number(at, &out->op) || out->op == 0 || *(*at)++ != ':')
        return false;
    len = strcspn(*at, "./");
    for (unsigned i = 0; i < TORT_FAULT_CNT; i++) {
        if (strlen(fault_names[i]) != len ||
            strncmp(*at, fault_names[i], len) != 0)
            continue;
        out->fault = (enum tort_fault)i;
        out->part = 0;
        *at += len;
        if (**at != '.')
            return true;
        (*at)++;
        return parse_number(at, &out->part);
    }
    return false;
}

static bool parse_path(const char **at, enum tort_path_id *out)
{
    size_t len = strcspn(*at, "/");

    if (!tort_path_find(*at, len, out))
        return false;
    *at += len;
    return true;
}

esp_err_t tort_seq_parse(const char *text, struct tort_seq *out, struct diag *d)
{
    const char *at = text;
    bool ok = parse_path(&at, &out->path);

    for (out->cut_cnt = 0; ok && *at == '/'; out->cut_cnt++) {
        at++;
        ok = out->cut_cnt < TORT_CUTS_MAX &&
             parse_cut(&at, &out->cuts[out->cut_cnt]);
    }
    if (ok && *at == '\0')
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "'%s' is no sequence; one looks like "
                     "update/12:torn.3/2:before, with at most %u cuts",
                     text, (unsigned)TORT_CUTS_MAX);
}
