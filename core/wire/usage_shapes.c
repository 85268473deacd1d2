#include "wire/usage_shapes.h"

#define AT(field) offsetof(struct usage, field)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Objects inside of a usage object, by number. */
enum { ITSELF, PROMPT, INPUTS, INPUT, INPUT_CACHED, PROMPT_CREATED,
       COMPLETION, OUTPUTS, OUTPUT, TOOLS, SERVER, OPENAI_OBJECTS };
static const struct usage_inner openai_objects[] = {
    [PROMPT] = {ITSELF, "prompt_tokens_details"},
    [INPUTS] = {ITSELF, "input_tokens_details"},
    [INPUT] = {ITSELF, "input_token_details"},
    [INPUT_CACHED] = {INPUT, "cached_tokens_details"},
    [PROMPT_CREATED] = {PROMPT, "cache_creation"},
    [COMPLETION] = {ITSELF, "completion_tokens_details"},
    [OUTPUTS] = {ITSELF, "output_tokens_details"},
    [OUTPUT] = {ITSELF, "output_token_details"},
    [TOOLS] = {ITSELF, "server_side_tool_usage_details"},
    [SERVER] = {ITSELF, "server_tool_use"},
};
_Static_assert(OPENAI_OBJECTS <= USAGE_OBJECTS_MAX, "usage.c looks each up once");

/* Chat, completions and embeddings; the Responses API, whose names occur in compatible chats too; the singular "detail"
 * of transcriptions; DeepSeek's hit and Moonshot's cached_tokens; DashScope's and some proxies' names of Anthropic's
 * caches; xAI's server-side tools, and Anthropic's as proxies pass them on; Cohere's searches of a rerank. */
static const struct usage_member openai_members[] = {
    {AT(input_tokens), ITSELF, "prompt_tokens"},
    {AT(input_tokens), ITSELF, "input_tokens"},
    {AT(output_tokens), ITSELF, "completion_tokens"},
    {AT(output_tokens), ITSELF, "output_tokens"},
    {AT(total_tokens), ITSELF, "total_tokens"},
    {AT(cached_tokens), PROMPT, "cached_tokens"},
    {AT(cached_tokens), INPUTS, "cached_tokens"},
    {AT(cached_tokens), INPUT, "cached_tokens"},
    {AT(cached_tokens), ITSELF, "prompt_cache_hit_tokens"},
    {AT(cached_tokens), ITSELF, "cached_tokens"},
    {AT(cached_tokens), ITSELF, "cache_read_input_tokens"},
    {AT(cached_audio_tokens), INPUT_CACHED, "audio_tokens"},
    {AT(cached_image_tokens), INPUT_CACHED, "image_tokens"},
    {AT(cache_write_tokens), PROMPT, "cache_write_tokens"},
    {AT(cache_write_tokens), INPUTS, "cache_write_tokens"},
    {AT(cache_write_tokens), PROMPT, "cache_creation_input_tokens"},
    {AT(cache_write_tokens), PROMPT, "cache_creation_tokens"},
    {AT(cache_write_tokens), ITSELF, "cache_creation_input_tokens"},
    {AT(cache_write_5m_tokens), PROMPT_CREATED, "ephemeral_5m_input_tokens"},
    {AT(cache_write_1h_tokens), PROMPT_CREATED, "ephemeral_1h_input_tokens"},
    {AT(audio_input_tokens), PROMPT, "audio_tokens"},
    {AT(audio_input_tokens), INPUTS, "audio_tokens"},
    {AT(audio_input_tokens), INPUT, "audio_tokens"},
    {AT(image_input_tokens), PROMPT, "image_tokens"},
    {AT(image_input_tokens), INPUTS, "image_tokens"},
    {AT(image_input_tokens), INPUT, "image_tokens"},
    {AT(video_input_tokens), PROMPT, "video_tokens"},
    {AT(reasoning_tokens), COMPLETION, "reasoning_tokens"},
    {AT(reasoning_tokens), OUTPUTS, "reasoning_tokens"},
    {AT(audio_output_tokens), COMPLETION, "audio_tokens"},
    {AT(audio_output_tokens), OUTPUTS, "audio_tokens"},
    {AT(audio_output_tokens), OUTPUT, "audio_tokens"},
    {AT(image_output_tokens), COMPLETION, "image_tokens"},
    {AT(image_output_tokens), OUTPUTS, "image_tokens"},
    {AT(images), TOOLS, "image_generation_calls"},
    {AT(web_searches), TOOLS, "web_search_calls"},
    {AT(web_searches), SERVER, "web_search_requests"},
    {AT(web_searches), ITSELF, "search_units"},
    {AT(x_searches), TOOLS, "x_search_calls"},
    {AT(file_searches), TOOLS, "file_search_calls"},
    {AT(code_runs), TOOLS, "code_interpreter_calls"},
};

enum { CREATION = 1, SPENT, SERVED };
static const struct usage_inner anthropic_objects[] = {
    [CREATION] = {ITSELF, "cache_creation"}, [SPENT] = {ITSELF, "output_tokens_details"},
    [SERVED] = {ITSELF, "server_tool_use"}};

/* Fetching pages costs nothing but their tokens. */
static const struct usage_member anthropic_members[] = {
    {AT(input_tokens), ITSELF, "input_tokens"},
    {AT(output_tokens), ITSELF, "output_tokens"},
    {AT(cached_tokens), ITSELF, "cache_read_input_tokens"},
    {AT(cache_write_tokens), ITSELF, "cache_creation_input_tokens"},
    {AT(cache_write_5m_tokens), CREATION, "ephemeral_5m_input_tokens"},
    {AT(cache_write_1h_tokens), CREATION, "ephemeral_1h_input_tokens"},
    {AT(reasoning_tokens), SPENT, "thinking_tokens"},
    {AT(web_searches), SERVED, "web_search_requests"},
    {AT(code_runs), SERVED, "code_execution_requests"},
};

/* response…: what the Live API calls the candidates. */
static const struct usage_member gemini_members[] = {
    {AT(input_tokens), ITSELF, "promptTokenCount"},
    {AT(output_tokens), ITSELF, "candidatesTokenCount"},
    {AT(output_tokens), ITSELF, "responseTokenCount"},
    {AT(total_tokens), ITSELF, "totalTokenCount"},
    {AT(cached_tokens), ITSELF, "cachedContentTokenCount"},
    {AT(tool_tokens), ITSELF, "toolUsePromptTokenCount"},
    {AT(reasoning_tokens), ITSELF, "thoughtsTokenCount"},
};

static const struct usage_modality gemini_modalities[] = {
    {"promptTokensDetails", AT(audio_input_tokens), AT(image_input_tokens), AT(video_input_tokens)},
    {"cacheTokensDetails", AT(cached_audio_tokens), AT(cached_image_tokens), AT(cached_image_tokens)},
    {"toolUsePromptTokensDetails", AT(tool_audio_tokens), AT(tool_image_tokens), AT(tool_image_tokens)},
    {"candidatesTokensDetails", AT(audio_output_tokens), AT(image_output_tokens), AT(image_output_tokens)},
    {"responseTokensDetails", AT(audio_output_tokens), AT(image_output_tokens), AT(image_output_tokens)},
};

static const struct usage_member converse_members[] = {
    {AT(input_tokens), ITSELF, "inputTokens"},
    {AT(output_tokens), ITSELF, "outputTokens"},
    {AT(total_tokens), ITSELF, "totalTokens"},
    {AT(cached_tokens), ITSELF, "cacheReadInputTokens"},
    {AT(cache_write_tokens), ITSELF, "cacheWriteInputTokens"},
};

/* Inside or beside, once for all. OpenAI itself counts cache and reasoning inside; xAI and Gemini's OpenAI mode leave
 * reasoning out of completion_tokens, some proxies the cache out of prompt_tokens: only their totals tell. */
static const struct usage_form forms[USAGE_SHAPES] = {
    [USAGE_SHAPE_OPENAI] = {.places = {"choices.usage", "x_groq.usage", "meta.billed_units", "usage"},
                            .tiers = {"service_tier"},
                            .objects = openai_objects,
                            .members = openai_members,
                            .member_count = COUNT(openai_members),
                            .cache = USAGE_BY_TOTAL,
                            .reasoning = USAGE_BY_TOTAL,
                            .has_all_by_total = true},
    [USAGE_SHAPE_RESPONSES] = {.places = {"response.usage", "usage"},
                               .tiers = {"response.service_tier", "service_tier"},
                               .objects = openai_objects,
                            .members = openai_members,
                               .member_count = COUNT(openai_members),
                               .cache = USAGE_BY_TOTAL,
                               .reasoning = USAGE_BY_TOTAL,
                               .has_all_by_total = true},
    [USAGE_SHAPE_ANTHROPIC] = {.places = {"message.usage", "usage"},
                               .tiers = {"message.usage.service_tier", "usage.service_tier"},
                               .speeds = {"message.usage.speed", "usage.speed"},
                               .geographies = {"message.usage.inference_geo", "usage.inference_geo"},
                               .objects = anthropic_objects,
                               .members = anthropic_members,
                               .member_count = COUNT(anthropic_members),
                               .iterations = "iterations",
                               .cache = USAGE_BESIDE,
                               .reasoning = USAGE_INSIDE},
    [USAGE_SHAPE_GEMINI] = {.places = {"usageMetadata"},
                            .tiers = {"usageMetadata.serviceTier", "usageMetadata.trafficType"},
                            .members = gemini_members,
                            .member_count = COUNT(gemini_members),
                            .modalities = gemini_modalities,
                            .modality_count = COUNT(gemini_modalities),
                            .cache = USAGE_INSIDE,
                            .reasoning = USAGE_BESIDE},
    [USAGE_SHAPE_CONVERSE] = {.places = {"usage"},
                              .tiers = {"serviceTier.type"},
                              .members = converse_members,
                              .member_count = COUNT(converse_members),
                              .lives = "cacheDetails",
                              .cache = USAGE_BESIDE,
                              .reasoning = USAGE_INSIDE},
};

const struct usage_form *usage_form(enum usage_shape shape)
{
    return &forms[shape];
}
