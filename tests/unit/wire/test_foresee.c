/* What a request lets its provider search and call, and at which tier, so that budgets hold for it. */
#include "../unit.h"

#include "wire/dialect.h"

struct foreseen {
    const struct dialect *dialect;
    const char *body;
    int64_t searches, calls;
    const char *tier;
};

#define MESSAGES "\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"u\"}]"
#define CONTENTS "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"u\"}]}]"
#define INPUT "\"model\":\"m\",\"input\":\"u\""

static const struct foreseen cases[] = {
    {&dialect_openai, "{" MESSAGES "}", 0, 0, ""},
    {&dialect_openai, "{" MESSAGES ",\"web_search_options\":{}}", 1, 0, ""},
    {&dialect_openai, "{" MESSAGES ",\"tools\":[{\"type\":\"web_search\"}],\"service_tier\":\"priority\"}", 1, 0, "priority"},
    {&dialect_anthropic, "{" MESSAGES ",\"tools\":[{\"name\":\"web_search_x\"}]}", 0, 0, ""},
    {&dialect_anthropic, "{" MESSAGES ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":5}]}", 5, 0, ""},
    {&dialect_anthropic,
     "{" MESSAGES ",\"tools\":[{\"type\":\"web_search_20250305\"},{\"type\":\"code_execution_20250825\"}],\"speed\":\"fast\"}", 1, 1, "fast"},
    {&dialect_anthropic, "{" MESSAGES ",\"service_tier\":\"auto\",\"speed\":\"standard\",\"inference_geo\":\"us\"}", 0, 0, "us"},
    {&dialect_anthropic, "{" MESSAGES ",\"inference_geo\":\"us\",\"speed\":\"fast\"}", 0, 0, "fast_us"},
    {&dialect_anthropic, "{" MESSAGES ",\"service_tier\":\"standard_only\",\"inference_geo\":\"global\"}", 0, 0, "standard_only"},
    {&dialect_responses, "{" INPUT ",\"tools\":[{\"type\":\"web_search_preview\"},{\"type\":\"x_search\"},{\"type\":\"function\"}]}", 2, 0, ""},
    {&dialect_responses, "{" INPUT ",\"max_tool_calls\":7,\"tools\":[{\"type\":\"web_search\"},{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\"}}]}", 7, 7, ""},
    {&dialect_gemini, "{" CONTENTS ",\"tools\":[{\"googleSearch\":{}},{\"functionDeclarations\":[]}]}", 1, 0, ""},
    {&dialect_gemini, "{" CONTENTS ",\"tools\":[{\"google_search_retrieval\":{}}],\"serviceTier\":\"priority\"}", 1, 0, "priority"},
};

static void what_tools_may_come_to_is_foreseen(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct foreseen *c = &cases[i];
        struct chat_request r;
        struct arena arena;
        struct fault why;
        arena_init(&arena);
        chat_init(&r);
        if (!chat_parse(&r, c->dialect, slice_str(c->body), CHAT_CHAT, &arena, &why)) UNIT_FAIL("%s: %s", c->body, why.text);
        EXPECT_INT(c->searches, r.pieces.may_search);
        EXPECT_INT(c->calls, r.pieces.may_call);
        EXPECT_INT(0, r.pieces.searches); /* what is asked for by the piece is billed */
        EXPECT_SLICE(slice_str(c->tier), r.service_tier);
        chat_clear(&r);
        arena_clear(&arena);
    }
}

int main(void)
{
    RUN(what_tools_may_come_to_is_foreseen);
    return unit_close("foresee");
}
