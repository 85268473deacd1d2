/* Where requests to accounts go: their dialects' paths, and Azure's. */
#include "../unit.h"

#include "wire/reach.h"

static const struct slice at = {"https://a.example/v1", 20}, azure = {"https://n.openai.azure.com", 26},
                          azure_v1 = {"https://n.openai.azure.com/openai/v1", 36}, none;

static void expect_url(const char *want, struct reach_ask ask)
{
    struct chat_request r = {.kind = ask.asks};
    struct arena arena;
    arena_init(&arena);
    ask.request = &r;
    EXPECT_SLICE(slice_str(want), reach_url(&ask, &arena));
    arena_clear(&arena);
}
#define ASK(kind_, url_, version_, dialect_, asks_, model_)                                                           \
    (struct reach_ask){.kind = SLICE(kind_),                                                                           \
                       .url = url_,                                                                                    \
                       .version = version_,                                                                            \
                       .dialect = &dialect_,                                                                           \
                       .asks = asks_,                                                                                  \
                       .model = SLICE(model_)}

static void others_have_their_dialects_paths(void)
{
    expect_url("https://a.example/v1/chat/completions", ASK("openai", at, none, dialect_openai, CHAT_CHAT, "m"));
    expect_url("https://a.example/v1/messages", ASK("anthropic", at, none, dialect_anthropic, CHAT_CHAT, "m"));
    expect_url("https://a.example/v1/models/m:generateContent", ASK("gemini", at, none, dialect_gemini, CHAT_CHAT, "m"));
    EXPECT_SLICE(SLICE("authorization"), reach_key_header(SLICE("openai"), &dialect_openai).name);
    EXPECT_SLICE(SLICE("x-goog-api-key"), reach_key_header(SLICE("gemini"), &dialect_gemini).name);
}

#define RESOURCE "https://n.openai.azure.com/openai"

static void azures_deployments_have_paths(void)
{
    struct slice v = SLICE("2024-10-21");
    expect_url(RESOURCE "/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
               ASK("azure", azure, v, dialect_openai, CHAT_CHAT, "gpt-4o"));
    expect_url(RESOURCE "/deployments/d/completions?api-version=2024-10-21",
               ASK("azure", azure, v, dialect_openai, CHAT_COMPLETIONS, "d"));
    expect_url(RESOURCE "/deployments/d/embeddings?api-version=2024-10-21",
               ASK("azure", azure, v, dialect_openai, CHAT_EMBEDDINGS, "d"));
    expect_url(RESOURCE "/deployments/a%20b%2F..%2Fc%3F%C3%BC/embeddings?api-version=2024-10-21",
               ASK("azure", azure, v, dialect_openai, CHAT_EMBEDDINGS, "a b/../c?\xC3\xBC"));
}

static void azures_responses_have_one(void)
{
    struct slice v = SLICE("2025-04-01-preview");
    expect_url(RESOURCE "/responses?api-version=2025-04-01-preview",
               ASK("azure", azure, v, dialect_responses, CHAT_CHAT, "d"));
    expect_url(RESOURCE "/responses/input_tokens?api-version=2025-04-01-preview",
               ASK("azure", azure, v, dialect_responses, CHAT_COUNT, "d"));
}

static void azures_v1_has_openais(void)
{
    expect_url(RESOURCE "/v1/chat/completions", ASK("azure", azure_v1, none, dialect_openai, CHAT_CHAT, "d"));
    expect_url(RESOURCE "/v1/responses?api-version=preview",
               ASK("azure", azure_v1, SLICE("preview"), dialect_responses, CHAT_CHAT, "d"));
}

static void azures_key_and_version(void)
{
    struct dialect_header key = reach_key_header(SLICE("azure"), &dialect_responses);
    EXPECT_SLICE(SLICE("api-key"), key.name);
    EXPECT_SLICE(SLICE(""), key.value);
    EXPECT(reach_takes_version(SLICE("azure")) && !reach_takes_version(SLICE("openai")));
    EXPECT(reach_needs_version(SLICE("azure"), azure) && !reach_needs_version(SLICE("azure"), azure_v1));
    EXPECT(reach_needs_version(SLICE("azure"), SLICE("v1")));
    EXPECT(!reach_needs_version(SLICE("openai"), azure));
}

#define RUNTIME "https://bedrock-runtime.us-east-1.amazonaws.com"

static void amazons_paths_name_model_and_stream(void)
{
    struct slice runtime = SLICE(RUNTIME);
    struct chat_request r = {.kind = CHAT_CHAT, .is_stream = true};
    struct reach_ask ask = ASK("bedrock", runtime, none, dialect_anthropic, CHAT_CHAT, "us.anthropic.claude-x-v1:0");
    struct arena arena;
    expect_url(RUNTIME "/model/us.anthropic.claude-x-v1%3A0/invoke", ask);
    arena_init(&arena);
    ask.request = &r;
    ask.model = SLICE("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x");
    EXPECT_SLICE(SLICE(RUNTIME "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2F"
                               "us.anthropic.claude-x/invoke-with-response-stream"),
                 reach_url(&ask, &arena));
    ask.dialect = &dialect_converse;
    ask.model = SLICE("us.amazon.nova-lite-v1:0");
    EXPECT_SLICE(SLICE(RUNTIME "/model/us.amazon.nova-lite-v1%3A0/converse-stream"), reach_url(&ask, &arena));
    r.is_stream = false;
    EXPECT_SLICE(SLICE(RUNTIME "/model/us.amazon.nova-lite-v1%3A0/converse"), reach_url(&ask, &arena));
    arena_clear(&arena);
    EXPECT(reach_signs(SLICE("bedrock")) && !reach_signs(SLICE("anthropic")));
    EXPECT(!reach_counts(SLICE("bedrock")) && reach_counts(SLICE("anthropic")));
    EXPECT_SLICE(SLICE("Bearer "), reach_key_header(SLICE("bedrock"), &dialect_anthropic).value);
}

static void expect_vertex(const char *want, const struct dialect *dialect, enum chat_kind asks, const char *model, bool streams,
                          const char *project)
{
    struct chat_request r = {.kind = asks, .is_stream = streams};
    struct reach_ask ask = {.kind = SLICE("vertex"), .url = SLICE("https://v.example"), .project = slice_str(project),
                            .location = SLICE("eu"), .dialect = dialect, .request = &r, .asks = asks, .model = slice_str(model)};
    struct arena arena;
    arena_init(&arena);
    EXPECT_SLICE(slice_str(want), reach_url(&ask, &arena));
    arena_clear(&arena);
}

#define VERTEX "https://v.example/v1/projects/p/locations/eu"

static void vertexs_models_have_their_publishers_paths(void)
{
    const struct dialect *g = &dialect_gemini, *a = &dialect_anthropic, *o = &dialect_openai;
    expect_vertex(VERTEX "/publishers/google/models/m:generateContent", g, CHAT_CHAT, "m", false, "p");
    expect_vertex(VERTEX "/publishers/google/models/m:streamGenerateContent", g, CHAT_CHAT, "google/m", true, "p");
    expect_vertex(VERTEX "/publishers/google/models/m:countTokens", g, CHAT_COUNT, "m", false, "p");
    expect_vertex(VERTEX "/publishers/google/models/google%2F:generateContent", g, CHAT_CHAT, "google/", false, "p");
    expect_vertex("https://v.example/v1/publishers/google/models/m:generateContent", g, CHAT_CHAT, "m", false, "");
    expect_vertex(VERTEX "/publishers/anthropic/models/c%402025:rawPredict", a, CHAT_CHAT, "c@2025", false, "p");
    expect_vertex(VERTEX "/publishers/anthropic/models/c:streamRawPredict", a, CHAT_CHAT, "anthropic/c", true, "p");
    expect_vertex(VERTEX "/publishers/anthropic/models/..%2Fc:rawPredict", a, CHAT_CHAT, "../c", false, "p");
    expect_vertex(VERTEX "/publishers/anthropic/models/count-tokens:rawPredict", a, CHAT_COUNT, "c", false, "p");
    expect_vertex(VERTEX "/endpoints/openapi/chat/completions", o, CHAT_CHAT, "meta/llama", true, "p");
}

static void vertexs_places_have_their_hosts(void)
{
    struct arena arena;
    arena_init(&arena);
    EXPECT_SLICE(SLICE("https://europe-west4-aiplatform.googleapis.com"), reach_vertex_url(SLICE("europe-west4"), &arena));
    EXPECT_SLICE(SLICE("https://aiplatform.googleapis.com"), reach_vertex_url(SLICE("global"), &arena));
    EXPECT_SLICE(SLICE("https://aiplatform.googleapis.com"), reach_vertex_url(SLICE(""), &arena));
    EXPECT_SLICE(SLICE("https://aiplatform.eu.rep.googleapis.com"), reach_vertex_url(SLICE("eu"), &arena));
    arena_clear(&arena);
    EXPECT_SLICE(SLICE("x-goog-api-key"), reach_key_header(SLICE("vertex"), &dialect_anthropic).name);
    EXPECT_SLICE(SLICE("Bearer "), reach_token_header().value);
    EXPECT(reach_scope(SLICE("vertex")).len && !reach_scope(SLICE("gemini")).len);
}

int main(void)
{
    RUN(amazons_paths_name_model_and_stream);
    RUN(others_have_their_dialects_paths);
    RUN(azures_deployments_have_paths);
    RUN(azures_responses_have_one);
    RUN(azures_v1_has_openais);
    RUN(azures_key_and_version);
    RUN(vertexs_models_have_their_publishers_paths);
    RUN(vertexs_places_have_their_hosts);
    return unit_close("reach");
}
