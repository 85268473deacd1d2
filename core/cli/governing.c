#include "cli/governing.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/api/body.h"
#include "admin/api/owner.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/login.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/period.h"
#include "net/line_path.h"
#include "net/local_http.h"
#include "server/units.h"
#include "wire/http.h"

#define CONNECT_MS 3000u
#define OWNER_MS 5000u
#define OWNER_STEP_MS 200u

/* ---- Over the socket. */

static bool ask_gateway(const char *data_dir, const char *method, const char *path, const char *body,
                        struct governed *g)
{
    struct buf answer, url;
    struct fault why = {0};
    char login[LIMIT_LOGIN_BYTES + 1], header[LIMIT_LOGIN_BYTES + 32];
    login_caller(login);
    snprintf(header, sizeof header, "X-Moongate-Login: %s", login);
    buf_init(&answer);
    buf_init(&url);
    buf_printf(&url, API_BASE "%s", path);
    buf_append_char(&url, '\0');
    g->status = local_http_ask(&(struct local_http){data_dir, ADMIN_SOCKET, method, buf_ptr(&url), header, body},
                               &answer, &why);
    g->body = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
    if (buf_len(&answer)) explicit_bzero(buf_ptr(&answer), buf_len(&answer)); /* a new key may stand in it */
    buf_clear(&answer);
    buf_clear(&url);
    if (g->status && g->body) return true;
    cli_error(CLI_UNREACHABLE, "its log may say more", "the running gateway gave no answer: %s", fault_message(&why));
    return false;
}

/* ---- Without a gateway. */

static void run_here(const char *data_dir, struct registry *registry, const char *method, const char *path,
                     const char *body, struct governed *g)
{
    char login[LIMIT_LOGIN_BYTES + 1], own[LIMIT_LOGIN_BYTES + 1], host[65];
    struct admin_api api = {.registry = registry, .data_dir = data_dir};
    struct api_call call;
    struct slice query, bare = slice_split(slice_str(path), '?', &query);
    login_caller(login);
    login_of(getuid(), own);
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    struct api_caller by = {.kind = SLICE("human"),
                            .login = slice_str(own),
                            .name = slice_str(login),
                            .via = SLICE("cli"),
                            .host = slice_str(host),
                            .uid = getuid(),
                            .is_local = true};
    api_call_init(&call, &api, &by);
    if (api_begin(&call, &(struct api_ask){.method = slice_str(method),
                                           .path = bare,
                                           .query = query,
                                           .content_type = SLICE("application/json"),
                                           .if_match = SLICE("*"),
                                           .has_body = body != NULL}))
        api_run(&call, slice_str(body));
    g->status = call.answer.status;
    g->body = json_incref(call.answer.body);
    api_call_clear(&call);
}

/* ---- Which of both. */

static bool make_folder(const char *data_dir)
{
    if (mkdir(data_dir, 0700) == 0 || errno == EEXIST) return true;
    cli_error(CLI_USAGE, "-c names the configuration, which names the data folder", "%s: %s", data_dir,
              strerror(errno));
    return false;
}

static bool is_listening(const char *data_dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" ADMIN_SOCKET, data_dir);
    buf_append_char(&path, '\0');
    int fd = line_path_connect(buf_ptr(&path), CONNECT_MS);
    buf_clear(&path);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void drop_nulls(json_t *body)
{
    const char *name;
    void *next;
    json_t *value;
    json_object_foreach_safe (body, next, name, value)
        if (json_is_null(value)) json_object_del(body, name);
}

/* Whoever has the registry answers at the socket, or soon will: an admin process that is being replaced, another
 * command. */
static bool call(const char *data_dir, const char *method, const char *path, const char *body, struct governed *g)
{
    struct fault why = {0};
    if (!make_folder(data_dir)) return false;
    for (unsigned waited_ms = 0; waited_ms < OWNER_MS; waited_ms += OWNER_STEP_MS) {
        if (is_listening(data_dir)) return ask_gateway(data_dir, method, path, body, g);
        struct owner *owner = owner_open(data_dir, OWNER_STEP_MS, &why);
        if (!owner) continue;
        run_here(data_dir, owner_registry(owner), method, path, body, g);
        owner_close(owner);
        return true;
    }
    cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return false;
}

/* The next page of a list. False: there is none, or it was said why it did not come. */
static bool next_page(const char *data_dir, const char *path, const struct governed *g, struct governed *page)
{
    const char *cursor = json_string_value(json_object_get(g->body, "next"));
    if (!cursor) return false;
    struct buf format, to;
    buf_init(&format);
    buf_init(&to);
    buf_printf(&format, "%s%climit=500&cursor=%%s", path, strchr(path, '?') ? '&' : '?');
    buf_append_char(&format, '\0');
    *page = (struct governed){0};
    bool is_here = call(data_dir, "GET", governing_path(&to, buf_ptr(&format), cursor), NULL, page);
    buf_clear(&format);
    buf_clear(&to);
    return is_here;
}

/* A list comes in pages; who asks by a command wants all of it. */
static bool gather(const char *data_dir, const char *path, struct governed *g)
{
    struct governed page;
    while (g->status < 300 && json_is_string(json_object_get(g->body, "next"))) {
        if (!next_page(data_dir, path, g, &page)) return false;
        if (page.status < 300) {
            json_array_extend(json_object_get(g->body, "items"), json_object_get(page.body, "items"));
            json_object_set(g->body, "next", json_object_get(page.body, "next"));
            governing_end(&page);
        } else {
            governing_end(g);
            *g = page;
        }
    }
    return true;
}

bool governing_call(const char *data_dir, const char *method, const char *path, json_t *body, struct governed *g)
{
    *g = (struct governed){.told = REGISTER_ABSENT};
    drop_nulls(body);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    bool is_text = !body || text;
    json_decref(body);
    if (!is_text) return cli_usage_error(NULL, "what was said is not UTF-8") == CLI_OK;
    bool is_answered = call(data_dir, method, path, text, g);
    if (is_answered && strcmp(method, "GET") == 0) is_answered = gather(data_dir, path, g);
    if (is_answered && g->status < 300 && strcmp(method, "GET") != 0) g->told = register_tell(data_dir);
    mem_free(text);
    return is_answered;
}

void governing_end(struct governed *g)
{
    json_decref(g->body);
    g->body = NULL;
}

/* ---- What came of it. */

static const char *said(const struct governed *g, const char *name)
{
    return json_string_value(json_object_get(json_object_get(g->body, "error"), name));
}

const char *governing_message(const struct governed *g)
{
    const char *message = said(g, "message");
    return message ? message : "";
}

const char *governing_text(const struct governed *g, const char *name)
{
    const char *text = json_string_value(json_object_get(g->body, name));
    return text ? text : "";
}

int governing_refused(const struct governed *g)
{
    bool is_usage = g->status == 400 || g->status == 413 || g->status == 422;
    int code = is_usage ? CLI_USAGE : g->status == 404 ? CLI_FOUND : CLI_UNREACHABLE;
    return cli_error(code, said(g, "hint"), "%s", governing_message(g));
}

int governing_run(const struct common_options *common, const char *method, const char *path, json_t *body,
                  void (*print)(const json_t *answer))
{
    struct governed g;
    char *data_dir = folder_find(common->config);
    if (!data_dir) {
        json_decref(body);
        return CLI_USAGE;
    }
    bool is_answered = governing_call(data_dir, method, path, body, &g);
    int code = !is_answered ? CLI_UNREACHABLE : g.status >= 300 ? governing_refused(&g) : CLI_OK;
    if (code == CLI_OK && common->is_json) cli_print_json(json_incref(g.body));
    else if (code == CLI_OK && print) print(g.body);
    governing_end(&g);
    mem_free(data_dir);
    return code;
}

const char *governing_path(struct buf *to, const char *format, const char *id)
{
    struct buf segment;
    buf_init(&segment);
    buf_init(to);
    http_encode_segment(&segment, slice_str(id));
    const char *at = strstr(format, "%s");
    buf_append(to, slice_of(format, (size_t)(at - format)));
    buf_append(to, buf_slice(&segment));
    buf_append(to, slice_str(at + 2));
    buf_append_char(to, '\0');
    buf_clear(&segment);
    return buf_ptr(to);
}

json_t *governing_instant(const char *option, const char *text)
{
    uint64_t ms;
    int64_t us, now_us = (int64_t)(clock_wall_ns() / 1000);
    struct period_zone zone;
    if (!text) return json_null();
    period_zone_read(&zone, "UTC");
    if (units_duration(slice_str(text), &ms) && ms <= LIMIT_KEY_LIFE_MS) us = now_us + (int64_t)ms * 1000;
    else if (!period_instant(&zone, text, true, now_us, &us)) {
        cli_usage_error("write 12h, 30d, 2026-11-27 (UTC, all of that day) or 2026-11-27T18:00:00Z",
                        "%s: `%s` is no time", option, text);
        return NULL;
    }
    return instant_json(us / 1000000);
}
