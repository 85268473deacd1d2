#include "flow/headers.h"

#include <strings.h>

/* A pattern that ends in '*' stands for every name with that beginning. */
static const char *const to_provider[] = {
    "accept",     "accept-language", "anthropic-beta",      "anthropic-version",
    "baggage",    "idempotency-key", "openai-beta",         "traceparent",
    "tracestate", "user-agent",      "x-client-request-id", "x-stainless-*",
};

static const char *const to_client[] = {
    "anthropic-ratelimit-*", "cache-control",        "content-encoding", "content-language",    "content-type",
    "openai-model",          "openai-processing-ms", "openai-version",   "ratelimit-*",         "ratelimitbysize-*",
    "retry-after",           "retry-after-ms",       "x-ratelimit-*",    "x-ratelimitbysize-*", "x-should-retry",
};

static const char *const request_ids[] = {"apim-request-id", "request-id", "x-request-id", "x-kong-request-id"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool matches(struct slice name, const char *pattern)
{
    size_t len = strlen(pattern);
    if (pattern[len - 1] == '*') return name.len >= len && strncasecmp(name.ptr, pattern, len - 1) == 0;
    return name.len == len && strncasecmp(name.ptr, pattern, len) == 0;
}

static bool is_in(struct slice name, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (matches(name, patterns[i])) return true;
    }
    return false;
}

bool headers_reach_provider(struct slice name)
{
    return is_in(name, to_provider, COUNT(to_provider));
}

bool headers_is_request_id(struct slice name)
{
    return is_in(name, request_ids, COUNT(request_ids));
}

bool headers_reach_client(struct slice name)
{
    return is_in(name, to_client, COUNT(to_client)) || headers_is_request_id(name);
}
