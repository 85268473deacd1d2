/* What policies asked: noted once a key, bounded, JSON whatever it holds, and found again in a record. */
#include "../unit.h"

#include "base/limits.h"
#include "exchange/asked.h"

static struct arena arena;

static struct slice formatted(const struct asked *a, struct buf *out)
{
    buf_reset(out);
    asked_format(out, a);
    return buf_slice(out);
}

static void the_first_of_a_key_stays(void)
{
    struct asked a = {0};
    struct buf out;
    buf_init(&out);
    EXPECT_SLICE(SLICE(""), formatted(&a, &out));
    asked_note(&a, &arena, ASKED_CONTAINS, SLICE("plan"), ASKED_AS_JSON, SLICE("true"));
    asked_note(&a, &arena, ASKED_CONTAINS, SLICE("plan"), ASKED_AS_JSON, SLICE("false"));
    asked_note(&a, &arena, ASKED_HEADERS, SLICE("x-team"), ASKED_AS_TEXT, SLICE("blue \"one\"\n"));
    asked_note(&a, &arena, ASKED_HEADERS, SLICE("x-beta"), ASKED_AS_TEXT, SLICE_NONE);
    EXPECT_SLICE(SLICE("{\"headers\":{\"x-team\":\"blue \\\"one\\\"\\n\",\"x-beta\":null},\"contains\":{\"plan\":true}}"),
                 formatted(&a, &out));
    buf_clear(&out);
}

static void what_is_too_much_is_named(void)
{
    struct asked a = {0};
    struct buf out;
    char name[32];
    buf_init(&out);
    static char large[LIMIT_ASKED_VALUE_BYTES + 1];
    memset(large, 'x', sizeof large);
    asked_note(&a, &arena, ASKED_CACHE, SLICE("k"), ASKED_AS_TEXT, slice_of(large, sizeof large));
    asked_note(&a, &arena, ASKED_HEADERS, SLICE("x-note"), ASKED_AS_TEXT, SLICE("caf\xe9")); /* no text in JSON */
    EXPECT(asked_has_missed(&a));
    for (unsigned i = 0; i < LIMIT_ASKED_NOTES + 10; i++) {
        int n = snprintf(name, sizeof name, "n%u", i);
        asked_note(&a, &arena, ASKED_CONTAINS, slice_of(name, (size_t)n), ASKED_AS_JSON, SLICE("true"));
    }
    asked_format_misses(&out, &a);
    EXPECT_SLICE(SLICE("[\"cache\",\"headers\",\"contains\"]"), buf_slice(&out));
    for (unsigned i = 0; i < 1000; i++) {
        int n = snprintf(name, sizeof name, "m%u", i);
        asked_miss(&a, &arena, slice_of(name, (size_t)n));
    }
    buf_reset(&out);
    asked_format_misses(&out, &a);
    EXPECT(buf_len(&out) < 200);
    buf_clear(&out);
}

static bool is_any(void *arg, const struct json_tape *tape, uint32_t node)
{
    (void)arg;
    (void)tape;
    (void)node;
    return true;
}

static void it_is_found_again(void)
{
    struct fault why;
    struct asked a = {0};
    a.recall = recall_new(SLICE("{\"asked\":{\"contains\":{\"plan\":true},\"calls\":[{\"n\":1},{\"n\":2}]}}"), &why);
    EXPECT(a.recall != NULL);
    EXPECT(asked_find(&a, ASKED_CONTAINS, SLICE("plan")) != JSON_NONE);
    EXPECT(asked_find(&a, ASKED_CONTAINS, SLICE("other")) == JSON_NONE);
    EXPECT(asked_find(&a, ASKED_HEADERS, SLICE("plan")) == JSON_NONE);
    EXPECT(asked_take(&a, ASKED_COUNTERS, is_any, NULL) == JSON_NONE);
    uint32_t one = asked_take(&a, ASKED_CALLS, is_any, NULL), two = asked_take(&a, ASKED_CALLS, is_any, NULL);
    EXPECT(one != JSON_NONE && two != JSON_NONE && one != two);
    EXPECT(asked_take(&a, ASKED_CALLS, is_any, NULL) == JSON_NONE); /* each is given once */
    asked_note(&a, &arena, ASKED_CONTAINS, SLICE("new"), ASKED_AS_JSON, SLICE("true"));
    EXPECT_INT(0, a.count); /* nothing is noted of what is decided again */
    recall_free(a.recall);
    EXPECT(recall_new(SLICE("[1]"), &why) == NULL);
    EXPECT(recall_new(SLICE("{\"cut\":"), &why) == NULL);
}

int main(void)
{
    arena_init(&arena);
    RUN(the_first_of_a_key_stays);
    RUN(what_is_too_much_is_named);
    RUN(it_is_found_again);
    arena_clear(&arena);
    return unit_close("asked");
}
