#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/approvals_inner.h"
#include "cli/ask.h"
#include "cli/folder.h"
#include "cli/reviews_inner.h"
#include "store/ledger/read.h"
#include "store/registry/reviews.h"

#define STATUS_MS 3000u

/* ---- The API. */

bool reviews_ask(const struct common_options *common, const char *method, const char *path, const char *id,
                 json_t *body, struct governed *g, int *code)
{
    struct buf to;
    char *data_dir = folder_find(common->config);
    *code = CLI_USAGE;
    if (!data_dir) {
        json_decref(body);
        return false;
    }
    bool is_answered = governing_call(data_dir, method, governing_path(&to, path, id), body, g);
    buf_clear(&to);
    mem_free(data_dir);
    *code = is_answered ? CLI_OK : CLI_UNREACHABLE;
    if (!is_answered || g->status < 300) return is_answered;
    const char *word = reviews_text(json_object_get(g->body, "error"), "code");
    if (common->is_json) cli_print_json(json_pack("{s:s}", "refused", word));
    *code = governing_refused(g);
    governing_end(g);
    return false;
}

const char *reviews_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

int64_t reviews_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void reviews_instant(const json_t *object, const char *name, char text[32])
{
    const char *whole = reviews_text(object, name);
    snprintf(text, 32, "%.10s%s%.5s", whole, whole[0] ? " " : "", strlen(whole) > 11 ? whole + 11 : "");
}

/* ---- What the policies allow. */

json_t *reviews_rows(const char *config)
{
    struct buf answer;
    buf_init(&answer);
    int code = ask_policies(&(struct ask){.config = config, .script = "reviewing"}, SLICE("{}"), &answer);
    json_t *said = code == CLI_OK ? json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL) : NULL;
    buf_clear(&answer);
    return said;
}

/* ---- What was used. */

static void add_to(json_t *facts, const struct ledger_usage *used)
{
    json_object_set_new(facts, "requests", json_integer(reviews_number(facts, "requests") + used->requests));
    json_object_set_new(facts, "cost_nano", json_integer(reviews_number(facts, "cost_nano") + used->cost_nano));
    if (used->last_s > reviews_number(facts, "last_at"))
        json_object_set_new(facts, "last_at", json_integer(used->last_s));
}

static json_t *member(json_t *all, struct slice name)
{
    json_t *one = json_object_getn(all, name.ptr, name.len);
    if (!one) json_object_setn_new(all, name.ptr, name.len, one = json_object());
    return one;
}

static bool is_said(const json_t *row, const char *name, struct slice value)
{
    const char *text = reviews_text(row, name);
    return strcmp(text, REVIEW_EVERYBODY) == 0 || slice_equal(slice_str(text), value);
}

/* A row that is for any counts all of its model, and who that was. */
static void on_model(void *arg, const struct ledger_usage *used)
{
    size_t i;
    json_t *row;
    json_array_foreach ((json_t *)arg, i, row) {
        if (!is_said(row, "department", used->department) || !is_said(row, "model", used->model)) continue;
        add_to(row, used);
        json_object_set_new(row, "users", json_integer(reviews_number(row, "users") + used->users));
        if (strcmp(reviews_text(row, "department"), REVIEW_EVERYBODY) != 0 || !used->department.len) continue;
        json_t *list = json_object_get(row, "used_by");
        if (!list) json_object_set_new(row, "used_by", list = json_array());
        json_array_append_new(list, json_stringn(used->department.ptr, used->department.len));
    }
}

static void on_key(void *arg, const struct ledger_usage *used)
{
    add_to(member(json_object_get(arg, "keys"), used->key_id), used);
}

static int rank(const char *data)
{
    static const char *const classes[] = {"public", "internal", "confidential", "restricted"};
    for (int i = 0; i < 4; i++)
        if (strcmp(data, classes[i]) == 0) return i + 1;
    return 0;
}

/* The sums of days have a key's requests; the requests, when the last was and the highest class of what was sent. */
static void on_request(void *arg, const struct ledger_usage *used)
{
    char data[32];
    snprintf(data, sizeof data, "%.*s", SLICE_FMT(used->data));
    if (used->key_id.len) {
        json_t *facts = member(json_object_get(arg, "keys"), used->key_id);
        if (rank(data) > rank(reviews_text(facts, "data"))) json_object_set_new(facts, "data", json_string(data));
        if (used->last_s > reviews_number(facts, "last_at"))
            json_object_set_new(facts, "last_at", json_integer(used->last_s));
    }
    if (used->grant.len) add_to(member(json_object_get(arg, "grants"), used->grant), used);
}

static int64_t day_of(int64_t at_s)
{
    struct tm at;
    time_t seconds = (time_t)at_s;
    gmtime_r(&seconds, &at);
    return (at.tm_year + 1900) * 10000ll + (at.tm_mon + 1) * 100 + at.tm_mday;
}

static bool read_usage(struct ledger_read *l, int64_t since_s, json_t *rows, json_t *usage, struct fault *why)
{
    uint64_t oldest, newest = 0;
    int64_t day = day_of(since_s);
    bool is_good = ledger_read_ends(l, &oldest, &newest, why) && ledger_read_used_models(l, day, on_model, rows, why) &&
                   ledger_read_used_keys(l, day, on_key, usage, why) &&
                   ledger_read_used_grants(l, since_s, on_request, usage, why);
    json_object_set_new(usage, "seq", json_integer((json_int_t)newest));
    return is_good;
}

/* Others' gateways of a fleet have ledgers of their own. */
json_t *reviews_usage(const char *data_dir, int64_t since_s, json_t *rows)
{
    struct fault why = {0};
    if (registry_is_shared()) {
        fprintf(stderr, "warning: what all gateways of the fleet were used for is not known here: nothing counts as "
                        "unused\n");
        return NULL;
    }
    json_t *usage = json_pack("{s:I, s:{}, s:{}}", "since_at", (json_int_t)since_s, "keys", "grants");
    struct ledger_read *l = ledger_read_open(data_dir, &why);
    bool is_good = l && read_usage(l, since_s, rows, usage, &why);
    ledger_read_close(l);
    if (is_good) return usage;
    fprintf(stderr, "warning: what was used is not known, and nothing counts as unused: %s\n", fault_message(&why));
    json_decref(usage);
    return NULL;
}

/* ---- What is in force. */

/* Where a gateway runs, it is what that has loaded. */
static bool is_loaded(const char *data_dir, const char *digest)
{
    char why[256];
    if (!cli_is_served(data_dir)) return true;
    json_t *status = cli_call(data_dir, "status", STATUS_MS, why, sizeof why);
    bool is_same = strcmp(reviews_text(status, "policies"), digest) == 0;
    json_decref(status);
    return is_same;
}

static bool enforce(const struct approvals *a, const char *id, const json_t *said)
{
    int64_t count;
    struct fault why = {0};
    const char *digest = reviews_text(said, "digest");
    if (!is_loaded(a->data_dir, digest)) return true;
    if (registry_review_in_force(a->registry, slice_str(id), json_object_get(said, "rows"), slice_str(digest), &a->by,
                                 &count, &why) == REGISTRY_FAILED)
        return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why)) == CLI_OK;
    return true;
}

bool reviews_settle(const struct common_options *common, const char *id)
{
    struct approvals a;
    struct fault why = {0};
    if (!approvals_open(&a, common->config, NULL, false)) return false;
    json_t *list = registry_reviews(a.registry, slice_str(id), a.now_s, &why);
    const json_t *one = json_array_get(list, 0);
    bool is_pending = reviews_number(one, "pending_rows") > 0 && strcmp(reviews_text(one, "state"), "complete") != 0;
    json_decref(list);
    json_t *said = is_pending ? reviews_rows(common->config) : NULL;
    bool is_good = !is_pending || (said && enforce(&a, id, said));
    json_decref(said);
    approvals_close(&a, CLI_OK);
    return is_good;
}
