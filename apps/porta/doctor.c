#include "doctor.h"

#include <stdarg.h>

#include "base/text.h"

struct doctor_check *doctor_add(struct doctor *d, const char *group,
                                const char *name)
{
    struct doctor_check *c =
        &d->check[d->cnt < DOCTOR_CHECKS_MAX ? d->cnt++ : d->cnt - 1];

    *c = (struct doctor_check){ .group = group };
    snprintf(c->name, sizeof(c->name), "%s", name);
    return c;
}

void doctor_found(struct doctor_check *c, enum doctor_status status,
                  const char *fmt, ...)
{
    va_list args;

    c->status = status;
    va_start(args, fmt);
    vsnprintf(c->found, sizeof(c->found), fmt, args);
    va_end(args);
    (void)text_clean(span_str(c->found), c->found, sizeof(c->found));
}

void doctor_mend(struct doctor_check *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(c->mend, sizeof(c->mend), fmt, args);
    va_end(args);
    (void)text_clean(span_str(c->mend), c->mend, sizeof(c->mend));
}
