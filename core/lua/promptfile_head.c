#include "lua/promptfile_inner.h"

#include <jansson.h>
#include <stdio.h>

#include "lua/configfile.h"

static int append(const char *bytes, size_t len, void *arg)
{
    buf_append(arg, slice_of(bytes, len));
    return 0;
}

bool promptfile_head(struct slice head, struct buf *json, struct promptfile_error *why)
{
    struct configfile_error wrong;
    struct buf chunk;
    buf_init(&chunk);
    buf_append(&chunk, SLICE("return head {\n"));
    buf_append(&chunk, head);
    buf_append(&chunk, SLICE("\n}"));
    json_t *tree = configfile_eval_with(buf_slice(&chunk), SLICE("scripts/prompt_words.lua"), &wrong);
    buf_clear(&chunk);
    if (!tree) {
        *why = (struct promptfile_error){.line = wrong.line > 0 ? (uint32_t)wrong.line : 0};
        snprintf(why->text, sizeof why->text, "%.300s", wrong.text);
        return false;
    }
    json_dump_callback(tree, append, json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(tree);
    return true;
}
