#include "exchange/api.h"

const struct api api_none = {.word = "none", .name = "none", .client = &dialect_openai};

/* Source: OpenAI API reference, /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models. */
static const struct api apis[] = {
    {"chat", "chat", "POST", "/v1/chat/completions", API_CALL, CHAT_CHAT, &dialect_openai, true, true},
    {"completions", "completions", "POST", "/v1/completions", API_CALL, CHAT_COMPLETIONS, &dialect_openai, true, true},
    {"embeddings", "embeddings", "POST", "/v1/embeddings", API_CALL, CHAT_EMBEDDINGS, &dialect_openai, true, false},
    {"models", "models", "GET", "/v1/models", API_MODELS, .client = &dialect_openai},
    {"model", "models", "GET", "/v1/models/*", API_MODEL, .client = &dialect_openai},
};
#define API_COUNT (sizeof apis / sizeof apis[0])

const struct api *api_at(size_t index)
{
    return index < API_COUNT ? &apis[index] : NULL;
}

const struct api *api_find(struct slice word)
{
    for (size_t i = 0; i < API_COUNT; i++) {
        if (slice_equal(word, slice_str(apis[i].word))) return &apis[i];
    }
    return NULL;
}
