/*
 * A registry in a folder of its own, and calls of the admin API upon it.
 *
 *     open_all(); … ask(&local, "POST", "/people", "{…}", &answer); … close_all();
 */
#ifndef MOONGATE_TESTS_API_KIT_H
#define MOONGATE_TESTS_API_KIT_H

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit.h"

#include "admin/api/api.h"
#include "admin/api/body.h"
#include "admin/api/owner.h"
#include "admin/api/route.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/governance.h"
#include "store/provider_switches.h"
#include "store/registry/people.h"

static char dir[64];
static struct owner *owner;
static struct provider_switches switches;
static struct admin_api api;
static const struct api_caller local = {.kind = SLICE("human"),
                                        .login = SLICE("kim"),
                                        .name = SLICE("kim"),
                                        .via = SLICE("cli"),
                                        .is_local = true};

static void open_all(void)
{
    struct fault why;
    snprintf(dir, sizeof dir, "%s", "build/test_api.XXXXXX");
    if (!mkdtemp(dir)) exit(2);
    owner = owner_open(dir, 0, &why);
    if (!owner) {
        fprintf(stderr, "%s\n", fault_message(&why));
        exit(2);
    }
    memset(&switches, 0, sizeof switches);
    api = (struct admin_api){.registry = owner_registry(owner), .switches = &switches};
}

static void close_all(void)
{
    char command[96];
    owner_close(owner);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command) != 0) UNIT_FAIL("%s", command);
}

struct extra {
    const char *if_match, *once;
};

/* The status; *answer is the caller's. */
static int ask_with(const struct api_caller *by, const char *method, const char *path, const char *body,
                    const struct extra *extra, json_t **answer, int64_t *rev)
{
    struct api_call call;
    struct slice query, bare = slice_split(slice_str(path), '?', &query);
    struct api_ask ask = {.method = slice_str(method),
                          .path = bare,
                          .query = query,
                          .content_type = SLICE("application/json; charset=utf-8"),
                          .if_match = slice_str(extra ? extra->if_match : NULL),
                          .idempotency_key = slice_str(extra ? extra->once : NULL),
                          .has_body = body != NULL};
    api_call_init(&call, &api, by);
    if (api_begin(&call, &ask)) api_run(&call, slice_str(body));
    int status = call.answer.status;
    if (rev) *rev = call.answer.rev;
    *answer = json_incref(call.answer.body);
    api_call_clear(&call);
    return status;
}

static inline int ask(const struct api_caller *by, const char *method, const char *path, const char *body, json_t **answer)
{
    return ask_with(by, method, path, body, NULL, answer, NULL);
}

static const char *code_of(const json_t *answer)
{
    const char *code = json_string_value(json_object_get(json_object_get(answer, "error"), "code"));
    return code ? code : "";
}

static inline const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text ? text : "";
}

static inline void expect(int status, const char *code, const struct api_caller *by, const char *method, const char *path,
                   const char *body)
{
    json_t *answer;
    int got = ask(by, method, path, body, &answer);
    if (got != status || strcmp(code, code_of(answer)) != 0)
        UNIT_FAIL("%s %s: expected %d %s, got %d %s", method, path, status, code, got, code_of(answer));
    json_decref(answer);
}

#endif
