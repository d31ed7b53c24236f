#include "torture_report.h"

/* --- text ----------------------------------------------------------------- */

#define CELL_LEN 40u

/* "old 16", "old 3, new 2", "BAD 1", "-": no operation is cut so. */
static const char *cell_text(const struct tort_cell *c, char out[CELL_LEN])
{
    size_t at = 0;

    snprintf(out, CELL_LEN, "-");
    if (c->runs == 0)
        return out;
    if (c->bad_cnt) {
        snprintf(out, CELL_LEN, "BAD %u", (unsigned)c->bad_cnt);
        return out;
    }
    if (c->old_cnt)
        at += (size_t)snprintf(out, CELL_LEN, "old %u", (unsigned)c->old_cnt);
    if (c->new_cnt)
        snprintf(out + at, CELL_LEN - at, "%snew %u", at ? ", " : "",
                 (unsigned)c->new_cnt);
    return out;
}

static bool row_is_empty(const struct tort_cell row[TORT_FAULT_CNT])
{
    for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
        if (row[f].runs)
            return false;
    return true;
}

static void print_sums(const struct tort_cell row[TORT_FAULT_CNT])
{
    uint32_t runs = 0, ref = 0, again = 0;
    char text[CELL_LEN];

    for (unsigned f = 0; f < TORT_FAULT_CNT; f++) {
        runs += row[f].runs;
        ref += row[f].ref_cnt;
        again += row[f].again_cnt;
    }
    snprintf(text, sizeof(text), "%u of %u", (unsigned)ref, (unsigned)runs);
    printf(" | %-12s", text);
    snprintf(text, sizeof(text), "%u of %u", (unsigned)again, (unsigned)runs);
    printf(" | %-12s |\n", text);
}

static void print_path(enum tort_path_id id, const struct tort_path_result *p)
{
    char text[CELL_LEN];

    for (unsigned op = 0; op < TORT_OP_CNT; op++) {
        if (row_is_empty(p->cell[op]))
            continue;
        printf("| %-12s | %-18s", tort_path_name(id),
               tort_op_name((enum tort_op_kind)op));
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
            printf(" | %-*s", f == TORT_TORN ? 14 : 7,
                   cell_text(&p->cell[op][f], text));
        print_sums(p->cell[op]);
    }
}

static void print_head(void)
{
    printf("| %-12s | %-18s", "path", "operation");
    for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
        printf(" | %-*s", f == TORT_TORN ? 14 : 7,
               tort_fault_name((enum tort_fault)f));
    printf(" | %-12s | %-12s |\n|--------------|--------------------",
           "reference", "again");
    for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
        printf("|%s", f == TORT_TORN ? "----------------" : "---------");
    puts("|--------------|--------------|");
}

static uint64_t second_sum(const struct tort_result *r)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        sum += r->path[i].second_cnt;
    return sum;
}

static bool has_cells(const struct tort_result *r)
{
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        for (unsigned op = 0; op < TORT_OP_CNT; op++)
            if (!row_is_empty(r->path[i].cell[op]))
                return true;
    return false;
}

static void print_table(const struct tort_result *r)
{
    print_head();
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        print_path((enum tort_path_id)i, &r->path[i]);
}

static void print_why_not(const struct tort_result *r)
{
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        if (r->path[i].why_not[0] && !r->path[i].left_out)
            printf("%s: not here: %s\n", tort_path_name((enum tort_path_id)i),
                   r->path[i].why_not);
}

void torture_report_text(const struct tort_result *r)
{
    char text[TORT_SEQ_TEXT_LEN];

    bool cells = has_cells(r);

    if (cells)
        print_table(r);
    if (cells || r->run_cnt == 0)
        print_why_not(r);
    if (cells)
        putchar('\n');
    printf("%llu runs, %llu of them with more than one cut; %llu faults "
           "armed, %llu fired; an update takes %u erases more than it must\n",
           (unsigned long long)r->run_cnt, (unsigned long long)second_sum(r),
           (unsigned long long)r->armed_cnt, (unsigned long long)r->fired_cnt,
           (unsigned)r->extra_erases);
    if (r->bad_cnt)
        printf("FAILED: %llu; the shortest is --replay %s\n  %s\n",
               (unsigned long long)r->bad_cnt,
               tort_seq_text(&r->bad_seq, text, sizeof(text)), r->bad_why);
    else
        puts(r->run_cnt ? "nothing was lost" : "nothing was cut");
}

/* --- JSON ----------------------------------------------------------------- */

static bool put(cJSON *obj, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(obj, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool put_num(cJSON *obj, const char *name, uint64_t n)
{
    return put(obj, name, cJSON_CreateNumber((double)n));
}

static bool put_text(cJSON *obj, const char *name, const char *text)
{
    return put(obj, name,
               text && text[0] ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static bool put_cell(cJSON *list, unsigned op, unsigned fault,
                     const struct tort_cell *c)
{
    cJSON *obj = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, obj)) {
        cJSON_Delete(obj);
        return false;
    }
    return put_text(obj, "operation", tort_op_name((enum tort_op_kind)op)) &&
           put_text(obj, "fault", tort_fault_name((enum tort_fault)fault)) &&
           put_num(obj, "runs", c->runs) && put_num(obj, "old", c->old_cnt) &&
           put_num(obj, "new", c->new_cnt) && put_num(obj, "bad", c->bad_cnt) &&
           put_num(obj, "reference_boots", c->ref_cnt) &&
           put_num(obj, "again", c->again_cnt);
}

static bool put_cells(cJSON *obj, const struct tort_path_result *p)
{
    cJSON *list = cJSON_CreateArray();

    if (!put(obj, "cells", list))
        return false;
    for (unsigned op = 0; op < TORT_OP_CNT; op++)
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
            if (p->cell[op][f].runs && !put_cell(list, op, f, &p->cell[op][f]))
                return false;
    return true;
}

static bool put_path(cJSON *list, unsigned id, const struct tort_path_result *p)
{
    cJSON *obj = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, obj)) {
        cJSON_Delete(obj);
        return false;
    }
    return put_text(obj, "path", tort_path_name((enum tort_path_id)id)) &&
           put_text(obj, "invariant",
                    tort_path_invariant((enum tort_path_id)id)) &&
           put_text(obj, "not_here", p->why_not) &&
           put_num(obj, "operations", p->op_cnt) &&
           put_num(obj, "erases", p->erase_cnt) &&
           put_num(obj, "second_cuts", p->second_cnt) && put_cells(obj, p);
}

static bool put_paths(cJSON *obj, const struct tort_result *r)
{
    cJSON *list = cJSON_CreateArray();

    if (!put(obj, "paths", list))
        return false;
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        if (!put_path(list, i, &r->path[i]))
            return false;
    return true;
}

cJSON *torture_report_json(const struct tort_result *r, double elapsed_ms)
{
    char text[TORT_SEQ_TEXT_LEN];
    cJSON *obj = cJSON_CreateObject();
    bool bad = r->bad_cnt > 0;

    if (obj &&
        put_text(obj, "result",
                 bad          ? "failed"
                 : r->run_cnt ? "ok"
                              : "nothing") &&
        put_num(obj, "runs", r->run_cnt) &&
        put_num(obj, "second_cuts", second_sum(r)) &&
        put_num(obj, "armed", r->armed_cnt) &&
        put_num(obj, "fired", r->fired_cnt) &&
        put_num(obj, "failures", r->bad_cnt) &&
        put_num(obj, "extra_erases", r->extra_erases) &&
        put(obj, "elapsed_ms", cJSON_CreateNumber(elapsed_ms)) &&
        put_text(obj, "sequence",
                 bad ? tort_seq_text(&r->bad_seq, text, sizeof(text)) : NULL) &&
        put_text(obj, "why", bad ? r->bad_why : NULL) && put_paths(obj, r))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

/* --- JUnit ---------------------------------------------------------------- */

static void junit_cell(struct junit *junit, const char *group,
                       const struct tort_cell *c, const char *name)
{
    char text[120], why[120];

    snprintf(text, sizeof(text), "%s: %u cuts", name, (unsigned)c->runs);
    snprintf(why, sizeof(why), "%u of %u cuts did harm", (unsigned)c->bad_cnt,
             (unsigned)c->runs);
    junit_add(junit,
              &(struct junit_case){ .group = group,
                                    .name = text,
                                    .failure = c->bad_cnt ? why : NULL });
}

static void junit_path(struct junit *junit, unsigned id,
                       const struct tort_path_result *p)
{
    char group[64], name[80];

    snprintf(group, sizeof(group), "porta.torture.%s",
             tort_path_name((enum tort_path_id)id));
    if (p->why_not[0])
        junit_add(junit, &(struct junit_case){
                             .group = group,
                             .name = "undisturbed",
                             .failure = p->wrong ? p->why_not : NULL,
                             .skipped = p->wrong ? NULL : p->why_not });
    for (unsigned op = 0; op < TORT_OP_CNT; op++)
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++) {
            snprintf(name, sizeof(name), "%s, %s",
                     tort_op_name((enum tort_op_kind)op),
                     tort_fault_name((enum tort_fault)f));
            if (p->cell[op][f].runs)
                junit_cell(junit, group, &p->cell[op][f], name);
        }
}

void torture_report_junit(const struct tort_result *r, uint64_t elapsed_ms,
                          struct junit *junit)
{
    char seq[TORT_SEQ_TEXT_LEN], why[400];

    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        junit_path(junit, i, &r->path[i]);
    if (r->bad_cnt)
        snprintf(why, sizeof(why),
                 "%llu failed; the shortest is --replay %s: %s",
                 (unsigned long long)r->bad_cnt,
                 tort_seq_text(&r->bad_seq, seq, sizeof(seq)), r->bad_why);
    junit_add(junit,
              &(struct junit_case){ .group = "porta.torture",
                                    .name = "all runs",
                                    .elapsed_ms = elapsed_ms,
                                    .failure = r->bad_cnt ? why : NULL });
}
