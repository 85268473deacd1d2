/* What accounts of each kind are spoken to in, by their kind, the model and the client. */
#include "../unit.h"

#include "wire/dialect.h"
#include "wire/translate/traits.h"

static const struct dialect *d = &dialect_openai;

static void kinds_and_paths(void)
{
    EXPECT(dialect_find(SLICE("openai")) == d);
    EXPECT(dialect_find(SLICE("OpenAI")) == NULL);
    EXPECT(dialect_find(SLICE("")) == NULL);
    EXPECT(dialect_for(SLICE("openai"), NULL, NULL) == d);
    EXPECT(dialect_for(SLICE("openai"), NULL, d) == d);
    EXPECT(dialect_for(SLICE("openai"), NULL, &dialect_anthropic) == d);
    EXPECT(dialect_for(SLICE("anthropic"), NULL, d) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("anthropic"), NULL, &dialect_anthropic) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("azure"), NULL, NULL) == d);
    EXPECT(dialect_for(SLICE("azure"), NULL, &dialect_responses) == &dialect_responses);
    EXPECT(dialect_for(SLICE("azure"), NULL, &dialect_anthropic) == d);
    EXPECT(dialect_for(SLICE("OpenAI"), NULL, d) == NULL);
    EXPECT(dialect_for(SLICE(""), NULL, d) == NULL);
    EXPECT(dialect_has_kind(SLICE("azure")) && !dialect_has_kind(SLICE("Azure")) && !dialect_has_kind(SLICE("")));
    EXPECT_STR("/chat/completions", d->path(CHAT_CHAT));
    EXPECT_STR("/completions", d->path(CHAT_COMPLETIONS));
    EXPECT_STR("/embeddings", d->path(CHAT_EMBEDDINGS));
}

/* Whose model it is counts where accounts host others', and nowhere else. */
static void hosts_speak_by_the_model(void)
{
    struct traits anthropics = {.publisher = PUBLISHER_ANTHROPIC}, googles = {.publisher = PUBLISHER_GOOGLE}, others = {0};
    EXPECT(dialect_for(SLICE("bedrock"), &anthropics, NULL) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("bedrock"), &anthropics, d) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("bedrock"), &anthropics, &dialect_anthropic) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("bedrock"), &others, &dialect_anthropic) == &dialect_converse);
    EXPECT(dialect_for(SLICE("bedrock"), NULL, &dialect_anthropic) == &dialect_converse);
    EXPECT(dialect_for(SLICE("openai_compatible"), &anthropics, &dialect_anthropic) == d);
    EXPECT(dialect_for(SLICE("vertex"), &anthropics, d) == &dialect_anthropic);
    EXPECT(dialect_for(SLICE("vertex"), &googles, d) == &dialect_gemini);
    EXPECT(dialect_for(SLICE("vertex"), &others, &dialect_gemini) == d && dialect_for(SLICE("vertex"), NULL, NULL) == d);
    EXPECT(dialect_for(SLICE("gemini"), &anthropics, d) == &dialect_gemini);
}

/* What answers in one API alone is asked in it by everybody, where the account has both. */
static void some_models_answer_in_one_api_alone(void)
{
    struct traits responders = {.responses = RESPONSES_ALONE}, others = {0};
    static const struct slice both[] = {{"openai", 6}, {"azure", 5}};
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        EXPECT(dialect_for(both[i], &responders, NULL) == &dialect_responses);
        EXPECT(dialect_for(both[i], &responders, d) == &dialect_responses);
        EXPECT(dialect_for(both[i], &responders, &dialect_anthropic) == &dialect_responses);
        EXPECT(dialect_for(both[i], &others, &dialect_anthropic) == d);
    }
    EXPECT(dialect_for(SLICE("openai_compatible"), &responders, &dialect_anthropic) == d);
    EXPECT(dialect_for(SLICE("openai_responses"), &others, d) == &dialect_responses);
    EXPECT(dialect_for(SLICE("openai_responses"), NULL, NULL) == &dialect_responses);
}

/* Others' clients are asked for what only one of the two APIs does. */
static void some_models_answer_others_better_in_one_api(void)
{
    struct traits better = {.responses = RESPONSES_TRANSLATED};
    EXPECT(dialect_for(SLICE("openai"), &better, &dialect_anthropic) == &dialect_responses);
    EXPECT(dialect_for(SLICE("openai"), &better, &dialect_gemini) == &dialect_responses);
    EXPECT(dialect_for(SLICE("openai"), &better, d) == d);
    EXPECT(dialect_for(SLICE("openai"), &better, &dialect_responses) == &dialect_responses);
    EXPECT(dialect_for(SLICE("azure"), &better, &dialect_anthropic) == d);
    EXPECT(dialect_for(SLICE("openai_compatible"), &better, &dialect_anthropic) == d);
}

int main(void)
{
    RUN(kinds_and_paths);
    RUN(hosts_speak_by_the_model);
    RUN(some_models_answer_in_one_api_alone);
    RUN(some_models_answer_others_better_in_one_api);
    return unit_close("dialect_kinds");
}
