/* Edits of a JSON body: commas always right, every byte that no edit names as it was. */
#include "../unit.h"

#include "oracle.h"

#include "base/mem.h"
#include "wire/splice.h"

struct fixture {
    struct json_tape tape;
    struct arena arena;
    struct splice edits;
    struct slice body;
};

static void begin(struct fixture *f, struct slice body)
{
    struct fault why = {0};
    json_init(&f->tape);
    arena_init(&f->arena);
    f->body = body;
    if (!json_parse(&f->tape, body, &why)) UNIT_FAIL("%s", why.text);
    splice_init(&f->edits, &f->tape, body, &f->arena);
}

static void finish(struct fixture *f)
{
    arena_clear(&f->arena);
    json_clear(&f->tape);
}

static uint32_t at(struct fixture *f, uint32_t object, const char *name)
{
    return json_get(&f->tape, object, slice_str(name));
}

/* Both forms of the result, and that they agree on length and bytes. */
static void take_result(struct fixture *f, struct buf *out)
{
    struct buf joined;
    struct iovec *pieces;
    buf_init(out);
    buf_init(&joined);
    splice_apply(&f->edits, out);
    EXPECT_INT(splice_length(&f->edits), buf_len(out));
    size_t count = splice_iovecs(&f->edits, &pieces);
    for (size_t i = 0; i < count; i++) {
        EXPECT(pieces[i].iov_len > 0);
        buf_append(&joined, slice_of(pieces[i].iov_base, pieces[i].iov_len));
    }
    EXPECT_SLICE(buf_slice(out), buf_slice(&joined));
    buf_clear(&joined);
}

static void expect_result(struct fixture *f, const char *want)
{
    struct buf out;
    take_result(f, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(f);
}

static void no_edit_changes_nothing(void)
{
    struct fixture f;
    begin(&f, SLICE(" {\"a\" : 1 } "));
    EXPECT(splice_is_empty(&f.edits));
    expect_result(&f, " {\"a\" : 1 } ");
}

static void a_value_is_replaced_in_place(void)
{
    struct fixture f;
    begin(&f, SLICE("{ \"model\" : \"gpt\" , \"n\":1e0 }"));
    splice_value(&f.edits, at(&f, 0, "model"), SLICE("\"other\""));
    EXPECT(!splice_is_empty(&f.edits));
    expect_result(&f, "{ \"model\" : \"other\" , \"n\":1e0 }");
}

static void the_root_can_be_replaced(void)
{
    struct fixture f;
    begin(&f, SLICE(" [1] "));
    splice_value(&f.edits, 0, SLICE("{}"));
    expect_result(&f, " {} ");
}

static void the_later_of_two_replacements_wins(void)
{
    struct fixture f;
    begin(&f, SLICE("{\"a\":1,\"b\":2}"));
    splice_value(&f.edits, at(&f, 0, "a"), SLICE("10"));
    splice_value(&f.edits, at(&f, 0, "b"), SLICE("20"));
    splice_value(&f.edits, at(&f, 0, "a"), SLICE("11"));
    splice_value(&f.edits, at(&f, 0, "a"), SLICE("12"));
    expect_result(&f, "{\"a\":12,\"b\":20}");
}

/* Every set of removals from 0 to 5 members, with every set of additions, is valid and in order. */
static void any_mix_of_removals_and_additions_keeps_the_commas_right(void)
{
    static const char *const bodies[] = {"{}",
                                         "{ }",
                                         "{\"a\":1}",
                                         "{ \"a\" : 1 }",
                                         "{\"a\":1,\"b\":2}",
                                         "{ \"a\":1 , \"b\":[] , \"c\":{} }",
                                         "{\n \"a\": 1,\n \"b\": 2,\n \"c\": 3\n}",
                                         "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (unsigned bits = 0; bits < 1u << 9; bits++) {
            struct fixture f;
            struct buf out, want;
            begin(&f, slice_str(bodies[i]));
            buf_init(&want);
            /* Additions are asked for between the removals, to show that the order of calls does not matter. */
            if (bits & 1 << 5) splice_prepend(&f.edits, 0, SLICE("p"), SLICE("0"));
            unsigned member = 0;
            if (bits & 1 << 5) buf_append(&want, SLICE("p"));
            if (bits & 1 << 6) buf_append(&want, SLICE("q"));
            for (uint32_t v = json_first(&f.tape, 0); v != JSON_NONE; v = json_next(&f.tape, v), member++) {
                if (bits & 1u << member) {
                    splice_remove(&f.edits, 0, v);
                } else {
                    buf_append_char(&want, json_key(&f.tape, v).ptr[1]);
                }
                if (member == 0 && bits & 1 << 7) splice_append(&f.edits, 0, SLICE("x"), SLICE("0"));
            }
            if (member == 0 && bits & 1 << 7) splice_append(&f.edits, 0, SLICE("x"), SLICE("0"));
            if (bits & 1 << 6) splice_prepend(&f.edits, 0, SLICE("q"), SLICE("0"));
            if (bits & 1 << 8) splice_append(&f.edits, 0, SLICE("y"), SLICE("0"));
            if (bits & 1 << 7) buf_append(&want, SLICE("x"));
            if (bits & 1 << 8) buf_append(&want, SLICE("y"));
            take_result(&f, &out);
            finish(&f);
            begin(&f, buf_slice(&out));
            struct buf got;
            buf_init(&got);
            for (uint32_t v = json_first(&f.tape, 0); v != JSON_NONE; v = json_next(&f.tape, v)) {
                buf_append_char(&got, json_key(&f.tape, v).ptr[1]);
            }
            EXPECT_SLICE(buf_slice(&want), buf_slice(&got));
            finish(&f);
            buf_clear(&got);
            buf_clear(&want);
            buf_clear(&out);
        }
    }
}

static void removed_bytes_are_the_least(void)
{
    struct fixture f;
    begin(&f, SLICE("{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }"));
    splice_remove(&f.edits, 0, at(&f, 0, "b"));
    expect_result(&f, "{ \"a\" : 1 , \"c\" : 3 }");
    begin(&f, SLICE("{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }"));
    splice_remove(&f.edits, 0, at(&f, 0, "c"));
    expect_result(&f, "{ \"a\" : 1 , \"b\" : 2 }");
    begin(&f, SLICE("{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }"));
    splice_remove(&f.edits, 0, at(&f, 0, "a"));
    expect_result(&f, "{ \"b\" : 2 , \"c\" : 3 }");
    begin(&f, SLICE("{ \"a\" : 1 }"));
    splice_remove(&f.edits, 0, at(&f, 0, "a"));
    splice_remove(&f.edits, 0, at(&f, 0, "a"));
    expect_result(&f, "{  }");
}

static void additions_stand_beside_their_neighbours(void)
{
    struct fixture f;
    begin(&f, SLICE("{ \"a\" : 1 }"));
    splice_append(&f.edits, 0, SLICE("b\"\n"), SLICE("[2]"));
    splice_prepend(&f.edits, 0, SLICE("z"), SLICE("{}"));
    expect_result(&f, "{ \"z\":{},\"a\" : 1,\"b\\\"\\n\":[2] }");
    begin(&f, SLICE("{ }"));
    splice_append(&f.edits, 0, SLICE("b"), SLICE("2"));
    splice_prepend(&f.edits, 0, SLICE("a"), SLICE("1"));
    expect_result(&f, "{\"a\":1,\"b\":2 }");
    begin(&f, SLICE("{\"a\":1}"));
    splice_value(&f.edits, at(&f, 0, "a"), SLICE("null"));
    splice_append(&f.edits, 0, SLICE("b"), SLICE("2"));
    expect_result(&f, "{\"a\":null,\"b\":2}");
    begin(&f, SLICE("{\"o\":{\"i\":{}}}"));
    uint32_t o = at(&f, 0, "o");
    splice_append(&f.edits, 0, SLICE("c"), SLICE("3"));
    splice_append(&f.edits, o, SLICE("b"), SLICE("2"));
    splice_append(&f.edits, at(&f, o, "i"), SLICE("a"), SLICE("1"));
    expect_result(&f, "{\"o\":{\"i\":{\"a\":1},\"b\":2},\"c\":3}");
}

static void edits_inside_what_goes_vanish_with_it(void)
{
    struct fixture f;
    begin(&f, SLICE("{\"m\":{\"x\":1,\"y\":2},\"n\":0}"));
    uint32_t m = at(&f, 0, "m");
    splice_value(&f.edits, at(&f, m, "x"), SLICE("7"));
    splice_remove(&f.edits, m, at(&f, m, "y"));
    splice_append(&f.edits, m, SLICE("z"), SLICE("3"));
    splice_remove(&f.edits, 0, m);
    splice_value(&f.edits, m, SLICE("\"late\""));
    expect_result(&f, "{\"n\":0}");
    begin(&f, SLICE("{\"m\":{\"x\":1,\"y\":2},\"n\":0}"));
    m = at(&f, 0, "m");
    splice_value(&f.edits, at(&f, m, "x"), SLICE("7"));
    splice_append(&f.edits, m, SLICE("z"), SLICE("3"));
    splice_value(&f.edits, m, SLICE("[]"));
    expect_result(&f, "{\"m\":[],\"n\":0}");
}

static void bytes_inside_a_string_can_be_changed(void)
{
    struct fixture f;
    begin(&f, SLICE("[\"call 555-1234 or 555-9999\"]"));
    splice_bytes(&f.edits, 19, 27, SLICE("[phone_2]"));
    splice_bytes(&f.edits, 7, 15, SLICE("[phone]"));
    splice_bytes(&f.edits, 2, 2, SLICE("> "));
    expect_result(&f, "[\"> call [phone] or [phone_2]\"]");
}

/* P1 to P5: what users of other gateways lost. */
static void nothing_else_is_touched(void)
{
    struct slice body = SLICE("{ \"x_unknown\" : {\"deep\":[{\"deeper\":{\"tools\":[],\"o\":{}}}]},\r\n\t\"tools\":[],"
                              "\"required\":[ ],\"empty\":{ },\"seed\":9223372036854775807,\"big\":"
                              "123456789012345678901234567890,\"tiny\":1e-7,\"f\":0.10,\"z\":-0,\"e\":1E+2,"
                              "\"model\":\"gpt-4o\",\"esc\":\"\\u0041\\/\\ud83d\\ude00\",\"cache_control\":{\"type\":"
                              "\"ephemeral\"},\"dup_ok\":1,\"\\u0061\":null  }");
    struct fixture f;
    struct buf out;
    begin(&f, body);
    splice_value(&f.edits, at(&f, 0, "model"), SLICE("\"m\""));
    take_result(&f, &out);
    size_t before = (size_t)(strstr(body.ptr, "\"gpt-4o\"") - body.ptr), behind = before + strlen("\"gpt-4o\"");
    EXPECT_SLICE(slice_of(body.ptr, before), slice_of(buf_ptr(&out), before));
    EXPECT_SLICE(SLICE("\"m\""), slice_of(buf_ptr(&out) + before, 3));
    EXPECT_SLICE(slice_of(body.ptr + behind, body.len - behind),
                 slice_of(buf_ptr(&out) + before + 3, buf_len(&out) - before - 3));
    buf_clear(&out);
    finish(&f);
}

/* A small generator of its own: the same run on every machine. */
static uint64_t seed;

static uint32_t pick(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static void random_space(struct buf *b)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t ", "\r\n  "};
    buf_append(b, slice_str(spaces[pick(7)]));
}

static void random_value(struct buf *b, int depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-0",
                                          "1e-7",
                                          "0.10",
                                          "9007199263392129",
                                          "123456789012345678901234567890",
                                          "\"\"",
                                          "\"a\\u0041\\/\"",
                                          "\"é漢😀\"",
                                          "\"],}{[\\\",:\"",
                                          "[]",
                                          "{}",
                                          "[ ]",
                                          "{ }"};
    uint32_t kind = depth > 0 ? pick(4) : 0;
    if (kind < 2) {
        buf_append(b, slice_str(scalars[pick(sizeof scalars / sizeof scalars[0])]));
        return;
    }
    uint32_t count = pick(5);
    buf_append_char(b, kind == 2 ? '[' : '{');
    random_space(b);
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_append_char(b, ',');
        random_space(b);
        if (kind == 3) buf_printf(b, "\"%s%u\"", pick(2) ? "k" : "\\u006b", i);
        if (kind == 3) random_space(b), buf_append_char(b, ':'), random_space(b);
        random_value(b, depth - 1);
        random_space(b);
    }
    buf_append_char(b, kind == 2 ? ']' : '}');
}

/* Expected value of the edited document, made with a JSON library: node numbers lead from one to the other. */
struct model {
    struct json_tape *tape;
    json_t **value; /* by node; NULL: not there any more */
};

static void bind(struct model *m, uint32_t node, json_t *value)
{
    size_t index = 0;
    struct arena arena;
    arena_init(&arena);
    m->value[node] = value;
    if (json_type(m->tape, node) < JSON_ARRAY) goto done;
    for (uint32_t c = json_first(m->tape, node); c != JSON_NONE; c = json_next(m->tape, c)) {
        struct slice key = json_key_text(m->tape, c, &arena);
        bind(m, c, key.ptr ? json_object_getn(value, key.ptr, key.len) : json_array_get(value, index++));
    }
done:
    arena_clear(&arena);
}

static void forget(struct model *m, uint32_t node)
{
    for (uint32_t n = node; n < json_after(m->tape, node); n++)
        m->value[n] = NULL;
}

/* One random edit of an object's members or of a value, in both documents. */
static void random_edit(struct fixture *f, struct model *m, bool *named, unsigned number)
{
    uint32_t object = pick(f->tape.count);
    char name[16];
    if (!m->value[object] || json_type(&f->tape, object) != JSON_OBJECT) return;
    uint32_t members = json_count(&f->tape, object), chosen = JSON_NONE;
    snprintf(name, sizeof name, "new%u", number);
    if (members) {
        uint32_t steps = pick(members);
        chosen = json_first(&f->tape, object);
        while (steps--)
            chosen = json_next(&f->tape, chosen);
    }
    uint32_t what = pick(4);
    if (what == 0) {
        splice_append(&f->edits, object, slice_str(name), SLICE("[\"new\"]"));
        json_object_set_new(m->value[object], name, json_pack("[s]", "new"));
    } else if (what == 1) {
        splice_prepend(&f->edits, object, slice_str(name), SLICE("0"));
        json_object_set_new(m->value[object], name, json_integer(0));
    } else if (chosen != JSON_NONE && m->value[chosen]) {
        struct arena arena;
        arena_init(&arena);
        struct slice key = json_key_text(&f->tape, chosen, &arena);
        if (what == 2) {
            splice_remove(&f->edits, object, chosen);
            json_object_deln(m->value[object], key.ptr, key.len);
        } else {
            splice_value(&f->edits, chosen, SLICE("\"!\""));
            json_object_setn_new(m->value[object], key.ptr, key.len, json_string("!"));
        }
        forget(m, chosen);
        for (uint32_t n = chosen; n < json_after(&f->tape, chosen); n++)
            named[n] = true;
        arena_clear(&arena);
    }
}

/* Each scalar that no edit named stands in the result with its own spelling, in the same order. */
static void expect_spellings(struct fixture *f, const bool *named, struct slice result)
{
    const char *from = result.ptr, *end = result.ptr + result.len;
    for (uint32_t n = 0; n < f->tape.count; n++) {
        if (named[n] || json_type(&f->tape, n) >= JSON_ARRAY) continue;
        struct slice key = json_key(&f->tape, n), raw = json_raw(&f->tape, n);
        const char *first = key.ptr ? key.ptr : raw.ptr;
        size_t len = (size_t)(raw.ptr + raw.len - first);
        const char *found = memmem(from, (size_t)(end - from), first, len);
        if (!found) {
            UNIT_FAIL("lost: %.*s in %.*s", (int)len, first, SLICE_FMT(result));
            return;
        }
        from = found + len;
    }
}

static void random_edits_of_random_documents(void)
{
    for (unsigned round = 0; round < 20000; round++) {
        struct buf body, out;
        struct fixture f;
        json_error_t error;
        seed = round;
        buf_init(&body);
        random_value(&body, 5);
        begin(&f, buf_slice(&body));
        /* Big numbers as reals: only the shape is compared here, spellings below. */
        size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
        json_t *document = json_loadb(buf_ptr(&body), buf_len(&body), flags, &error);
        bool *named = mem_zalloc(f.tape.count, sizeof *named);
        struct model model = {&f.tape, mem_zalloc(f.tape.count, sizeof(json_t *))};
        EXPECT(document != NULL);
        bind(&model, 0, document);
        unsigned edits = pick(8);
        for (unsigned i = 0; i < edits; i++)
            random_edit(&f, &model, named, i);
        take_result(&f, &out);
        json_t *result = json_loadb(buf_ptr(&out), buf_len(&out), flags | JSON_REJECT_DUPLICATES, &error);
        /* json_equal needs integers of both sides to be of one type. */
        json_t *want = NULL;
        char *text = json_dumps(document, JSON_ENCODE_ANY);
        want = json_loads(text, flags, &error);
        if (!result || !json_equal(want, result)) {
            UNIT_FAIL("round %u: %.*s became %.*s, expected %s", round, (int)buf_len(&body), buf_ptr(&body),
                      (int)buf_len(&out), buf_ptr(&out), text);
        }
        expect_spellings(&f, named, buf_slice(&out));
        free(text);
        json_decref(want);
        json_decref(result);
        json_decref(document);
        mem_free(model.value);
        mem_free(named);
        buf_clear(&body);
        buf_clear(&out);
        finish(&f);
        if (unit_case_failures) return;
    }
}

int main(void)
{
    RUN(no_edit_changes_nothing);
    RUN(a_value_is_replaced_in_place);
    RUN(the_root_can_be_replaced);
    RUN(the_later_of_two_replacements_wins);
    RUN(any_mix_of_removals_and_additions_keeps_the_commas_right);
    RUN(removed_bytes_are_the_least);
    RUN(additions_stand_beside_their_neighbours);
    RUN(edits_inside_what_goes_vanish_with_it);
    RUN(bytes_inside_a_string_can_be_changed);
    RUN(nothing_else_is_touched);
    RUN(random_edits_of_random_documents);
    return unit_close("splice");
}
