#include "wire/said.h"

#include "base/limits.h"
#include "base/mem.h"

void said_reader_init(struct said_reader *reader)
{
    *reader = (struct said_reader){0};
    json_init(&reader->tape);
}

void said_reader_clear(struct said_reader *reader)
{
    json_clear(&reader->tape);
    mem_free(reader->texts);
    *reader = (struct said_reader){0};
}

/* What a large answer needed is given back: the reader lives as long as its worker. */
static void rest(struct said_reader *reader)
{
    if (reader->tape.cap > LIMIT_SAID_KEPT) json_clear(&reader->tape);
    if (reader->cap <= LIMIT_SAID_KEPT) return;
    mem_free(reader->texts);
    reader->texts = NULL;
    reader->cap = 0;
}

void said_begin(struct said_reader *reader, struct said *said, struct slice json)
{
    rest(reader);
    reader->count = 0;
    *said = (struct said){.json = json};
}

static void add(struct said_reader *reader, struct slice raw, struct said_text text)
{
    if (reader->count == reader->cap) {
        reader->cap = reader->cap ? 2 * reader->cap : 4;
        reader->texts = mem_realloc(reader->texts, reader->cap * sizeof *reader->texts);
    }
    text.at = (uint32_t)(raw.ptr - reader->tape.bytes);
    text.len = (uint32_t)raw.len;
    reader->texts[reader->count++] = text;
}

void said_add(struct said_reader *reader, uint32_t node, struct said_text text)
{
    if (!json_is(&reader->tape, node, JSON_STRING)) return;
    struct slice raw = json_raw(&reader->tape, node);
    if (raw.len > 2) add(reader, raw, text);
}

void said_add_json(struct said_reader *reader, uint32_t node, struct said_text text)
{
    text.is_json = true;
    add(reader, json_raw(&reader->tape, node), text);
}

void said_end(struct said_reader *reader, struct said *said)
{
    said->tape = &reader->tape;
    said->texts = reader->texts;
    said->text_count = reader->count;
}

void said_tell(struct said_telling *t, uint32_t node, enum said_kind kind)
{
    t->text.kind = kind;
    said_add(t->reader, node, t->text);
}

struct slice said_decode(const struct said *said, const struct said_text *text, struct arena *arena)
{
    struct slice raw = slice_of(said->json.ptr + text->at, text->len);
    return text->is_json ? raw : json_decode(raw, arena);
}

void said_append_text(const struct said *said, struct buf *out)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; i < said->text_count; i++) {
        const struct said_text *text = &said->texts[i];
        if (text->kind == SAID_CALL_NAME) continue;
        if (text->is_whole && buf_len(out)) buf_append_char(out, '\n');
        buf_append(out, said_decode(said, text, &arena));
    }
    arena_clear(&arena);
}

void said_tell_blocks(struct said_telling *t, uint32_t content,
                      void (*tell_block)(struct said_telling *t, uint32_t block))
{
    uint32_t place = 0;
    if (!json_is(t->tape, content, JSON_ARRAY)) return;
    t->text.is_whole = true;
    for (uint32_t n = json_first(t->tape, content); n != JSON_NONE; n = json_next(t->tape, n)) {
        t->text.call = place++;
        tell_block(t, n);
    }
    t->text.is_whole = false;
}
