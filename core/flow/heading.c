#include "flow/heading.h"

static struct slice value_of(const struct fetch_head *head, struct slice name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (slice_iequal(head->headers[i].name, name)) return head->headers[i].value;
    }
    return SLICE_NONE;
}

/* 0: it is not said, or is no number that could be one. */
static int64_t tokens_of(const struct fetch_head *head, struct slice name)
{
    uint64_t tokens;
    bool is_said = slice_to_u64(value_of(head, name), &tokens) && tokens <= (uint64_t)USAGE_TOKENS_MAX;
    return is_said ? (int64_t)tokens : 0;
}

struct relay_head heading_read(const struct fetch_head *head, struct arena *arena)
{
    return (struct relay_head){
        .status = head->status,
        .content_type = arena_copy(arena, value_of(head, SLICE("content-type"))),
        .content_encoding = arena_copy(arena, value_of(head, SLICE("content-encoding"))),
        .error_type = arena_copy(arena, value_of(head, SLICE("x-amzn-errortype"))),
        .input_tokens = tokens_of(head, SLICE("x-amzn-bedrock-input-token-count")),
        .output_tokens = tokens_of(head, SLICE("x-amzn-bedrock-output-token-count")),
    };
}
