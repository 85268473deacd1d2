/* Paths, methods and their hints; which headers cross. */
#include "../unit.h"

#include "flow/headers.h"
#include "flow/routes.h"

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
        struct route_match match = routes_find(slice_str(cases[i].method), slice_str(cases[i].path));
        EXPECT_INT(cases[i].kind, match.kind);
        EXPECT_STR(cases[i].api, match.api->word);
    }
    EXPECT_SLICE(SLICE("openai/gpt-4o"), routes_find(SLICE("GET"), SLICE("/v1/models/openai/gpt-4o")).id);
}

static void a_missing_or_doubled_v1_is_named(void)
{
    struct route_match match = routes_find(SLICE("POST"), SLICE("/chat/completions"));
    EXPECT_INT(FAULT_UNKNOWN_PATH, match.fault.code);
    EXPECT(strstr(match.fault.text, "did you mean /v1/chat/completions?"));
    match = routes_find(SLICE("POST"), SLICE("/v1/v1/embeddings"));
    EXPECT(strstr(match.fault.text, "did you mean /v1/embeddings?"));
    match = routes_find(SLICE("GET"), SLICE("/v1/models/"));
    EXPECT_INT(FAULT_UNKNOWN_PATH, match.fault.code);
    match = routes_find(SLICE("POST"), SLICE("/"));
    EXPECT(strstr(match.fault.text, "/v1/models"));
}

static void a_wrong_method_is_told_the_right_ones(void)
{
    struct route_match match = routes_find(SLICE("GET"), SLICE("/v1/chat/completions"));
    EXPECT_INT(FAULT_METHOD, match.fault.code);
    EXPECT_SLICE(SLICE("POST, OPTIONS"), match.allow);
    EXPECT_STR("chat", match.api->word); /* in whose dialect the refusal is */
    EXPECT_INT(FAULT_METHOD, routes_find(SLICE("post"), SLICE("/v1/embeddings")).fault.code);
    EXPECT_INT(FAULT_METHOD, routes_find(SLICE("DELETE"), SLICE("/v1/models/x")).fault.code);
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
                                       "traceparent", "user-agent",  "idempotency-key"};
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
}

int main(void)
{
    RUN(paths_lead_to_their_api);
    RUN(a_missing_or_doubled_v1_is_named);
    RUN(a_wrong_method_is_told_the_right_ones);
    RUN(credentials_and_internals_never_cross);
    RUN(request_ids_and_rate_limits_reach_the_client);
    return unit_close("routes");
}
