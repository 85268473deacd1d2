#include "flow/fill.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "flow/job.h"
#include "store/prompts.h"
#include "wire/filled/filled.h"

/* Is it a chat, whose messages a prompt may write? */
static bool takes_prompts(const struct exchange *x)
{
    return x->api->kind == API_CALL && x->api->asks == CHAT_CHAT;
}

static struct slice app_of(const struct exchange *x)
{
    return x->identity.key ? x->identity.key->app : SLICE_NONE;
}

/* Who draws from shares: the same one always gets the same. */
static struct slice caller_of(const struct exchange *x)
{
    const struct key_record *key = x->identity.key;
    if (!key) return x->head.peer;
    return key->user.len ? key->user : key->id;
}

static bool refuse(struct fault *why, enum fault_code code, const char *param, const struct filled_asked *asked,
                   const char *what)
{
    fault_set(why, code, "prompt %.*s%s%.*s: %s", SLICE_FMT(asked->name), asked->version.len ? "@" : "",
              SLICE_FMT(asked->version), what);
    return fault_at(why, param);
}

static bool find(struct job *job, const struct filled_asked *asked, struct prompts_hit *hit, struct fault *why)
{
    struct prompts_asked wanted = {.name = asked->name, .version = asked->version, .caller = caller_of(job->x)};
    const char *version = asked->is_by_header ? "x-moongate-prompt" : "prompt.version";
    const char *name = asked->is_by_header ? "x-moongate-prompt" : "prompt.id";
    switch (prompts_find(job->flow->parts.prompts, &wanted, hit)) {
    case PROMPTS_FOUND: return true;
    case PROMPTS_NO_NAME: return refuse(why, FAULT_PROMPT_NOT_FOUND, name, asked, "there is none of that name");
    case PROMPTS_NO_VERSION:
        return refuse(why, FAULT_PROMPT_NOT_FOUND, version, asked, "there is no approved version of that number");
    case PROMPTS_NO_LABEL:
        return refuse(why, FAULT_PROMPT_NOT_FOUND, version, asked, "no version has that label, or is in production");
    case PROMPTS_NOT_APPROVED: return refuse(why, FAULT_PROMPT_NOT_APPROVED, version, asked, "it is not approved");
    case PROMPTS_REVOKED: return refuse(why, FAULT_PROMPT_REVOKED, version, asked, "it was revoked");
    case PROMPTS_BAD_VERSION:
        return refuse(why, FAULT_PROMPT_INVALID, version, asked,
                      "a version is numbers, \"2.1.0\", \"2.1\", \"2\", or a label, \"@production\"");
    }
    return false;
}

static struct slice names_given(struct exchange *x, const struct filled *f)
{
    struct buf list;
    uint32_t given = f->asked->variables;
    buf_init(&list);
    buf_append_char(&list, '[');
    bool is_object = json_is(f->tape, given, JSON_OBJECT);
    for (uint32_t n = is_object ? json_first(f->tape, given) : JSON_NONE; n != JSON_NONE; n = json_next(f->tape, n)) {
        if (n != json_first(f->tape, given)) buf_append_char(&list, ',');
        buf_append_json(&list, json_key_text(f->tape, n, &x->arena));
    }
    buf_append_char(&list, ']');
    struct slice text = arena_copy(&x->arena, buf_slice(&list));
    buf_clear(&list);
    return text;
}

static void keep(struct exchange *x, const struct filled *f, const struct prompts_hit *hit, bool is_verified)
{
    char version[SEMVER_BYTES], sha256[2 * PROMPT_SHA256_BYTES + 1];
    struct arena *arena = &x->arena;
    semver_write(hit->prompt.version, version);
    hex_write(hit->prompt.sha256, PROMPT_SHA256_BYTES, sha256);
    x->prompted = (struct prompted){
        .name = arena_copy(arena, hit->name),
        .version = arena_copy(arena, slice_str(version)),
        .sha256 = arena_copy(arena, slice_of(sha256, 2 * PROMPT_SHA256_BYTES)),
        .status = slice_str(prompt_status_name(hit->status)),
        .label = arena_copy(arena, hit->label),
        .data = arena_copy(arena, hit->prompt.data),
        .shown = arena_printf(arena, "%.*s@%s", SLICE_FMT(hit->name), version),
        .share = hit->share,
        .variables = names_given(x, f),
        .bytes = f->value_bytes,
        .is_verified = is_verified,
    };
}

/* Another body in place of the one that came. */
static void put_body(struct exchange *x, struct buf *body)
{
    buf_clear(&x->body);
    x->body = *body;
    buf_init(body);
}

/* The reverse of what was asked for: only a look for what is the gateway's own, and not the provider's. */
static void cut_members(struct exchange *x, const struct filled_asked *asked)
{
    struct splice edits;
    struct buf body;
    buf_init(&body);
    splice_init(&edits, &x->request.tape, buf_slice(&x->body), &x->arena);
    filled_cut(asked, &edits);
    splice_apply(&edits, &body);
    put_body(x, &body);
    buf_clear(&body);
}

/* The new body's tape, and on it what guards take for a caller's own words. */
static bool read_filled(struct exchange *x, const struct filled *f, struct fault *why)
{
    uint32_t nodes[FILLED_HOLES_MAX];
    if (!json_parse(&x->request.tape, buf_slice(&x->body), why)) return false;
    uint32_t count = filled_holes(f, nodes);
    x->request.hole_count = count;
    if (!count) return true;
    x->request.holes = arena_alloc(&x->arena, count * sizeof *nodes);
    memcpy(x->request.holes, nodes, count * sizeof *nodes);
    return true;
}

static bool write(struct job *job, const struct filled_asked *asked, struct slice *model, struct fault *why)
{
    struct exchange *x = job->x;
    struct prompts_hit hit;
    struct buf body;
    if (!find(job, asked, &hit, why)) return false;
    if (!prompt_serves(&hit.prompt, app_of(x)))
        return refuse(why, FAULT_PROMPT_NOT_ALLOWED, "prompt.id", asked, "it is not for this app");
    struct filled f = {.prompt = &hit.prompt, .asked = asked, .dialect = x->api->client, .tape = &x->request.tape,
                       .body = buf_slice(&x->body), .arena = &x->arena, .model = *model, .why = why};
    bool is_verified = filled_is_verified(&f);
    buf_init(&body);
    bool is_good = is_verified ? filled_verify(&f, &body) : filled_write(&f, &body);
    if (is_good) {
        keep(x, &f, &hit, is_verified);
        put_body(x, &body);
        if (model->len) *model = f.model;
    }
    buf_clear(&body);
    return is_good && read_filled(x, &f, why);
}

bool fill(struct job *job, struct slice *model, bool *is_indexed, struct fault *why)
{
    struct exchange *x = job->x;
    struct filled_asked asked;
    *is_indexed = takes_prompts(x);
    if (!*is_indexed) return true;
    if (!json_parse(&x->request.tape, buf_slice(&x->body), why)) return false;
    if (!filled_ask(&x->request.tape, x->api->client, exchange_header(x, FILL_HEADER), &x->arena, &asked, why))
        return false;
    if (!asked.is_asked && !asked.has_members) return true;
    if (asked.is_asked) return write(job, &asked, model, why);
    cut_members(x, &asked);
    return json_parse(&x->request.tape, buf_slice(&x->body), why);
}
