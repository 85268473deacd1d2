/*
 * Documents with values in them, spelt and nested at random: masked in a request, in an answer cut at random, and given
 * back. Each must be what decoding, finding, replacing and encoding again makes of it, byte for byte where nothing was
 * found.
 *
 * A document is a row of characters ("atoms"), each of which knows how a reader sees it, what it is in its own string, and
 * how it is spelt in the document; JSON is put into a string by spelling each atom once more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "wire/dialect.h"
#include "wire/redact_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ATOMS 6000u
#define LEAVES 400u
#define DEPTH 4u

struct atom {
    struct slice seen, text, spelt;
};

/* Atoms that a reader reads as one text. */
struct leaf {
    size_t from, to;
    unsigned depth;
    bool is_number;
};

static struct arena arena;
static struct atom atoms[ATOMS];
static struct leaf leaves[LEAVES];
static size_t atom_count, leaf_count;
static struct redact_rules rules;

static const uint8_t *input;
static size_t left;

static unsigned draw(unsigned below)
{
    if (!left) return 0;
    left--;
    return *input++ % below;
}

/* --- a document --- */

static void add(struct slice seen, struct slice text)
{
    if (atom_count < ATOMS) atoms[atom_count++] = (struct atom){seen, text, text};
}

static void sign(const char *sign)
{
    add(slice_str(sign), slice_str(sign));
}

/* One character, and maybe a lookalike of it, or one that shows nothing beside it. */
static void add_char(struct slice c)
{
    bool is_digit = c.len == 1 && c.ptr[0] >= '0' && c.ptr[0] <= '9';
    unsigned how = draw(24);
    if (how == 1 && is_digit)
        add(c, arena_printf(&arena, "\xEF\xBC%c", 0x90 + c.ptr[0] - '0')); /* full width */
    else if (how == 2 && is_digit)
        add(c, arena_printf(&arena, "\xD9%c", 0xA0 + c.ptr[0] - '0')); /* Arabic-Indic */
    else if (how == 3 && slice_equal(c, SLICE("@")))
        add(c, SLICE("\xEF\xBC\xA0"));
    else if (how == 4 && slice_equal(c, SLICE("-")))
        add(c, SLICE("\xE2\x80\x91"));
    else
        add(c, c);
    if (how == 5) add(SLICE(""), SLICE("\xE2\x80\x8B"));
}

static void add_text(struct slice text)
{
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        add_char(slice_of(text.ptr + i, len));
        i += len;
    }
}

static void begin_leaf(bool is_number)
{
    if (leaf_count < LEAVES) leaves[leaf_count++] = (struct leaf){atom_count, atom_count, 0, is_number};
}

static void end_leaf(void)
{
    leaves[leaf_count - 1].to = atom_count;
}

static void prose(void)
{
    static const char *const parts[] = {
        "bob@example.org", "ana@x.org", "5500 0000 0000 0004", "4111111111111111", "219-09-9999", "+49 30 1234567",
        "DE89 3704 0044 0532 0130 00", "EMP-123456", ("sk-" "abcdefghijklmnopqrst0123456789"), "\n", "\t", "\r", "\"", "\\", "/",
        " ", " ", "x", "n", "word", "\xC3\xBC", "\xF0\x9F\x98\x80", "\x01", "12", "-", "@", ".", "b", "'", ":", ",", "Q\"12"};
    begin_leaf(false);
    for (unsigned n = draw(7); n > 0; n--)
        add_text(slice_str(parts[draw(sizeof parts / sizeof parts[0])]));
    end_leaf();
}

static void number(void)
{
    static const char *const numbers[] = {"5500000000000004", "-5500000000000004", "12", "1.5e3", "0", "4111111111111111",
                                          "-0.25"};
    begin_leaf(true);
    struct slice text = slice_str(numbers[draw(sizeof numbers / sizeof numbers[0])]);
    for (size_t i = 0; i < text.len; i++)
        add(slice_of(text.ptr + i, 1), slice_of(text.ptr + i, 1));
    end_leaf();
}

/* A character of the atom's spelling as it stands in a string of JSON. */
static void spell_char(struct buf *out, uint32_t c, struct slice utf8)
{
    static const char plain[] = "\"\\/\b\f\n\r\t", letters[] = "\"\\/bfnrt";
    const char *letter = c && c < 0x80 ? strchr(plain, (int)c) : NULL;
    bool must = c < 0x20 || c == '"' || c == '\\';
    unsigned how = draw(8);
    if (letter && ((must && how) || how == 1)) {
        buf_append_char(out, '\\');
        buf_append_char(out, letters[letter - plain]);
    } else if ((must || how == 2) && c >= 0x10000) {
        buf_printf(out, "\\u%04x\\u%04X", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
    } else if (must || how == 2) {
        buf_printf(out, draw(2) ? "\\u%04X" : "\\u%04x", c);
    } else {
        buf_append(out, utf8);
    }
}

static uint32_t code_point(const char *p, size_t len)
{
    uint32_t c = len == 1 ? (unsigned char)p[0] : (unsigned char)p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    return c;
}

/* What was made since becomes what a string of JSON holds. */
static void put_in_string(size_t from, size_t leaf_from)
{
    struct buf out;
    buf_init(&out);
    for (size_t a = from; a < atom_count; a++) {
        struct slice s = atoms[a].spelt;
        buf_reset(&out);
        for (size_t i = 0, len; i < s.len; i += len) {
            unsigned char c = (unsigned char)s.ptr[i];
            len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
            spell_char(&out, code_point(s.ptr + i, len), slice_of(s.ptr + i, len));
        }
        atoms[a].spelt = arena_copy(&arena, buf_slice(&out));
    }
    for (size_t i = leaf_from; i < leaf_count; i++)
        leaves[i].depth++;
    buf_clear(&out);
}

static void text(unsigned depth);

static void string(unsigned depth)
{
    sign("\"");
    size_t from = atom_count, leaf_from = leaf_count;
    text(depth + 1);
    put_in_string(from, leaf_from);
    sign("\"");
}

static void value(unsigned depth, unsigned nested)
{
    static const char *const words[] = {"true", "false", "null"};
    unsigned what = draw(nested < 3 && depth < DEPTH ? 8 : 4);
    if (what < 2) {
        string(depth);
    } else if (what == 2) {
        number();
    } else if (what == 3) {
        sign(words[draw(3)]);
    } else {
        bool is_object = what < 7;
        sign(is_object ? "{" : "[");
        for (unsigned n = draw(4), i = 0; i < n; i++) {
            if (i) sign(draw(2) ? "," : " ,\n ");
            if (is_object) string(depth < DEPTH - 1 ? DEPTH - 1 : depth);
            if (is_object) sign(draw(2) ? ":" : " : ");
            value(depth, nested + 1);
        }
        sign(is_object ? "}" : "]");
    }
}

/* An object, so that it is told from prose. */
static void json(unsigned depth)
{
    sign("{");
    string(DEPTH);
    sign(":");
    value(depth, 1);
    sign("}");
}

static void text(unsigned depth)
{
    unsigned what = depth < DEPTH ? draw(4) : 0;
    if (what != 1) prose();
    if (what == 2) sign("\n");
    if (what == 1 || what == 2) json(depth);
    if (what != 2) return;
    sign(" ");
    prose();
}

/* --- what must become of it --- */

enum become { AS_IT_IS, MASKED, GIVEN_BACK };

struct hits {
    size_t count;
    struct detect_hit hit[64];
};

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct hits *hits = arg;
    if (hits->count < 64) hits->hit[hits->count++] = *hit;
}

static void encode(struct slice what, unsigned depth, struct buf *out)
{
    struct buf now, json;
    buf_init(&now);
    buf_append(&now, what);
    for (; depth > 0; depth--) {
        buf_init(&json);
        buf_append_json(&json, buf_slice(&now));
        buf_reset(&now);
        buf_append(&now, slice_of(buf_ptr(&json) + 1, buf_len(&json) - 2));
        buf_clear(&json);
    }
    buf_append(out, buf_slice(&now));
    buf_clear(&now);
}

static void put_hit(struct redact *r, const struct leaf *leaf, unsigned kind, struct slice what, enum become how, struct buf *out)
{
    struct slice placeholder;
    check(redact_answer_hit(r, kind, what, &placeholder));
    struct slice text = how == MASKED ? placeholder : what;
    encode(leaf->is_number ? arena_printf(&arena, "\"%.*s\"", SLICE_FMT(text)) : text, leaf->depth, out);
}

static void put_atoms(size_t from, size_t to, struct buf *out)
{
    for (size_t a = from; a < to; a++)
        buf_append(out, atoms[a].spelt);
}

/* The atoms of a hit: those that show nothing belong to it only inside. */
static void find_atoms(const struct leaf *leaf, const struct detect_hit *hit, size_t *from, size_t *to)
{
    size_t at = 0;
    *from = *to = leaf->to;
    for (size_t a = leaf->from; a < leaf->to; a++) {
        if (at == hit->from && atoms[a].seen.len) *from = a;
        at += atoms[a].seen.len;
        if (at == hit->from + hit->len) {
            *to = a + 1;
            break;
        }
    }
    if (leaf->is_number) {
        *from = leaf->from;
        *to = leaf->to;
    }
}

static void put_leaf(struct redact *r, const struct leaf *leaf, enum become how, struct buf *out)
{
    struct hits hits = {0};
    struct detect_state state = {.steps = 0};
    struct buf seen, what;
    size_t done = leaf->from;
    buf_init(&seen);
    buf_init(&what);
    for (size_t a = leaf->from; a < leaf->to; a++)
        buf_append(&seen, atoms[a].seen);
    detect_scan(rules.detect, &state, buf_slice(&seen), true, on_hit, &hits);
    for (size_t h = 0; h < hits.count && how != AS_IT_IS; h++) {
        size_t from, to;
        find_atoms(leaf, &hits.hit[h], &from, &to);
        put_atoms(done, from, out);
        buf_reset(&what);
        for (size_t a = from; a < to; a++)
            buf_append(&what, atoms[a].text);
        put_hit(r, leaf, hits.hit[h].kind, buf_slice(&what), how, out);
        done = to;
    }
    put_atoms(done, leaf->to, out);
    buf_clear(&seen);
    buf_clear(&what);
}

static void put_document(enum become how, struct buf *out)
{
    struct redact *r = redact_new(&rules, &arena);
    size_t at = 0;
    for (size_t i = 0; i < leaf_count; i++) {
        put_atoms(at, leaves[i].from, out);
        put_leaf(r, &leaves[i], how, out);
        at = leaves[i].to;
    }
    put_atoms(at, atom_count, out);
}

/* --- what becomes of it --- */

static void expect(struct slice want, struct slice got, const char *where)
{
    if (slice_equal(want, got)) return;
    printf("%s\n want %.*s\n  got %.*s\n", where, SLICE_FMT(want), SLICE_FMT(got));
    fflush(stdout);
    abort();
}

/* The request is masked; what it held is known to *r then. */
static struct redact *send_request(struct slice text, struct buf *sent)
{
    struct buf body, edited;
    struct chat_request request;
    struct splice edits;
    struct fault why;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"input\":"));
    buf_append_json(&body, text);
    buf_append_char(&body, '}');
    chat_init(&request);
    check(chat_parse(&request, &dialect_openai, buf_slice(&body), CHAT_EMBEDDINGS, &arena, &why));
    struct redact *r = redact_new(&rules, &arena);
    while (!redact_scan(r, &request, buf_slice(&body)))
        continue;
    for (unsigned kind = 0; kind < detect_kind_count(rules.detect); kind++)
        redact_mask(r, kind);
    splice_init(&edits, &request.tape, buf_slice(&body), &arena);
    redact_edit(r, &edits);
    buf_init(&edited);
    splice_apply(&edits, &edited);
    struct json_tape tape;
    json_init(&tape);
    check(json_parse(&tape, buf_slice(&edited), &why));
    buf_append(sent, json_text(&tape, json_get(&tape, 0, SLICE("input")), &arena));
    json_clear(&tape);
    chat_clear(&request);
    buf_clear(&body);
    buf_clear(&edited);
    return r;
}

static bool on_out(void *arg, const struct sse_event *event, const struct said *said)
{
    struct json_tape tape;
    struct fault why;
    (void)said;
    json_init(&tape);
    check(json_parse(&tape, event->data, &why));
    uint32_t choices = json_get(&tape, 0, SLICE("choices"));
    uint32_t choice = choices == JSON_NONE ? JSON_NONE : json_first(&tape, choices);
    uint32_t content = json_get(&tape, json_get(&tape, choice, SLICE("delta")), SLICE("content"));
    if (content == JSON_NONE) content = json_get(&tape, 0, SLICE("delta"));
    if (content != JSON_NONE) buf_append(arg, json_text(&tape, content, &arena));
    json_clear(&tape);
    return true;
}

/* Of a chat, or of a response. */
static void send_event(struct redact_stream *stream, const struct dialect *dialect, struct slice text)
{
    bool is_chat = dialect == &dialect_openai;
    static struct said_reader reader;
    struct dialect_stream told;
    struct said said;
    struct fault why;
    struct buf raw;
    buf_init(&raw);
    buf_append(&raw, SLICE("data: "));
    buf_append(&raw, is_chat ? SLICE("{\"choices\":[{\"index\":0,\"delta\":{\"content\":")
                             : SLICE("{\"type\":\"response.output_text.delta\",\"output_index\":1,\"delta\":"));
    buf_append_json(&raw, text);
    buf_append(&raw, is_chat ? SLICE("}}]}\n\n") : SLICE("}\n\n"));
    struct sse_event event = {.raw = buf_slice(&raw), .data = slice_of(buf_ptr(&raw) + 6, buf_len(&raw) - 8), .retry_ms = -1,
                              .ends = true};
    dialect_stream_init(&told, 1);
    dialect->read_event(&reader, &told, event.name, event.data, &said);
    check(redact_stream_event(stream, &event, &said, &why));
    buf_clear(&raw);
}

/* In pieces of up to `step` characters. */
static void stream(struct redact *r, struct slice text, unsigned step, struct buf *out)
{
    struct redact_stream *stream = redact_stream_new(r, on_out, out);
    const struct dialect *dialect = draw(2) ? &dialect_openai : &dialect_responses;
    for (size_t at = 0, end; at < text.len; at = end) {
        unsigned n = 1 + draw(step);
        for (end = at; end < text.len && (n > 0 || ((unsigned char)text.ptr[end] & 0xC0) == 0x80); end++)
            n -= n > 0;
        send_event(stream, dialect, slice_of(text.ptr + at, end - at));
    }
    check(redact_stream_flush(stream));
    redact_stream_free(stream);
}

static void use_rules(bool is_restoring)
{
    rules.is_restoring = is_restoring;
    rules.response_finds = rules.response_masks = is_restoring ? 0 : ~0ull;
}

static void try_document(void)
{
    struct buf plain, masked, back, out;
    buf_init(&plain);
    buf_init(&masked);
    buf_init(&back);
    buf_init(&out);
    use_rules(false);
    put_document(AS_IT_IS, &plain);
    put_document(MASKED, &masked);
    put_document(GIVEN_BACK, &back);
    struct redact *sent = send_request(buf_slice(&plain), &out);
    expect(buf_slice(&masked), buf_slice(&out), "request");
    buf_reset(&out);
    stream(redact_new(&rules, &arena), buf_slice(&plain), 1, &out);
    expect(buf_slice(&masked), buf_slice(&out), "answer, character by character");
    buf_reset(&out);
    stream(redact_new(&rules, &arena), buf_slice(&plain), 30, &out);
    expect(buf_slice(&masked), buf_slice(&out), "answer, in pieces");
    use_rules(true);
    buf_reset(&out);
    stream(sent, buf_slice(&masked), 5, &out);
    expect(buf_slice(&back), buf_slice(&out), "given back");
    buf_clear(&plain);
    buf_clear(&masked);
    buf_clear(&back);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct detect_mask masks[] = {{{"employee_id", 11}, {"EMP-######", 10}}, {{"quoted", 6}, {"Q\"##", 4}}};
    struct fault why;
    if (!rules.detect) {
        rules.detect = detect_new(DETECT_ALL, masks, 2, &why);
        rules.scan_bytes_max = LIMIT_REDACT_SCAN_MAX;
        redact_rules_index(&rules);
    }
    arena_init(&arena);
    input = data;
    left = size;
    atom_count = leaf_count = 0;
    text(0);
    if (atom_count < ATOMS && leaf_count < LEAVES) try_document();
    arena_clear(&arena);
    return 0;
}
