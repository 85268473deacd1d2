#include "wire/reach.h"

#include "wire/http.h"
#include "wire/reach_inner.h"

static bool is_azure(struct slice kind)
{
    return slice_equal(kind, SLICE("azure"));
}

static bool is_bedrock(struct slice kind)
{
    return slice_equal(kind, SLICE("bedrock"));
}

bool reach_signs(struct slice kind)
{
    return is_bedrock(kind);
}

bool reach_sets(struct slice kind, struct slice header)
{
    struct slice prefix = SLICE("x-amz-");
    bool is_of_signature = header.len > prefix.len && slice_iequal(slice_of(header.ptr, prefix.len), prefix);
    return reach_signs(kind) && (is_of_signature || slice_iequal(header, SLICE("accept")));
}

bool reach_counts(struct slice kind)
{
    return !is_bedrock(kind);
}

/* The API that has OpenAI's own paths there: the body names the model. */
static bool is_azure_v1(struct slice url)
{
    struct slice end = SLICE("/openai/v1");
    return url.len >= end.len && slice_equal(slice_of(url.ptr + url.len - end.len, end.len), end);
}

bool reach_takes_version(struct slice kind)
{
    return is_azure(kind);
}

bool reach_needs_version(struct slice kind, struct slice url)
{
    return is_azure(kind) && !is_azure_v1(url);
}

struct dialect_header reach_token_header(void)
{
    return (struct dialect_header){SLICE("authorization"), SLICE("Bearer ")};
}

struct dialect_header reach_key_header(struct slice kind, const struct dialect *dialect)
{
    if (reach_is_vertex(kind)) return (struct dialect_header){SLICE("x-goog-api-key"), SLICE("")};
    if (is_bedrock(kind)) return (struct dialect_header){SLICE("authorization"), SLICE("Bearer ")};
    return is_azure(kind) ? (struct dialect_header){SLICE("api-key"), SLICE("")} : dialect->key_header;
}

static void write_azure(struct buf *out, const struct reach_ask *ask)
{
    if (!is_azure_v1(ask->url)) buf_append(out, SLICE("/openai"));
    if (!is_azure_v1(ask->url) && ask->dialect->has_deployments && chat_names_model(ask->asks)) {
        buf_append(out, SLICE("/deployments/"));
        http_encode_segment(out, ask->model);
    }
    buf_append(out, ask->place.len ? ask->place : slice_str(ask->dialect->path(ask->asks)));
    if (ask->version.len) {
        buf_append(out, SLICE("?api-version="));
        http_encode_segment(out, ask->version);
    }
}

/* Of kinds that have ways of their own. */
static bool has_own_url(struct slice kind)
{
    return is_azure(kind) || is_bedrock(kind) || reach_is_vertex(kind);
}

static void write_bedrock(struct buf *out, const struct reach_ask *ask)
{
    bool is_invoked = ask->dialect->hosting != NULL, is_stream = ask->request->is_stream;
    buf_append(out, SLICE("/model/"));
    http_encode_segment(out, ask->model);
    buf_append(out, is_invoked ? SLICE("/invoke") : SLICE("/converse"));
    if (is_stream) buf_append(out, is_invoked ? SLICE("-with-response-stream") : SLICE("-stream"));
}

static struct slice own_url(const struct reach_ask *ask, struct arena *arena)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, ask->url);
    if (is_azure(ask->kind))
        write_azure(&out, ask);
    else if (is_bedrock(ask->kind))
        write_bedrock(&out, ask);
    else
        reach_write_vertex(&out, ask, arena);
    struct slice url = arena_copy(arena, buf_slice(&out));
    buf_clear(&out);
    return url;
}

struct slice reach_url(const struct reach_ask *ask, struct arena *arena)
{
    const struct dialect *d = ask->dialect;
    if (has_own_url(ask->kind)) return own_url(ask, arena);
    if (ask->place.len) return arena_join(arena, ask->url, ask->place);
    return arena_join(arena, ask->url,
                      d->path_to ? d->path_to(ask->request, ask->model, arena) : slice_str(d->path(ask->asks)));
}
