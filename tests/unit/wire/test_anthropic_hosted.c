/* Anthropic's bodies as its hosts take them: a few members change, all else stays byte for byte. */
#include "../unit.h"

#include "wire/hosting.h"

static bool knows(struct slice beta)
{
    return slice_starts(beta, SLICE("known"));
}

/* header: the caller's anthropic-beta. dropped: as it is told. */
static void expect(const char *kind, const char *header, const char *body, const char *want, const char *dropped)
{
    struct dropped lost = {.count = 0};
    struct previews previews = {.takes = knows, .dropped = &lost};
    struct json_tape tape;
    struct splice edits;
    struct arena arena;
    struct buf out, told;
    struct fault why;
    json_init(&tape);
    arena_init(&arena);
    buf_init(&out);
    buf_init(&told);
    EXPECT(json_parse(&tape, slice_str(body), &why));
    splice_init(&edits, &tape, slice_str(body), &arena);
    anthropic_hosting.add_previews(&previews, slice_str(header));
    anthropic_hosting.edit(anthropic_hosting.host_of(slice_str(kind)), &previews, &edits);
    splice_apply(&edits, &out);
    dropped_write(&lost, &told);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    EXPECT_SLICE(slice_str(dropped), buf_slice(&told));
    buf_clear(&told);
    buf_clear(&out);
    arena_clear(&arena);
    json_clear(&tape);
}

static void only_hosts_are_hosts(void)
{
    EXPECT(anthropic_hosting.host_of(SLICE("anthropic")) == NULL);
    EXPECT(anthropic_hosting.host_of(SLICE("openai")) == NULL);
    EXPECT(anthropic_hosting.host_of(SLICE("")) == NULL);
}

#define AMAZONS "\"anthropic_version\":\"bedrock-2023-05-31\""

static void amazons_say_neither_model_nor_stream(void)
{
    expect("bedrock", "", "{ \"model\" : \"m\", \"stream\":true,\"max_tokens\":1.0e1 ,\"messages\":[]\n}",
           "{ \"max_tokens\":1.0e1 ,\"messages\":[]," AMAZONS "\n}", "");
    expect("bedrock", "", "{\"messages\":[{\"model\":1,\"stream\":2}],\"mod\\u0065l\":\"m\"}",
           "{\"messages\":[{\"model\":1,\"stream\":2}]," AMAZONS "}", "");
    expect("bedrock", "", "{}", "{" AMAZONS "}", "");
    expect("bedrock", "", "{\"anthropic_version\":\"2023-06-01\",\"a\":1,\"anthropic_version\":2}",
           "{\"a\":1," AMAZONS "}", "");
}

static void amazons_previews_are_in_the_body(void)
{
    expect("bedrock", "known-1, known-2 ,known-1,,other-\"1", "{\"a\":1}",
           "{\"a\":1," AMAZONS ",\"anthropic_beta\":[\"known-1\",\"known-2\"]}", "anthropic-beta.other-?1");
    expect("bedrock", "known-1", "{\"anthropic_beta\":[\"known\\u002d3\",\"x\",7,\"known-1\"],\"a\":1}",
           "{\"a\":1," AMAZONS ",\"anthropic_beta\":[\"known-1\",\"known-3\"]}", "anthropic-beta.x");
    expect("bedrock", "other", "{\"a\":1,\"anthropic_beta\":\"known-4\"}", "{\"a\":1," AMAZONS "}",
           "anthropic-beta.other");
}

static void no_more_previews_than_there_is_room_for(void)
{
    struct dropped lost = {.count = 0};
    struct previews previews = {.takes = knows, .dropped = &lost};
    char name[16];
    for (unsigned i = 0; i < PREVIEWS_MAX + 3; i++) {
        snprintf(name, sizeof name, "known-%u", i);
        static char kept[PREVIEWS_MAX + 3][16];
        memcpy(kept[i], name, sizeof name);
        anthropic_hosting.add_previews(&previews, slice_str(kept[i]));
    }
    EXPECT_INT(PREVIEWS_MAX, previews.count);
    EXPECT_INT(3, lost.count);
}

static void googles_say_whether_they_stream(void)
{
    expect("vertex", "known-1", "{\"model\":\"m\",\"stream\":true,\"anthropic_beta\":[1]}",
           "{\"stream\":true,\"anthropic_beta\":[1],\"anthropic_version\":\"vertex-2023-10-16\"}", "");
}

int main(void)
{
    RUN(only_hosts_are_hosts);
    RUN(amazons_say_neither_model_nor_stream);
    RUN(amazons_previews_are_in_the_body);
    RUN(no_more_previews_than_there_is_room_for);
    RUN(googles_say_whether_they_stream);
    return unit_close("anthropic_hosted");
}
