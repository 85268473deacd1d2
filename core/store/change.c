#include "store/change.h"

#include "base/arena.h"
#include "base/clock.h"
#include "wire/json.h"

#define PREFIX "chg_"

void change_make_id(char id[CHANGE_ID_BYTES], uint64_t wall_ns)
{
    uint8_t bits[UUID_BYTES];
    uuid_make(bits, wall_ns);
    memcpy(id, PREFIX, 4);
    uuid_write(id + 4, bits);
}

static void append_text(struct buf *out, const char *name, struct slice text)
{
    if (!text.len) return;
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, text);
}

static void append_json(struct buf *out, const char *name, struct slice json)
{
    if (json.len) buf_printf(out, ",\"%s\":%.*s", name, SLICE_FMT(json));
}

void change_write(const struct change *c, struct buf *out)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format(c->wall_ns, time);
    buf_printf(out, "{\"id\":\"%s\",\"time\":\"%s\"", c->id, time);
    append_text(out, "actor", c->by->actor);
    buf_printf(out, ",\"uid\":%u", c->by->uid);
    append_text(out, "host", c->by->host);
    append_text(out, "via", c->by->via);
    append_text(out, "action", c->action);
    append_text(out, "target", c->target);
    append_text(out, "result", c->result);
    append_text(out, "reason", c->by->reason);
    append_json(out, "error", c->error);
    append_json(out, "before", c->before);
    append_json(out, "after", c->after);
    buf_append_char(out, '}');
}

bool change_read_id(struct slice json, uint8_t id[UUID_BYTES])
{
    struct json_tape tape;
    struct arena arena;
    struct fault ignored;
    struct slice text = SLICE_NONE;
    json_init(&tape);
    arena_init(&arena);
    if (json_parse(&tape, json, &ignored) && json_is(&tape, 0, JSON_OBJECT)) {
        uint32_t node = json_get(&tape, 0, SLICE("id"));
        if (json_is(&tape, node, JSON_STRING)) text = json_text(&tape, node, &arena);
    }
    bool is_good = slice_starts(text, SLICE(PREFIX)) && uuid_read(slice_of(text.ptr + 4, text.len - 4), id);
    arena_clear(&arena);
    json_clear(&tape);
    return is_good;
}
