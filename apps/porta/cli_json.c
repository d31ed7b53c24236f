/* Pages of help as JSON, made from the table that command lines are parsed
 * by. */
#include <string.h>

#include "cli_table.h"

static cJSON *option_json(const struct cli_opt *o)
{
    cJSON *obj = cJSON_CreateObject();

    cJSON_AddStringToObject(obj, "name", o->name);
    if (o->meta)
        cJSON_AddStringToObject(obj, "value", o->meta);
    else
        cJSON_AddNullToObject(obj, "value");
    cJSON_AddBoolToObject(obj, "repeats", o->kind == CLI_KIND_LIST);
    cJSON_AddStringToObject(obj, "help", o->help);
    return obj;
}

static cJSON *verb_json(const struct cli_verb *verb)
{
    cJSON *obj = cJSON_CreateObject(), *list = cJSON_CreateArray();
    const struct cli_opt *o;

    cJSON_AddStringToObject(obj, "name", verb->name);
    cJSON_AddStringToObject(obj, "usage", verb->usage);
    cJSON_AddStringToObject(obj, "summary", verb->summary);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        cJSON_AddItemToArray(list, option_json(o));
    cJSON_AddItemToObject(obj, "options", list);
    return obj;
}

/* The verbs of one name or of one group. */
struct listing {
    const char *name; /* "": all */
    cJSON *list;
};

static void json_verb(void *ctx, const struct cli_verb *verb)
{
    const struct listing *l = ctx;
    size_t len = strlen(l->name);

    if (len == 0 || (strncmp(verb->name, l->name, len) == 0 &&
                     (verb->name[len] == '\0' || verb->name[len] == ' ')))
        cJSON_AddItemToArray(l->list, verb_json(verb));
}

static void no_group(void *ctx, const char *name, const struct cli_sub *subs,
                     size_t cnt)
{
    (void)ctx;
    (void)name;
    (void)subs;
    (void)cnt;
}

/* {"verbs": list}; the list is freed when that fails. */
static cJSON *page(cJSON *list)
{
    cJSON *obj = cJSON_CreateObject();

    if (obj && list && cJSON_AddItemToObject(obj, "verbs", list))
        return obj;
    cJSON_Delete(list);
    cJSON_Delete(obj);
    return NULL;
}

cJSON *cli_verb_json(const struct cli_verb *verb)
{
    cJSON *list = cJSON_CreateArray();

    cJSON_AddItemToArray(list, verb_json(verb));
    return page(list);
}

cJSON *cli_verbs_json(const struct cli_sub *verbs, size_t cnt, const char *name)
{
    struct listing listing = { name, cJSON_CreateArray() };
    const struct cli_visitor all = { &listing, no_group, json_verb };

    cli_walk(verbs, cnt, &all);
    return page(listing.list);
}
