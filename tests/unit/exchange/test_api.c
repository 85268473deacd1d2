/* The rows of what callers may ask for: each is whole, and is found by its word. */
#include "../unit.h"

#include "exchange/api.h"

static void every_row_is_whole(void)
{
    const struct api *api;
    size_t count = 0;
    for (; (api = api_at(count)) != NULL; count++) {
        bool is_call = api->kind == API_CALL;
        EXPECT(api->kind != API_NONE && api->client && api->name && api->path[0] == '/');
        bool is_object = api->kind == API_OBJECT;
        if (!is_object) EXPECT_STR(is_call ? "POST" : "GET", api->method);
        bool has_star = strchr(api->path, '*') != NULL;
        bool names_object = api->place != NULL; /* a call may change one: an item is added to a conversation */
        EXPECT(names_object || !is_object);
        EXPECT_INT(api->kind == API_MODEL || api->names_model || names_object, has_star);
        EXPECT_INT(names_object, api->place && strchr(api->place, '*'));
        if (api->kind == API_LIST) EXPECT(api->is_free && !api->place);
        EXPECT(is_call || (!api->has_text && !api->meters_output && !api->is_stream));
        if (is_call) EXPECT(api->client->path(api->asks)[0] == (api->client->path_to ? ':' : '/'));
    }
    EXPECT(count > 0);
    EXPECT(api_at(SIZE_MAX) == NULL);
}

static void each_word_is_one_rows(void)
{
    const struct api *api;
    for (size_t i = 0; (api = api_at(i)) != NULL; i++)
        EXPECT(api_find(slice_str(api->word)) == api);
    EXPECT(api_find(SLICE("none")) == NULL);
    EXPECT(api_find(SLICE("")) == NULL);
    EXPECT_STR("models", api_find(SLICE("model"))->name);
}

static void no_path_is_no_call(void)
{
    EXPECT_INT(API_NONE, api_none.kind);
    EXPECT(!api_none.has_text && !api_none.meters_output);
    EXPECT(api_none.client != NULL);
}

static bool has_version(void *arg, struct slice header)
{
    return *(bool *)arg && slice_equal(header, SLICE("anthropic-version"));
}

static void a_shared_path_is_whose_client_asks(void)
{
    bool says = true;
    const struct api *models = api_find(SLICE("models")), *chat = api_find(SLICE("chat"));
    EXPECT(api_spoken(models, has_version, &says)->client == &dialect_anthropic);
    EXPECT_INT(API_MODEL, api_spoken(api_find(SLICE("model")), has_version, &says)->kind);
    EXPECT(api_spoken(chat, has_version, &says) == chat);
    EXPECT(api_spoken(&api_none, has_version, &says)->client == &dialect_anthropic);
    says = false;
    EXPECT(api_spoken(models, has_version, &says) == models);
    EXPECT(api_spoken(&api_none, has_version, &says) == &api_none);
}

static void names_are_told_apart_by_dialect(void)
{
    EXPECT_STR("messages", api_named(SLICE("chat"), SLICE("anthropic"), false, SLICE(""))->word);
    EXPECT_STR("chat", api_named(SLICE("chat"), SLICE("openai"), false, SLICE(""))->word);
    EXPECT_STR("responses", api_named(SLICE("chat"), SLICE("responses"), false, SLICE("/v1/responses"))->word);
    EXPECT_STR("compact", api_named(SLICE("chat"), SLICE("responses"), false, SLICE("/v1/responses/compact"))->word);
    EXPECT_STR("anthropic_model", api_named(SLICE("models"), SLICE("anthropic"), true, SLICE(""))->word);
    EXPECT_STR("model", api_named(SLICE("models"), SLICE("openai"), true, SLICE(""))->word);
    EXPECT(api_named(SLICE("embeddings"), SLICE("anthropic"), false, SLICE("")) == NULL);
    EXPECT_STR("generate_content", api_named(SLICE("chat"), SLICE("gemini"), false, SLICE(""))->word);
    EXPECT_STR("gemini_model", api_named(SLICE("models"), SLICE("gemini"), true, SLICE(""))->word);
}

static void only_embeddings_say_nothing(void)
{
    EXPECT(api_find(SLICE("chat"))->meters_output);
    EXPECT(api_find(SLICE("completions"))->meters_output);
    EXPECT(!api_find(SLICE("embeddings"))->meters_output);
    EXPECT(api_find(SLICE("embeddings"))->has_text);
    EXPECT(api_find(SLICE("count_tokens"))->has_text && api_find(SLICE("count_tokens"))->is_free);
}

int main(void)
{
    RUN(every_row_is_whole);
    RUN(each_word_is_one_rows);
    RUN(no_path_is_no_call);
    RUN(a_shared_path_is_whose_client_asks);
    RUN(names_are_told_apart_by_dialect);
    RUN(only_embeddings_say_nothing);
    return unit_close("api");
}
