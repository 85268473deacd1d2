#include "wire/translate/hint.h"

static struct slice spell(const struct conversation *c)
{
    static const char any[] = "Answer with one JSON object and nothing else.",
                      fitting[] = "Answer with JSON alone, and nothing else, that fits this JSON schema: ";
    bool has_schema = c->format == FORMAT_SCHEMA;
    struct buf text, json;
    buf_init(&text);
    buf_init(&json);
    buf_append(&text, slice_str(has_schema ? fitting : any));
    if (has_schema) buf_append(&text, json_raw(c->tape, c->schema));
    buf_append_json(&json, buf_slice(&text));
    struct slice quoted = arena_copy(c->arena, buf_slice(&json));
    buf_clear(&text);
    buf_clear(&json);
    return quoted;
}

void hint_format(struct conversation *c, const struct writing *w)
{
    if (c->format == FORMAT_TEXT) return;
    struct part *p = conversation_add_part(c, &c->system, PART_TEXT);
    dropped_add(w->dropped, c->words->format);
    if (!p) return;
    p->text = spell(c);
    p->message = CHAT_NO_MESSAGE;
}
