/*
 * What the tests of one dialect begin with: a request read in it, what is found in it, edits, events of an answer.
 *
 *     static const struct dialect *const d = &dialect_anthropic;
 *     #include "speaking.h"
 *
 *     begin(&f, body);                     // fails the test where it is refused
 *     expect_pieces(body, "content \"a\"\n");
 */
#ifndef MOONGATE_TESTS_UNIT_SPEAKING_H
#define MOONGATE_TESTS_UNIT_SPEAKING_H

#include "../unit.h"

#include "wire/chat.h"
#include "wire/count.h"
#include "wire/dialect.h"

static struct said_reader reader;

struct fixture {
    struct chat_request r;
    struct arena arena;
    struct fault why;
    struct slice body;
};

static inline bool parse(struct fixture *f, struct slice body, enum chat_kind kind)
{
    arena_init(&f->arena);
    chat_init(&f->r);
    f->why = (struct fault){0};
    f->body = body;
    return chat_parse(&f->r, d, body, kind, &f->arena, &f->why);
}

static inline void begin(struct fixture *f, const char *body)
{
    if (!parse(f, slice_str(body), CHAT_CHAT)) UNIT_FAIL("%s: %s", body, f->why.text);
}

static inline void finish(struct fixture *f)
{
    chat_clear(&f->r);
    arena_clear(&f->arena);
}

static inline void expect_refused(const char *body, enum chat_kind kind, const char *text)
{
    struct fixture f;
    if (parse(&f, slice_str(body), kind)) UNIT_FAIL("accepted: %s", body);
    EXPECT_INT(FAULT_BAD_BODY, f.why.code);
    EXPECT_STR(text, f.why.text);
    finish(&f);
}

static inline void expect_uses(const char *body, unsigned uses)
{
    struct fixture f;
    begin(&f, body);
    EXPECT_INT(uses, f.r.uses);
    finish(&f);
}

/* All pieces, as lines: "text kind". */
static inline bool on_piece(void *arg, const struct chat_piece *piece)
{
    static const char *const names[] = {
        [PIECE_CONTENT] = "content", [PIECE_REASONING] = "reasoning", [PIECE_CALL_TEXT] = "call",
        [PIECE_CALL_JSON] = "json",  [PIECE_PICTURE] = "picture",     [PIECE_FILE] = "file",
        [PIECE_ELSEWHERE] = "elsewhere", [PIECE_SCHEMA] = "schema", [PIECE_CHOICE] = "choice", [PIECE_TOOL] = "tool"};
    struct fixture *f = ((void **)arg)[0];
    struct buf *out = ((void **)arg)[1];
    if ((size_t)piece->kind >= sizeof names / sizeof names[0] || !names[piece->kind]) return true;
    uint32_t node = piece->kind == PIECE_TOOL || piece->kind == PIECE_CHOICE ? piece->name : piece->node;
    buf_printf(out, "%s%s %.*s\n", names[piece->kind], piece->is_result ? " result" : "",
               SLICE_FMT(node == JSON_NONE ? SLICE("-") : json_raw(&f->r.tape, node)));
    return true;
}

static inline void expect_pieces(const char *body, const char *want)
{
    struct fixture f;
    struct buf out;
    buf_init(&out);
    begin(&f, body);
    chat_walk(&f.r, on_piece, (void *[]){&f, &out});
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

/* Every string that detectors look at inside messages, or the system prompt, with blanks between. */
static inline void expect_texts_in(const char *body, bool of_system, const char *want)
{
    struct fixture f;
    struct buf out;
    buf_init(&out);
    begin(&f, body);
    for (uint32_t n = chat_next_text(&f.r, JSON_NONE); n != JSON_NONE; n = chat_next_text(&f.r, n)) {
        uint32_t root = of_system ? f.r.system_node : f.r.messages_node;
        if (n >= root && n < json_after(&f.r.tape, root))
            buf_printf(&out, "%.*s ", SLICE_FMT(json_text(&f.r.tape, n, &f.arena)));
    }
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

static inline void expect_texts(const char *body, const char *want)
{
    expect_texts_in(body, false, want);
}

static inline void expect_edit(const char *body, const char *name, const char *json, const char *want)
{
    struct fixture f;
    struct splice edits;
    struct buf out;
    buf_init(&out);
    begin(&f, body);
    splice_init(&edits, &f.r.tape, slice_str(body), &f.arena);
    chat_edit_drop_hints(&f.r, &edits);
    chat_edit_member(&f.r, &edits, CHAT_LIMIT_COMPLETION, slice_str(name), slice_str(json));
    splice_apply(&edits, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

static inline unsigned read_event(struct dialect_stream *s, const char *name, const char *data)
{
    struct said said;
    d->read_event(&reader, s, slice_str(name), slice_str(data), &said);
    return said.what;
}

/* What a token counter makes of the request; 0: nothing. */
static inline uint64_t tokens_of(struct fixture *f)
{
    struct count *c = count_new(&f->r, 1, NULL);
    while (!count_step(c, 4096)) {}
    uint64_t tokens = count_total(c, NULL).input_tokens;
    count_free(c);
    return tokens;
}

static inline void expect_error(struct dialect_error error, const char *want)
{
    struct buf out;
    buf_init(&out);
    d->write_body_error(&out, &error);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
}

#endif
