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
        EXPECT_STR(is_call ? "POST" : "GET", api->method);
        EXPECT_INT(api->kind == API_MODEL, strchr(api->path, '*') != NULL);
        EXPECT(is_call || (!api->has_text && !api->meters_output));
        if (is_call) EXPECT(api->client->path(api->asks)[0] == '/');
    }
    EXPECT_INT(5, count);
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

static void only_embeddings_say_nothing(void)
{
    EXPECT(api_find(SLICE("chat"))->meters_output);
    EXPECT(api_find(SLICE("completions"))->meters_output);
    EXPECT(!api_find(SLICE("embeddings"))->meters_output);
    EXPECT(api_find(SLICE("embeddings"))->has_text);
}

int main(void)
{
    RUN(every_row_is_whole);
    RUN(each_word_is_one_rows);
    RUN(no_path_is_no_call);
    RUN(only_embeddings_say_nothing);
    return unit_close("api");
}
