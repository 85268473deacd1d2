#include "admin/api/rendering.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/limits.h"
#include "wire/json.h"
#include "wire/prompt/prompt.h"

static void write_messages(const struct template *t, const struct slice *values, struct buf *out)
{
    buf_append(out, SLICE("{\"messages\":["));
    for (uint32_t m = 0; m < t->message_count; m++) {
        buf_printf(out, "%s{\"role\":\"%s\",\"content\":\"", m ? "," : "", template_role_name(template_role(t, m)));
        template_write(t, m, values, out);
        buf_append(out, SLICE("\"}"));
    }
    buf_append(out, SLICE("]}"));
}

struct work {
    struct json_tape content, variables;
    struct buf bytes;
    struct arena arena;
};

static bool fill(struct work *w, const struct rendering_ask *ask, struct buf *out, char *field, char *message)
{
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
    struct prompt_id id = {.name = ask->name};
    struct template_refusal bad;
    struct template_error wrong = {0};
    struct fault why;
    struct prompt p;
    bool is_json = semver_parse(ask->version, &id.version) && json_parse(&w->content, ask->content, &why) &&
                   json_parse(&w->variables, ask->variables, &why);
    if (!is_json) {
        snprintf(message, RENDERING_TEXT_BYTES, "%s", fault_message(&why));
    } else if (!prompt_compile(&w->content, &id, &w->bytes, &wrong) || !prompt_open(&p, buf_slice(&w->bytes))) {
        snprintf(message, RENDERING_TEXT_BYTES, "%s", wrong.text);
    } else if (!template_read(&p.template, &w->variables, 0, &w->arena, values, &bad)) {
        snprintf(field, RENDERING_FIELD_BYTES, "%s", bad.name);
        snprintf(message, RENDERING_TEXT_BYTES, "%s: %s", bad.name, bad.text);
    } else {
        write_messages(&p.template, values, out);
        return true;
    }
    return false;
}

bool rendering_write(const struct rendering_ask *ask, struct buf *out, char field[RENDERING_FIELD_BYTES],
                     char message[RENDERING_TEXT_BYTES])
{
    struct work w;
    field[0] = message[0] = '\0';
    json_init(&w.content);
    json_init(&w.variables);
    buf_init(&w.bytes);
    arena_init(&w.arena);
    bool is_good = fill(&w, ask, out, field, message);
    arena_clear(&w.arena);
    buf_clear(&w.bytes);
    json_clear(&w.variables);
    json_clear(&w.content);
    return is_good;
}
