#include "flow/headers.h"

#include <strings.h>

/* A pattern that ends in '*' stands for every name with that beginning. */
#define PATTERN(text)                                                                                                  \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct slice to_provider[] = {
    PATTERN("accept"),      PATTERN("accept-language"),     PATTERN("anthropic-beta"), PATTERN("anthropic-version"),
    PATTERN("baggage"),     PATTERN("http-referer"),        PATTERN("idempotency-key"), PATTERN("openai-beta"),
    PATTERN("traceparent"), PATTERN("tracestate"),          PATTERN("user-agent"),      PATTERN("x-client-request-id"),
    PATTERN("x-goog-api-client"),
    PATTERN("x-stainless-*"), PATTERN("x-title"),
};

static const struct slice to_client[] = {
    PATTERN("cache-control"),  PATTERN("content-disposition"), PATTERN("content-encoding"), PATTERN("content-language"),
    PATTERN("content-type"),
    PATTERN("openai-model"),   PATTERN("openai-processing-ms"), PATTERN("openai-version"),   PATTERN("retry-after"),
    PATTERN("retry-after-ms"), PATTERN("x-should-retry"),
};

static const struct slice rates[] = {PATTERN("anthropic-ratelimit-*"), PATTERN("ratelimit-*"),
                                     PATTERN("ratelimitbysize-*"), PATTERN("x-ratelimit-*"),
                                     PATTERN("x-ratelimitbysize-*")};

static const struct slice request_ids[] = {PATTERN("apim-request-id"), PATTERN("request-id"), PATTERN("x-request-id"),
                                           PATTERN("x-amzn-requestid"), PATTERN("x-kong-request-id")};
static const struct slice of_api[] = {PATTERN("anthropic-*"), PATTERN("openai-*"), PATTERN("x-stainless-*")};
#undef PATTERN

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every header of every request is held against every pattern: length and first letter decide nearly all of it. */
static bool matches(struct slice name, struct slice pattern)
{
    size_t len = pattern.len;
    bool is_open = pattern.ptr[len - 1] == '*';
    if (is_open ? name.len < len : name.len != len) return false;
    return (name.ptr[0] | 0x20) == pattern.ptr[0] && strncasecmp(name.ptr, pattern.ptr, is_open ? len - 1 : len) == 0;
}

static bool is_in(struct slice name, const struct slice *patterns, size_t count)
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

bool headers_is_of_api(struct slice name)
{
    return is_in(name, of_api, COUNT(of_api));
}

bool headers_is_request_id(struct slice name)
{
    return is_in(name, request_ids, COUNT(request_ids));
}

bool headers_is_rate(struct slice name)
{
    return is_in(name, rates, COUNT(rates));
}

bool headers_reach_client(struct slice name)
{
    return is_in(name, to_client, COUNT(to_client)) || headers_is_rate(name) || headers_is_request_id(name);
}
