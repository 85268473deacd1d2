#include "exchange/api.h"

#define ANTHROPIC_HEADER "anthropic-version"
#define GEMINI_HEADER "x-goog-api-client" /* of Google's libraries */
#define GEMINI_MODELS "/v1beta/models"

const struct api api_none = {.word = "none", .name = "none", .client = &dialect_openai};
static const struct api api_none_anthropic = {.word = "none", .name = "none", .client = &dialect_anthropic};
static const struct api api_none_gemini = {.word = "none", .name = "none", .client = &dialect_gemini};

/* Source: OpenAI API reference, /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses,
 * /v1/responses/compact, /v1/responses/input_tokens, /v1/moderations, /v1/images, /v1/audio, /v1/files,
 * /v1/batches, /v1/conversations, /v1/models; Cohere API reference, v1 and v2 of rerank, which Jina and vLLM have too;
 * Azure OpenAI reference, deployments; Anthropic API reference, /v1/messages, /v1/messages/count_tokens, /v1/models;
 * Gemini API reference, models.generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents,
 * list, get. */
static const struct api apis[] = {
    {"chat", "chat", "POST", "/v1/chat/completions", API_CALL, CHAT_CHAT, &dialect_openai,
     .has_text = true, .meters_output = true},
    {"completions", "completions", "POST", "/v1/completions", API_CALL, CHAT_COMPLETIONS, &dialect_openai,
     .has_text = true, .meters_output = true},
    {"embeddings", "embeddings", "POST", "/v1/embeddings", API_CALL, CHAT_EMBEDDINGS, &dialect_openai,
     .has_text = true},
    {"responses", "chat", "POST", "/v1/responses", API_CALL, CHAT_CHAT, &dialect_responses,
     .has_text = true, .meters_output = true},
    {"compact", "chat", "POST", "/v1/responses/compact", API_CALL, CHAT_COMPACT, &dialect_responses,
     .has_text = true, .meters_output = true},
    {"input_tokens", "count_tokens", "POST", "/v1/responses/input_tokens", API_CALL, CHAT_COUNT, &dialect_responses,
     .has_text = true, .is_free = true},
    {"messages", "chat", "POST", "/v1/messages", API_CALL, CHAT_CHAT, &dialect_anthropic,
     .has_text = true, .meters_output = true},
    {"count_tokens", "count_tokens", "POST", "/v1/messages/count_tokens", API_CALL, CHAT_COUNT, &dialect_anthropic,
     .has_text = true, .is_free = true},
    {"azure_chat", "chat", "POST", "/openai/deployments/*/chat/completions", API_CALL, CHAT_CHAT, &dialect_openai,
     .has_text = true, .meters_output = true, .names_model = true},
    {"azure_completions", "completions", "POST", "/openai/deployments/*/completions", API_CALL, CHAT_COMPLETIONS,
     &dialect_openai, .has_text = true, .meters_output = true, .names_model = true},
    {"azure_embeddings", "embeddings", "POST", "/openai/deployments/*/embeddings", API_CALL, CHAT_EMBEDDINGS,
     &dialect_openai, .has_text = true, .names_model = true},
    {"moderations", "moderations", "POST", "/v1/moderations", API_CALL, CHAT_MODERATIONS, &dialect_openai,
     .has_text = true},
    {"rerank", "rerank", "POST", "/v1/rerank", API_CALL, CHAT_RERANK, &dialect_openai, .has_text = true},
    {"rerank_v2", "rerank", "POST", "/v2/rerank", API_CALL, CHAT_RERANK, &dialect_openai, .has_text = true},
    {"rerank_bare", "rerank", "POST", "/rerank", API_CALL, CHAT_RERANK, &dialect_openai, .has_text = true},
    {"images", "images", "POST", "/v1/images/generations", API_CALL, CHAT_IMAGES, &dialect_openai, .has_text = true},
    {"image_edits", "images", "POST", "/v1/images/edits", API_CALL, CHAT_IMAGE_EDITS, &dialect_openai,
     .has_text = true, .takes_form = true},
    {"image_variations", "images", "POST", "/v1/images/variations", API_CALL, CHAT_IMAGE_VARIATIONS, &dialect_openai,
     .has_text = true, .takes_form = true},
    {"speech", "speech", "POST", "/v1/audio/speech", API_CALL, CHAT_SPEECH, &dialect_openai, .has_text = true},
    {"transcriptions", "transcriptions", "POST", "/v1/audio/transcriptions", API_CALL, CHAT_TRANSCRIPTIONS,
     &dialect_openai, .has_text = true, .takes_form = true},
    {"translations", "translations", "POST", "/v1/audio/translations", API_CALL, CHAT_TRANSLATIONS, &dialect_openai,
     .has_text = true, .takes_form = true},
    {"files", "files", "POST", "/v1/files", API_CALL, CHAT_FILES, &dialect_openai, .has_text = true, .takes_form = true,
     .is_free = true, .stands_for = "files"},
    {"batches", "batches", "POST", "/v1/batches", API_CALL, CHAT_BATCHES, &dialect_openai, .has_text = true,
     .stands_for = "batches"},
    {"conversations", "conversations", "POST", "/v1/conversations", API_CALL, CHAT_CONVERSATIONS, &dialect_responses,
     .has_text = true, .is_echo = true, .is_free = true, .stands_for = "conversations"},
    {"conversation_add", "conversations", "POST", "/v1/conversations/*/items", API_CALL, CHAT_CONVERSATIONS,
     &dialect_responses, .has_text = true, .is_echo = true, .is_free = true, .stands_for = "conversations",
     .object = KEPT_CONVERSATION, .place = "/conversations/*/items"},
    {"conversation_update", "conversations", "POST", "/v1/conversations/*", API_CALL, CHAT_CONVERSATIONS,
     &dialect_responses, .has_text = true, .is_echo = true, .is_free = true, .stands_for = "conversations",
     .object = KEPT_CONVERSATION, .place = "/conversations/*"},
    {"azure_images", "images", "POST", "/openai/deployments/*/images/generations", API_CALL, CHAT_IMAGES,
     &dialect_openai, .has_text = true, .names_model = true},
    {"azure_image_edits", "images", "POST", "/openai/deployments/*/images/edits", API_CALL, CHAT_IMAGE_EDITS,
     &dialect_openai, .has_text = true, .names_model = true, .takes_form = true},
    {"azure_speech", "speech", "POST", "/openai/deployments/*/audio/speech", API_CALL, CHAT_SPEECH, &dialect_openai,
     .has_text = true, .names_model = true},
    {"azure_transcriptions", "transcriptions", "POST", "/openai/deployments/*/audio/transcriptions", API_CALL,
     CHAT_TRANSCRIPTIONS, &dialect_openai, .has_text = true, .names_model = true, .takes_form = true},
    {"azure_translations", "translations", "POST", "/openai/deployments/*/audio/translations", API_CALL,
     CHAT_TRANSLATIONS, &dialect_openai, .has_text = true, .names_model = true, .takes_form = true},
    {"generate_content", "chat", "POST", GEMINI_MODELS "/*:generateContent", API_CALL, CHAT_CHAT, &dialect_gemini,
     .has_text = true, .names_model = true, .meters_output = true},
    {"stream_generate_content", "chat", "POST", GEMINI_MODELS "/*:streamGenerateContent", API_CALL, CHAT_CHAT,
     &dialect_gemini, .has_text = true, .names_model = true, .meters_output = true, .is_stream = true},
    {"gemini_count_tokens", "count_tokens", "POST", GEMINI_MODELS "/*:countTokens", API_CALL, CHAT_COUNT,
     &dialect_gemini, .has_text = true, .names_model = true, .is_free = true},
    {"embed_content", "embeddings", "POST", GEMINI_MODELS "/*:embedContent", API_CALL, CHAT_EMBEDDINGS,
     &dialect_gemini, .has_text = true, .names_model = true},
    {"batch_embed_contents", "embeddings", "POST", GEMINI_MODELS "/*:batchEmbedContents", API_CALL, CHAT_EMBEDDINGS,
     &dialect_gemini, .has_text = true, .names_model = true},
    {"file_list", "objects", "GET", "/v1/files", API_LIST, .client = &dialect_openai, .object = KEPT_FILE,
     .is_free = true},
    {"batch_list", "objects", "GET", "/v1/batches", API_LIST, .client = &dialect_openai, .object = KEPT_BATCH,
     .is_free = true},
    {"file_content", "objects", "GET", "/v1/files/*/content", API_OBJECT, .client = &dialect_openai,
     .object = KEPT_FILE, .place = "/files/*/content", .is_free = true, .is_bytes = true},
    {"file", "objects", "GET", "/v1/files/*", API_OBJECT, .client = &dialect_openai, .object = KEPT_FILE,
     .place = "/files/*", .is_free = true},
    {"file_delete", "objects", "DELETE", "/v1/files/*", API_OBJECT, .client = &dialect_openai, .object = KEPT_FILE,
     .place = "/files/*", .is_free = true, .is_end = true},
    {"batch_cancel", "objects", "POST", "/v1/batches/*/cancel", API_OBJECT, .client = &dialect_openai,
     .object = KEPT_BATCH, .place = "/batches/*/cancel", .is_free = true},
    {"batch", "objects", "GET", "/v1/batches/*", API_OBJECT, .client = &dialect_openai, .object = KEPT_BATCH,
     .place = "/batches/*", .is_free = true},
    {"response_items", "objects", "GET", "/v1/responses/*/input_items", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_RESPONSE, .place = "/responses/*/input_items", .is_free = true},
    {"response_cancel", "objects", "POST", "/v1/responses/*/cancel", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_RESPONSE, .place = "/responses/*/cancel", .is_free = true},
    {"response", "objects", "GET", "/v1/responses/*", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_RESPONSE, .place = "/responses/*", .is_free = true},
    {"response_delete", "objects", "DELETE", "/v1/responses/*", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_RESPONSE, .place = "/responses/*", .is_free = true, .is_end = true},
    {"conversation_items", "objects", "GET", "/v1/conversations/*/items", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_CONVERSATION, .place = "/conversations/*/items", .is_free = true},
    {"conversation_item", "objects", "GET", "/v1/conversations/*/items/*", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_CONVERSATION, .place = "/conversations/*/items/*", .is_free = true},
    {"conversation_item_delete", "objects", "DELETE", "/v1/conversations/*/items/*", API_OBJECT,
     .client = &dialect_responses, .object = KEPT_CONVERSATION, .place = "/conversations/*/items/*", .is_free = true},
    {"conversation", "objects", "GET", "/v1/conversations/*", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_CONVERSATION, .place = "/conversations/*", .is_free = true},
    {"conversation_delete", "objects", "DELETE", "/v1/conversations/*", API_OBJECT, .client = &dialect_responses,
     .object = KEPT_CONVERSATION, .place = "/conversations/*", .is_free = true, .is_end = true},
    {"gemini_models", "models", "GET", GEMINI_MODELS, API_MODELS, .client = &dialect_gemini},
    {"gemini_model", "models", "GET", GEMINI_MODELS "/*", API_MODEL, .client = &dialect_gemini},
    {"models", "models", "GET", "/v1/models", API_MODELS, .client = &dialect_openai},
    {"model", "models", "GET", "/v1/models/*", API_MODEL, .client = &dialect_openai},
    {"anthropic_models", "models", "GET", "/v1/models", API_MODELS, .client = &dialect_anthropic,
     .if_header = ANTHROPIC_HEADER},
    {"anthropic_model", "models", "GET", "/v1/models/*", API_MODEL, .client = &dialect_anthropic,
     .if_header = ANTHROPIC_HEADER},
    {"gemini_models_v1", "models", "GET", "/v1/models", API_MODELS, .client = &dialect_gemini,
     .if_header = GEMINI_HEADER},
    {"gemini_model_v1", "models", "GET", "/v1/models/*", API_MODEL, .client = &dialect_gemini,
     .if_header = GEMINI_HEADER},
};
#define API_COUNT (sizeof apis / sizeof apis[0])

const struct api *api_at(size_t index)
{
    return index < API_COUNT ? &apis[index] : NULL;
}

const struct api *api_spoken(const struct api *api, bool (*has)(void *arg, struct slice header), void *arg)
{
    if (api == &api_none && has(arg, SLICE(ANTHROPIC_HEADER))) return &api_none_anthropic;
    if (api == &api_none && has(arg, SLICE(GEMINI_HEADER))) return &api_none_gemini;
    for (size_t i = 0; i < API_COUNT; i++) {
        bool is_same = apis[i].if_header && slice_equal(slice_str(apis[i].path), slice_str(api->path));
        if (is_same && has(arg, slice_str(apis[i].if_header))) return &apis[i];
    }
    return api;
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.len >= end.len && slice_equal(slice_of(text.ptr + text.len - end.len, end.len), end);
}

const struct api *api_named(struct slice name, struct slice dialect, bool is_one, struct slice path)
{
    const struct api *first = NULL;
    for (size_t i = 0; i < API_COUNT; i++) {
        bool is_of = slice_equal(dialect, slice_str(apis[i].client->name)) &&
                     slice_equal(name, slice_str(apis[i].name));
        if (!is_of || (is_one && apis[i].kind == API_MODELS)) continue;
        if (ends_with(path, slice_str(apis[i].path))) return &apis[i];
        if (!first) first = &apis[i];
    }
    return first;
}

const struct api *api_find(struct slice word)
{
    for (size_t i = 0; i < API_COUNT; i++) {
        if (slice_equal(word, slice_str(apis[i].word))) return &apis[i];
    }
    return NULL;
}
