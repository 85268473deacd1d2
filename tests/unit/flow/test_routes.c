/* Paths, methods and their hints; which headers cross. */
#include "../unit.h"

#include "flow/headers.h"
#include "flow/routes.h"

static struct arena arena;

static struct route_match match_of(const char *method, const char *path)
{
    return routes_find(slice_str(method), slice_str(path), SLICE_NONE, &arena);
}

static void paths_lead_to_their_api(void)
{
    static const struct {
        const char *method, *path;
        enum route_kind kind;
        const char *api;
    } cases[] = {
        {"POST", "/v1/chat/completions", ROUTE_API, "chat"},
        {"POST", "/v1/completions", ROUTE_API, "completions"},
        {"POST", "/v1/embeddings", ROUTE_API, "embeddings"},
        {"GET", "/v1/models", ROUTE_API, "models"},
        {"HEAD", "/v1/models", ROUTE_API, "models"},
        {"GET", "/v1/models/openai/gpt-4o", ROUTE_API, "model"},
        {"GET", "/livez", ROUTE_LIVEZ, "none"},
        {"GET", "/readyz", ROUTE_READYZ, "none"},
        {"OPTIONS", "/v1/embeddings", ROUTE_OPTIONS, "embeddings"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct route_match match = match_of(cases[i].method, cases[i].path);
        EXPECT_INT(cases[i].kind, match.kind);
        EXPECT_STR(cases[i].api, match.api->word);
    }
    EXPECT_SLICE(SLICE("openai/gpt-4o"), match_of("GET", "/v1/models/openai/gpt-4o").id);
}

static void a_missing_or_doubled_v1_is_named(void)
{
    struct route_match match = match_of("POST", "/chat/completions");
    EXPECT_INT(FAULT_MISSPELT_PATH, match.fault.code);
    EXPECT(strstr(match.fault.text, "did you mean /v1/chat/completions?"));
    match = match_of("POST", "/v1/v1/embeddings");
    EXPECT_INT(FAULT_MISSPELT_PATH, match.fault.code);
    EXPECT(strstr(match.fault.text, "did you mean /v1/embeddings?"));
    match = match_of("POST", "/");
    EXPECT_INT(FAULT_UNKNOWN_PATH, match.fault.code);
    EXPECT(strstr(match.fault.text, "/v1/models"));
}

static void an_object_has_several_methods(void)
{
    EXPECT_STR("response", match_of("GET", "/v1/responses/resp_1").api->word);
    EXPECT_STR("response_delete", match_of("DELETE", "/v1/responses/resp_1/").api->word);
    EXPECT_STR("response_items", match_of("GET", "/openai/v1/responses/resp_1/input_items").api->word);
    EXPECT_STR("response_cancel", match_of("POST", "/v1/responses/resp_1/cancel").api->word);
    EXPECT_STR("compact", match_of("POST", "/v1/responses/compact").api->word);
    EXPECT_SLICE(SLICE("resp_1"), match_of("GET", "/v1/responses/resp_1/input_items").id);
    EXPECT_INT(FAULT_METHOD, match_of("HEAD", "/v1/responses/resp_1").fault.code);
    EXPECT_INT(FAULT_METHOD, match_of("GET", "/v1/responses/resp_1/cancel").fault.code);
    EXPECT_SLICE(SLICE("GET, DELETE, OPTIONS"), match_of("PATCH", "/v1/responses/resp_1").allow);
    EXPECT_SLICE(SLICE("GET, DELETE, OPTIONS"), match_of("OPTIONS", "/v1/responses/resp_1").allow);
}

static void own_objects_are_listed_where_they_are_made(void)
{
    EXPECT_STR("file_list", match_of("GET", "/v1/files").api->word);
    EXPECT_STR("files", match_of("POST", "/v1/files").api->word);
    EXPECT_STR("batch_list", match_of("GET", "/openai/v1/batches/").api->word);
    EXPECT_SLICE(SLICE("POST, GET, OPTIONS"), match_of("OPTIONS", "/v1/files").allow);
    EXPECT_INT(FAULT_METHOD, match_of("HEAD", "/v1/files").fault.code);
    EXPECT_INT(FAULT_METHOD, match_of("GET", "/v1/conversations").fault.code);
    EXPECT_SLICE(SLICE("POST, OPTIONS"), match_of("GET", "/v1/conversations").allow);
}

/* C4 */
static void other_spellings_are_served(void)
{
    static const struct {
        const char *path, *api;
    } cases[] = {
        {"/v1/chat/completions/", "chat"},       {"//v1/chat/completions", "chat"}, {"/v1//embeddings", "embeddings"},
        {"/openai/v1/chat/completions", "chat"}, {"/api/v1/embeddings", "embeddings"},
        {"//api//v1//completions//", "completions"}, {"/v1beta/openai/chat/completions", "chat"},
        {"/v1/messages", "messages"}, {"/v1/messages/count_tokens", "count_tokens"}, {"/anthropic/v1/messages", "messages"},
        {"/v1//messages/", "messages"}, {"/v1/responses", "responses"}, {"/v1/responses/compact", "compact"}, {"/openai/v1/responses/input_tokens", "input_tokens"},
        {"/openai/deployments/a/chat/completions", "azure_chat"}, {"/openai/deployments/a/b/completions/", "azure_completions"},
        {"/openai//deployments/a/embeddings", "azure_embeddings"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct route_match match = match_of("POST", cases[i].path);
        EXPECT_INT(ROUTE_API, match.kind);
        EXPECT_STR(cases[i].api, match.api->word);
    }
    EXPECT_STR("models", match_of("GET", "/v1/models/").api->word);
    EXPECT_STR("models", match_of("GET", "/api/v1/models").api->word);
    EXPECT_SLICE(SLICE("openai/gpt-4o"), match_of("GET", "//v1/models/openai//gpt-4o/").id);
    EXPECT_SLICE(SLICE("openai/gpt-4o"), match_of("POST", "/openai/deployments/openai/gpt-4o/chat/completions").id);
    EXPECT_INT(ROUTE_LIVEZ, match_of("GET", "/livez/").kind);
    EXPECT_INT(ROUTE_NONE, match_of("GET", "/v1/chat/../models").kind);
}

static void expect_unspoken(const char *path, const char *says)
{
    struct route_match match = match_of("POST", path);
    EXPECT_INT(FAULT_UNSPOKEN_PATH, match.fault.code);
    EXPECT(strstr(match.fault.text, says));
    EXPECT(strlen(match.fault.text) < sizeof match.fault.text - 1); /* none is cut */
}

static void what_an_object_holds_has_a_star_of_its_own(void)
{
    struct route_match match = match_of("DELETE", "/v1/conversations/conv_1/items/msg_1");
    EXPECT_STR("conversation_item_delete", match.api->word);
    EXPECT_SLICE(SLICE("conv_1"), match.id);
    EXPECT_SLICE(SLICE("msg_1"), match.inner);
    EXPECT_STR("conversation_add", match_of("POST", "/v1/conversations/conv_1/items/").api->word);
    EXPECT_STR("conversation_items", match_of("GET", "/v1/conversations/conv_1/items").api->word);
    EXPECT_STR("conversation_update", match_of("POST", "/v1/conversations/conv_1").api->word);
    EXPECT_INT(FAULT_METHOD, match_of("POST", "/v1/conversations/conv_1/items/msg_1").fault.code);
    EXPECT_INT(FAULT_UNSPOKEN_PATH, match_of("GET", "/v1/conversations/conv_1/items/a/b").fault.code);
    EXPECT_INT(FAULT_UNSPOKEN_PATH, match_of("GET", "/v1/conversations/conv_1/else/a").fault.code);
}

static void other_apis_are_told_what_to_do(void)
{
    static const char *const paths[] = {
        "/v1/responses/resp_1/else", "/v1/messages/batches",
        "/v1/messages/batches/b/results",                 "/v1/complete",      "/v1/files/file-1/x", "/v1/files/file-1/content/x",
        "/v1/batches/b/x",     "/v1/audio/voices",            "/v1/images/upscale","/v1/threads/t/runs",
        "/v1/assistants",  "/v1/fine_tuning/jobs",        "/v1/realtime", "/v1/vector_stores",
        "/v1/engines/davinci/completions",
        "/api/chat",       "/api/generate",               "/api/tags",         "/v1/conversations/c/x", "/v1/videos",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        expect_unspoken(paths[i], "");
    expect_unspoken("/v1beta/models/gemini-2.5-flash:predict", "/v1beta/models/gemini-2.5-flash:generateContent");
    expect_unspoken("/v1beta/cachedContents/x", "\"contents\"");
    expect_unspoken("/v1beta/tunedModels/x:generateContent", "models.lua");
    EXPECT_INT(FAULT_MISSPELT_PATH, match_of("POST", "/models/gemini-2.5-flash:generateContent").fault.code);
    expect_unspoken("/openai/deployments/gpt-4o/images/upscale", "\"model\": \"gpt-4o\"");
    expect_unspoken("/v1/deployments/gpt-4o/chat/completions", "\"gpt-4o\"");
    expect_unspoken("/openai/v1/deployments/gpt-4o/embeddings", "\"gpt-4o\"");
    EXPECT_INT(FAULT_UNKNOWN_PATH, match_of("POST", "/v1/responsesx").fault.code);
    EXPECT_INT(FAULT_MISSPELT_PATH, match_of("POST", "/messages").fault.code);
    EXPECT_INT(FAULT_MISSPELT_PATH, match_of("POST", "/responses").fault.code);
    EXPECT_INT(FAULT_MISSPELT_PATH, match_of("POST", "/v1/v1/messages").fault.code);
    EXPECT_INT(ROUTE_API, match_of("GET", "/v1/models/llama:70b").kind);
}

static void expect_google(const char *path, const char *word, const char *model)
{
    struct route_match match = match_of("POST", path);
    EXPECT_INT(ROUTE_API, match.kind);
    EXPECT_STR(word, match.api->word);
    EXPECT_SLICE(slice_str(model), match.id);
}

/* Behind a name, also one with slashes and colons, a verb of Google's; a model is asked about behind /v1 as well. */
static void googles_paths_have_the_model_and_a_verb(void)
{
    expect_google("/v1beta/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash");
    expect_google("/v1/models/gemini-2.5-flash:streamGenerateContent", "stream_generate_content", "gemini-2.5-flash");
    expect_google("//v1beta/models/a/b:1:countTokens", "gemini_count_tokens", "a/b:1");
    expect_google("/v1/models/a:embedContent/", "embed_content", "a");
    expect_google("/v1beta/models/a:batchEmbedContents", "batch_embed_contents", "a");
    EXPECT_STR("gemini_models", match_of("GET", "/v1beta/models").api->word);
    EXPECT_STR("gemini_model", match_of("GET", "/v1beta/models/a").api->word);
    EXPECT_STR("model", match_of("GET", "/v1/models/a:b").api->word);
    EXPECT_INT(FAULT_METHOD, match_of("GET", "/v1beta/models/a:generateContent").fault.code);
    EXPECT_INT(FAULT_METHOD, match_of("POST", "/v1beta/models/:generateContent").fault.code);
}

/* Codex falls back to HTTP on 426 alone. */
static void websockets_are_sent_back_to_http(void)
{
    EXPECT_INT(FAULT_UPGRADE, routes_find(SLICE("GET"), SLICE("/v1/responses"), SLICE("websocket"), &arena).fault.code);
    EXPECT_INT(FAULT_UPGRADE, routes_find(SLICE("GET"), SLICE("/v1/realtime"), SLICE("h2c, WebSocket"), &arena).fault.code);
    EXPECT_INT(FAULT_METHOD, routes_find(SLICE("GET"), SLICE("/v1/responses"), SLICE("h2c"), &arena).fault.code);
    EXPECT_INT(ROUTE_API, routes_find(SLICE("GET"), SLICE("/v1/models"), SLICE("websocket"), &arena).kind);
}

static void a_wrong_method_is_told_the_right_ones(void)
{
    struct route_match match = match_of("GET", "/v1/chat/completions");
    EXPECT_INT(FAULT_METHOD, match.fault.code);
    EXPECT_SLICE(SLICE("POST, OPTIONS"), match.allow);
    EXPECT_STR("chat", match.api->word); /* in whose dialect the refusal is */
    EXPECT_INT(FAULT_METHOD, match_of("post", "/v1/embeddings").fault.code);
    EXPECT_INT(FAULT_METHOD, match_of("DELETE", "/v1/models/x").fault.code);
}

static void credentials_and_internals_never_cross(void)
{
    static const char *const kept_back[] = {
        "Authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "Cookie",
        "x-moongate-data",
        "connection",
        "te",
        "transfer-encoding",
        "content-length",
        "host",
        "upgrade",
        "x-forwarded-for",
        "openai-organization",
        "openai-project",
        "x-custom-1",
        "accept-encoding",
        "accepted",
        "",
    };
    static const char *const sent[] = {"Accept",      "OpenAI-Beta", "X-Stainless-Retry-Count",
                                       "traceparent", "user-agent",  "idempotency-key",
                                       "HTTP-Referer", "X-Title"};
    for (size_t i = 0; i < sizeof kept_back / sizeof kept_back[0]; i++)
        EXPECT(!headers_reach_provider(slice_str(kept_back[i])));
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
        EXPECT(headers_reach_provider(slice_str(sent[i])));
}

static void request_ids_and_rate_limits_reach_the_client(void)
{
    static const char *const passed[] = {"X-Request-Id",
                                         "request-id",
                                         "x-ratelimit-remaining-tokens",
                                         "retry-after",
                                         "anthropic-ratelimit-tokens-reset",
                                         "Content-Type",
                                         "content-encoding"};
    static const char *const kept_back[] = {
        "set-cookie",        "server",         "openai-organization", "x-moongate-request-id", "connection",
        "transfer-encoding", "content-length", "x-ratelimi"};
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        EXPECT(headers_reach_client(slice_str(passed[i])));
    for (size_t i = 0; i < sizeof kept_back / sizeof kept_back[0]; i++)
        EXPECT(!headers_reach_client(slice_str(kept_back[i])));
    EXPECT(headers_is_rate(SLICE("X-RateLimit-Reset-Tokens")));
    EXPECT(headers_is_rate(SLICE("ratelimit-limit")));
    EXPECT(!headers_is_rate(SLICE("retry-after")));
    EXPECT(!headers_is_rate(SLICE("x-request-id")));
}

int main(void)
{
    arena_init(&arena);
    RUN(paths_lead_to_their_api);
    RUN(a_missing_or_doubled_v1_is_named);
    RUN(an_object_has_several_methods);
    RUN(own_objects_are_listed_where_they_are_made);
    RUN(other_spellings_are_served);
    RUN(what_an_object_holds_has_a_star_of_its_own);
    RUN(other_apis_are_told_what_to_do);
    RUN(googles_paths_have_the_model_and_a_verb);
    RUN(websockets_are_sent_back_to_http);
    RUN(a_wrong_method_is_told_the_right_ones);
    RUN(credentials_and_internals_never_cross);
    RUN(request_ids_and_rate_limits_reach_the_client);
    arena_clear(&arena);
    return unit_close("routes");
}
