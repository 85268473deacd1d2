#include "cli/topped.h"

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "store/registry/registry.h"
#include "store/topups_build.h"

static bool read_text(const char *data_dir, int64_t now_s, struct buf *text, char *why, size_t size)
{
    struct fault fault = {0};
    bool is_good = registry_read_topups(data_dir, now_s, text, &fault);
    snprintf(why, size, "%.*s", (int)strcspn(fault.text, "\n"), is_good ? "" : fault.text);
    return is_good;
}

struct topups *topped_read(const char *data_dir, int64_t now_s, char *why, size_t size)
{
    struct fault fault = {0};
    struct topups *topups = NULL;
    struct buf text;
    buf_init(&text);
    if (read_text(data_dir, now_s, &text, why, size)) {
        topups = topups_parse(buf_slice(&text), &fault);
        if (!topups) snprintf(why, size, "%s", fault.text);
    }
    buf_clear(&text);
    return topups ? topups : topups_empty();
}

void topped_ask(json_t *question, const char *data_dir, int64_t now_s, char *why, size_t size)
{
    struct buf text;
    buf_init(&text);
    json_t *root = read_text(data_dir, now_s, &text, why, size) ? json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL)
                                                                : NULL;
    json_t *live = json_array(), *topup;
    size_t i;
    json_array_foreach(json_object_get(root, "topups"), i, topup)
    {
        if (json_integer_value(json_object_get(topup, "ends_at")) > now_s) json_array_append(live, topup);
    }
    if (json_array_size(live)) json_object_set(question, "topups", live);
    json_decref(live);
    json_decref(root);
    buf_clear(&text);
}
