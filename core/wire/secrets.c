#include "wire/secrets.h"

#include "base/check.h"
#include "wire/look.h"

#define SECRET_BYTES_MIN 20u /* the shortest key in use: AKIA and 16 */

static struct detect *detectors; /* made once a process */

struct copying {
    struct buf *out;
    struct slice text;
    size_t done;
};

static void on_secret(void *arg, unsigned kind, const struct sight_part *part)
{
    struct copying *c = arg;
    buf_append(c->out, slice_of(c->text.ptr + c->done, (size_t)part->from - c->done));
    buf_printf(c->out, "[%.*s]", SLICE_FMT(detect_kind_name(NULL, kind)));
    c->done = (size_t)part->to;
}

void secrets_append(struct buf *out, struct slice text)
{
    struct copying c = {out, text, 0};
    struct fault why;
    struct look look;
    if (text.len < SECRET_BYTES_MIN) {
        buf_append(out, text);
        return;
    }
    if (!detectors) detectors = detect_new(1u << DETECT_API_KEY | 1u << DETECT_JWT, NULL, 0, &why);
    check(detectors);
    look_begin(&look, text);
    while (!look_is_done(&look))
        look_on(&look, 64 * 1024, look_detect, detectors, on_secret, &c);
    look_end(&look);
    buf_append(out, slice_of(text.ptr + c.done, text.len - c.done));
}
