/* Where an account is asked: a url that is missing, and one at which its API hardly begins. */
#include <jansson.h>
#include <string.h>

#include "lua/servers.h"
#include "server/config_reader.h"
#include "server/kind.h"

/* Paths of calls: they are appended, and would stand there twice. */
static const char *const calls[] = {"/chat/completions", "/completions", "/responses", "/embeddings", "/messages",
                                    "/models",           "/converse",    "/invoke"};

static const char *call_at_end(struct slice url)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t n = strlen(calls[i]);
        if (url.len > n && memcmp(url.ptr + url.len - n, calls[i], n) == 0) return calls[i];
    }
    return NULL;
}

/* A server's, or the kind's. */
static struct slice example(const struct provider *p)
{
    const struct server *server = p->server.len ? servers_find(p->server) : NULL;
    return server && server->url.len ? server->url : slice_str(kind_url_example(p->kind));
}

/* "https://api.anthropic.com", where "/v1" is wanted. Of hosts that nobody knows it may be right. */
static bool lacks_path(struct slice url, struct slice whole)
{
    return url.len < whole.len && slice_starts(whole, url) && whole.ptr[url.len] == '/';
}

static void check_beginning(struct config_reader *r, struct slice path, const struct provider *p)
{
    struct slice place = config_join(r, path, "url");
    struct slice whole = example(p), like = arena_printf(r->arena, "as in \"%.*s\"", SLICE_FMT(whole));
    const char *call = call_at_end(p->url);
    if (call)
        config_warn(r, place, FINDING_ODD_ACCOUNT, like.ptr, "paths are appended to it, so that %s stands there twice",
                    call);
    else if (lacks_path(p->url, whole))
        config_warn(r, place, FINDING_ODD_ACCOUNT, like.ptr, "the API there begins at a path");
}

/* ---- Amazon's: "https://bedrock-runtime.us-east-1.amazonaws.com" says a region, too. */

static struct slice region_of(struct slice url)
{
    static const char name[] = "://bedrock-runtime.", domain[] = ".amazonaws.com";
    const char *at = memmem(url.ptr, url.len, name, sizeof name - 1);
    if (!at) return SLICE_NONE;
    const char *begin = at + sizeof name - 1;
    const char *end = memmem(begin, url.len - (size_t)(begin - url.ptr), domain, sizeof domain - 1);
    return end ? slice_of(begin, (size_t)(end - begin)) : SLICE_NONE;
}

static void check_amazon(struct config_reader *r, struct slice path, const struct provider *p, const json_t *table)
{
    struct slice region = region_of(p->url);
    bool is_proven = json_object_get(table, "key") || json_object_get(table, "access_key_id") || p->headers.len;
    if (region.len && p->region.len && !slice_equal(region, p->region))
        config_warn(r, config_join(r, path, "region"), FINDING_ODD_ACCOUNT, "the same in both",
                    "`url` says %.*s: Amazon refuses what is signed for another region", SLICE_FMT(region));
    if (memmem(p->url.ptr, p->url.len, "://bedrock.", 11))
        config_warn(r, config_join(r, path, "url"), FINDING_ODD_ACCOUNT,
                    "as in \"https://bedrock-runtime.us-east-1.amazonaws.com\"",
                    "models are asked at bedrock-runtime: bedrock manages them");
    if (!is_proven)
        config_warn(r, path, FINDING_ODD_ACCOUNT,
                    "add `access_key_id` and `secret_access_key`, or a Bedrock API key as `key`",
                    "nothing says who asks: a machine's or container's role is not read");
}

void config_check_url(struct config_reader *r, struct slice path, const struct provider *p, const json_t *table)
{
    bool is_there = json_object_get(table, "url") != NULL;
    if (!p->kind.len) return; /* which has been said */
    if (!is_there && !p->url.len) {
        struct slice cure = arena_printf(r->arena, "add url = \"%s\"", kind_url_example(p->kind));
        config_bad(r, path, FINDING_MISSING_FIELD, cure.ptr, "`url` is missing");
    }
    if (!is_there || !p->url.len) return;
    check_beginning(r, path, p);
    if (kind_takes_access_keys(p->kind)) check_amazon(r, path, p, table);
}
