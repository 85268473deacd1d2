/* Where accounts of Google's Vertex AI are asked. */
#include <string.h>

#include "wire/http.h"
#include "wire/reach_inner.h"
#include "wire/translate/traits.h"

bool reach_is_vertex(struct slice kind)
{
    return slice_equal(kind, SLICE("vertex"));
}

struct slice reach_scope(struct slice kind)
{
    return reach_is_vertex(kind) ? SLICE("https://www.googleapis.com/auth/cloud-platform") : SLICE("");
}

struct slice reach_vertex_url(struct slice location, struct arena *arena)
{
    bool is_global = !location.len || slice_equal(location, SLICE("global"));
    bool is_many = slice_equal(location, SLICE("eu")) || slice_equal(location, SLICE("us"));
    if (is_global) return SLICE("https://aiplatform.googleapis.com");
    if (is_many) return arena_printf(arena, "https://aiplatform.%.*s.rep.googleapis.com", SLICE_FMT(location));
    return arena_printf(arena, "https://%.*s-aiplatform.googleapis.com", SLICE_FMT(location));
}

/* "google/gemini-…", as Google's own API for clients of OpenAI calls its models, is that model of Google's. */
static struct slice bare_model(const struct reach_ask *ask)
{
    struct slice publisher = slice_str(ask->dialect->publisher), rest;
    bool has = slice_equal(slice_split(ask->model, '/', &rest), publisher) && rest.len;
    return has ? rest : ask->model;
}

/* Anthropic's own verbs are one of Google's; a count names its model in the body alone. */
static void write_raw(struct buf *out, const struct reach_ask *ask)
{
    buf_append(out, SLICE("/models/"));
    if (ask->asks == CHAT_COUNT)
        buf_append(out, SLICE("count-tokens"));
    else
        http_encode_segment(out, bare_model(ask));
    buf_append(out, ask->asks == CHAT_CHAT && ask->request->is_stream ? SLICE(":streamRawPredict")
                                                                      : SLICE(":rawPredict"));
}

void reach_write_vertex(struct buf *out, const struct reach_ask *ask, struct arena *arena)
{
    buf_append(out, SLICE("/v1"));
    if (ask->project.len)
        buf_printf(out, "/projects/%.*s/locations/%.*s", SLICE_FMT(ask->project), SLICE_FMT(ask->location));
    if (ask->dialect->publisher)
        buf_printf(out, "/publishers/%s", ask->dialect->publisher);
    else
        buf_printf(out, "/endpoints/openapi%s", ask->dialect->path(ask->asks));
    if (!ask->dialect->publisher) return;
    if (ask->dialect->path_to)
        buf_append(out, ask->dialect->path_to(ask->request, bare_model(ask), arena));
    else
        write_raw(out, ask);
}

/* Its embeddings are another API for many models (:predict), and one content at a time for the others. */
static const char *embeddings_lack(const struct reach_ask *ask)
{
    struct arena arena;
    if (ask->asks != CHAT_EMBEDDINGS) return NULL;
    if (ask->traits && ask->traits->predicts) return "Vertex AI embeds with this model by :predict alone";
    arena_init(&arena);
    struct slice path = ask->dialect->path_to(ask->request, ask->model, &arena);
    bool is_many = memmem(path.ptr, path.len, ":batch", 6) != NULL;
    arena_clear(&arena);
    return is_many ? "Vertex AI embeds one content at a time" : NULL;
}

const char *reach_lacks(const struct reach_ask *ask)
{
    if (!reach_is_vertex(ask->kind)) return NULL;
    if (ask->dialect->path_to) return embeddings_lack(ask);
    if (!ask->project.len) return "without a project Vertex AI has Google's models alone";
    if (!ask->dialect->publisher && ask->asks != CHAT_CHAT)
        return "Vertex AI takes chats alone for models of other publishers";
    return NULL;
}
