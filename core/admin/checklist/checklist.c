#include "admin/checklist/checklist.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "admin/checklist/checklist_inner.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/ledger/evidence.h"
#include "store/registry/evidence.h"

/* ---- What is so. */

/* Of a part that could not be read. */
static json_t *closed(const char *trouble)
{
    return json_pack("{s:b, s:s}", "is_open", 0, "trouble", trouble ? trouble : "it is not there");
}

static json_t *opened(json_t *part)
{
    json_object_set_new(part, "is_open", json_true());
    return part;
}

static json_t *read_registry(const struct checklist_parts *p, int64_t since_s)
{
    struct fault why = {0};
    if (!p->registry) return closed(p->trouble);
    json_t *part = registry_evidence(p->registry, since_s, p->now_s, &why);
    return part ? opened(part) : closed(fault_message(&why));
}

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

/* The last account that was switched off, if one was. */
static void add_switch(struct ledger_evidence_ask *ask, const json_t *registry)
{
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(registry, "events"), i, event) {
        if (!slice_equal(text_of(event, "action"), SLICE("providers.disable"))) continue;
        int64_t back = json_integer_value(json_object_get(registry, "switched_back_at"));
        int64_t end = json_integer_value(json_object_get(json_object_get(event, "after"), "ends_at"));
        ask->switched = text_of(event, "object");
        ask->switched_s = json_integer_value(json_object_get(event, "at"));
        ask->switched_until_s = back > ask->switched_s ? back : ask->now_s;
        if (end > 0 && end < ask->switched_until_s) ask->switched_until_s = end;
    }
}

static json_t *read_ledger(const struct checklist_parts *p, int64_t since_s, const json_t *registry)
{
    struct fault why = {0};
    struct ledger_evidence_ask ask = {.since_s = since_s, .now_s = p->now_s};
    struct ledger_read *l = ledger_read_open(p->data_dir, &why);
    add_switch(&ask, registry);
    json_t *part = l ? ledger_evidence(l, &ask, &why) : NULL;
    ledger_read_close(l);
    if (part) return opened(part);
    char text[FAULT_TEXT_BYTES];
    snprintf(text, sizeof text, "%s", fault_message(&why));
    text[strcspn(text, "\n")] = '\0'; /* the cure stands behind it */
    return closed(text);
}

static json_t *state_of(const struct checklist_parts *p)
{
    int64_t since_s = p->since_s ? p->since_s : p->now_s - (int64_t)CHECKLIST_DAYS * CHECKLIST_DAY_S;
    json_t *registry = read_registry(p, since_s), *ledger = read_ledger(p, since_s, registry);
    return json_pack("{s:I, s:I, s:s%, s:b, s:O, s:O*, s:O*, s:O*, s:o, s:o}", "now", (json_int_t)p->now_s, "since",
                     (json_int_t)since_s, "gateway", p->gateway.len ? p->gateway.ptr : "moongate",
                     p->gateway.len ? p->gateway.len : strlen("moongate"), "is_fleet", p->is_fleet, "config", p->config,
                     "gate", p->gate, "nodes", p->nodes, "require", p->required, "registry", registry, "ledger",
                     ledger);
}

/* ---- What it comes to. */

static bool ask(struct policy_set *set, const char *script, json_t *question, struct buf *answer, int *code,
                struct fault *why)
{
    char *text = json_dumps(question, JSON_COMPACT);
    bool is_good = checklist_ask(set, script, slice_str(text), answer, code, why);
    mem_free(text);
    json_decref(question);
    return is_good;
}

/* As whoever checks it makes it: names sorted, no blanks. */
static void hash(const json_t *report, char hex[2 * SHA256_DIGEST_LENGTH + 1])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char *text = json_dumps(report, JSON_COMPACT | JSON_SORT_KEYS);
    SHA256((const uint8_t *)text, strlen(text), digest);
    hex_write(digest, sizeof digest, hex);
    mem_free(text);
}

json_t *checklist_new(struct policy_set *set, const struct checklist_parts *parts, bool *is_well, struct fault *why)
{
    int code = 1;
    struct buf answer;
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    json_t *report = NULL;
    buf_init(&answer);
    if (ask(set, "checklist", state_of(parts), &answer, &code, why)) {
        report = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
        if (!report) fault_set(why, FAULT_INTERNAL, "the checklist is no JSON");
    }
    buf_clear(&answer);
    if (!report) return NULL;
    *is_well = code == 0;
    hash(report, hex);
    return json_pack("{s:o, s:s}", "report", report, "sha256", hex);
}

json_t *checklist_fact(const json_t *report, struct slice id)
{
    size_t i;
    json_t *fact;
    json_array_foreach(json_object_get(json_object_get(report, "report"), "facts"), i, fact)
        if (slice_equal(text_of(fact, "id"), id)) return fact;
    return NULL;
}

bool checklist_write(struct policy_set *set, const json_t *report, struct slice format, struct buf *out,
                     struct fault *why)
{
    int code = 1;
    json_t *question = json_deep_copy(report);
    json_object_set_new(question, "format", json_stringn(format.ptr, format.len));
    return ask(set, "checklist_report", question, out, &code, why);
}
