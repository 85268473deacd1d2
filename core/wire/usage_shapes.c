#include "wire/usage_shapes.h"

#define AT(field) offsetof(struct usage, field)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Chat, completions and embeddings; the Responses API, whose names occur in compatible chats too; the singular "detail"
 * of transcriptions; DeepSeek's hit and Moonshot's cached_tokens; xAI's server-side tools. */
static const struct usage_member openai_members[] = {
    {AT(input_tokens), "prompt_tokens"},
    {AT(input_tokens), "input_tokens"},
    {AT(output_tokens), "completion_tokens"},
    {AT(output_tokens), "output_tokens"},
    {AT(total_tokens), "total_tokens"},
    {AT(cached_tokens), "prompt_tokens_details.cached_tokens"},
    {AT(cached_tokens), "input_tokens_details.cached_tokens"},
    {AT(cached_tokens), "input_token_details.cached_tokens"},
    {AT(cached_tokens), "prompt_cache_hit_tokens"},
    {AT(cached_tokens), "cached_tokens"},
    {AT(cached_audio_tokens), "input_token_details.cached_tokens_details.audio_tokens"},
    {AT(cached_image_tokens), "input_token_details.cached_tokens_details.image_tokens"},
    {AT(cache_write_tokens), "prompt_tokens_details.cache_write_tokens"},
    {AT(cache_write_tokens), "input_tokens_details.cache_write_tokens"},
    {AT(audio_input_tokens), "prompt_tokens_details.audio_tokens"},
    {AT(audio_input_tokens), "input_tokens_details.audio_tokens"},
    {AT(audio_input_tokens), "input_token_details.audio_tokens"},
    {AT(image_input_tokens), "prompt_tokens_details.image_tokens"},
    {AT(image_input_tokens), "input_tokens_details.image_tokens"},
    {AT(image_input_tokens), "input_token_details.image_tokens"},
    {AT(video_input_tokens), "prompt_tokens_details.video_tokens"},
    {AT(reasoning_tokens), "completion_tokens_details.reasoning_tokens"},
    {AT(reasoning_tokens), "output_tokens_details.reasoning_tokens"},
    {AT(audio_output_tokens), "completion_tokens_details.audio_tokens"},
    {AT(audio_output_tokens), "output_tokens_details.audio_tokens"},
    {AT(audio_output_tokens), "output_token_details.audio_tokens"},
    {AT(image_output_tokens), "completion_tokens_details.image_tokens"},
    {AT(image_output_tokens), "output_tokens_details.image_tokens"},
    {AT(images), "server_side_tool_usage_details.image_generation_calls"},
};

static const struct usage_member anthropic_members[] = {
    {AT(input_tokens), "input_tokens"},
    {AT(output_tokens), "output_tokens"},
    {AT(cached_tokens), "cache_read_input_tokens"},
    {AT(cache_write_tokens), "cache_creation_input_tokens"},
    {AT(cache_write_5m_tokens), "cache_creation.ephemeral_5m_input_tokens"},
    {AT(cache_write_1h_tokens), "cache_creation.ephemeral_1h_input_tokens"},
    {AT(reasoning_tokens), "output_tokens_details.thinking_tokens"},
};

/* response…: what the Live API calls the candidates. */
static const struct usage_member gemini_members[] = {
    {AT(input_tokens), "promptTokenCount"},
    {AT(output_tokens), "candidatesTokenCount"},
    {AT(output_tokens), "responseTokenCount"},
    {AT(total_tokens), "totalTokenCount"},
    {AT(cached_tokens), "cachedContentTokenCount"},
    {AT(tool_tokens), "toolUsePromptTokenCount"},
    {AT(reasoning_tokens), "thoughtsTokenCount"},
};

static const struct usage_modality gemini_modalities[] = {
    {"promptTokensDetails", AT(audio_input_tokens), AT(image_input_tokens), AT(video_input_tokens)},
    {"cacheTokensDetails", AT(cached_audio_tokens), AT(cached_image_tokens), AT(cached_image_tokens)},
    {"toolUsePromptTokensDetails", AT(tool_audio_tokens), AT(tool_image_tokens), AT(tool_image_tokens)},
    {"candidatesTokensDetails", AT(audio_output_tokens), AT(image_output_tokens), AT(image_output_tokens)},
    {"responseTokensDetails", AT(audio_output_tokens), AT(image_output_tokens), AT(image_output_tokens)},
};

/* Inside or beside, once for all. OpenAI itself counts cache and reasoning inside; xAI and Gemini's OpenAI mode leave
 * reasoning out of completion_tokens, some proxies the cache out of prompt_tokens: only their totals tell. */
static const struct usage_form forms[USAGE_SHAPES] = {
    [USAGE_SHAPE_OPENAI] = {.places = {"x_groq.usage", "usage"},
                            .tiers = {"service_tier"},
                            .members = openai_members,
                            .member_count = COUNT(openai_members),
                            .cache = USAGE_BY_TOTAL,
                            .reasoning = USAGE_BY_TOTAL,
                            .has_all_by_total = true},
    [USAGE_SHAPE_RESPONSES] = {.places = {"response.usage", "usage"},
                               .tiers = {"response.service_tier", "service_tier"},
                               .members = openai_members,
                               .member_count = COUNT(openai_members),
                               .cache = USAGE_BY_TOTAL,
                               .reasoning = USAGE_BY_TOTAL,
                               .has_all_by_total = true},
    [USAGE_SHAPE_ANTHROPIC] = {.places = {"message.usage", "usage"},
                               .tiers = {"message.usage.service_tier", "usage.service_tier"},
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
};

const struct usage_form *usage_form(enum usage_shape shape)
{
    return &forms[shape];
}
