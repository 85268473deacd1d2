#include "cli/replayed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/cli.h"
#include "wire/json.h"

#define NAME_BYTES 160
#define SAMPLES 5       /* shown where nothing is listed */
#define SHOWN_NAMES 4   /* of a line */

static const char *const words[REPLAY_OUTCOMES] = {
    [REPLAY_SAME] = "same",       [REPLAY_DENIED] = "newly_denied", [REPLAY_ALLOWED] = "newly_allowed",
    [REPLAY_REROUTED] = "rerouted", [REPLAY_CHANGED] = "changed",   [REPLAY_UNKNOWN] = "not_replayable",
    [REPLAY_NONE] = "undecided"};

/* How often each of a few names came. */
struct tally {
    struct {
        char name[NAME_BYTES];
        uint64_t count;
    } names[REPLAYED_NAMES];
    size_t count;
    uint64_t others;
};

struct replayed {
    int only;
    bool is_json, has_items;
    uint64_t counts[REPLAY_OUTCOMES], all;
    uint64_t would_be[REPLAY_OUTCOMES]; /* of those that are not replayable */
    struct tally who[REPLAY_OUTCOMES], what[REPLAY_OUTCOMES];
    int64_t nano_was, nano_is;
    uint64_t priced;
    unsigned samples;
    char sample[SAMPLES][3 * NAME_BYTES + 64];
};

int replayed_kind(const char *word)
{
    for (int i = 0; i < REPLAY_OUTCOMES; i++)
        if (strcmp(word, words[i]) == 0) return i;
    return -2;
}

const char *replayed_kinds(void)
{
    return "same, newly_denied, newly_allowed, rerouted, changed, not_replayable, undecided";
}

struct replayed *replayed_new(int only, bool is_json)
{
    struct replayed *sums = mem_zalloc(1, sizeof *sums);
    sums->only = only;
    sums->is_json = is_json;
    if (is_json) fputs("{\"items\":[", stdout);
    return sums;
}

uint64_t replayed_count(const struct replayed *sums)
{
    return sums->all;
}

/* ---- What one of them is called by. */

static void count(struct tally *tally, const char *name)
{
    size_t i = 0;
    while (i < tally->count && strcmp(tally->names[i].name, name) != 0)
        i++;
    if (i == REPLAYED_NAMES) {
        tally->others++;
        return;
    }
    if (i == tally->count) snprintf(tally->names[tally->count++].name, NAME_BYTES, "%s", name);
    tally->names[i].count++;
}

static uint32_t at(const struct json_tape *tape, uint32_t object, const char *name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(tape, object, slice_str(name));
}

static struct slice text(const struct json_tape *tape, uint32_t node, struct arena *arena)
{
    return json_is(tape, node, JSON_STRING) ? json_text(tape, node, arena) : SLICE("");
}

/* "night/rule (policies/night.lua:9)" of a denial, with the place where the trace has it; "a policy failed". */
static void name_rule(const struct json_tape *tape, struct arena *arena, char to[NAME_BYTES])
{
    uint32_t decision = at(tape, 0, "decision"), trace = at(tape, 0, "trace"), place = JSON_NONE;
    struct slice policy = text(tape, at(tape, decision, "policy"), arena);
    struct slice rule = text(tape, at(tape, decision, "rule"), arena);
    if (decision == JSON_NONE) {
        snprintf(to, NAME_BYTES, "a policy failed");
        return;
    }
    for (uint32_t e = trace == JSON_NONE ? trace : json_first(tape, trace); e != JSON_NONE; e = json_next(tape, e))
        if (json_text_is(tape, at(tape, e, "verb"), SLICE("deny"))) place = at(tape, e, "at");
    struct slice where = text(tape, place, arena);
    snprintf(to, NAME_BYTES, "%.*s%s%.*s%s%.*s%s", SLICE_FMT(policy), rule.len ? "/" : "", SLICE_FMT(rule),
             where.len ? " (" : "", SLICE_FMT(where), where.len ? ")" : "");
}

/* "allow openai/small", "deny 403_code" */
static void name_verdict(const struct json_tape *tape, struct arena *arena, char to[NAME_BYTES])
{
    uint32_t decided = at(tape, 0, "decided"), targets = at(tape, decided, "targets");
    struct slice kind = text(tape, at(tape, decided, "kind"), arena);
    uint32_t first = json_is(tape, targets, JSON_ARRAY) ? json_first(tape, targets) : JSON_NONE;
    struct slice name = text(tape, first, arena);
    if (!first || !name.len) name = text(tape, at(tape, at(tape, 0, "decision"), "code"), arena);
    snprintf(to, NAME_BYTES, "%.*s %.*s", SLICE_FMT(kind), SLICE_FMT(name));
}

/* The first of what is compared that differs: "targets", "trace[2]". */
static void name_difference(const struct replay_report *report, struct arena *arena, char to[NAME_BYTES])
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool ok = json_parse(&tape, report->differences, &why);
    struct slice what = ok ? text(&tape, at(&tape, json_first(&tape, 0), "what"), arena) : SLICE("");
    snprintf(to, NAME_BYTES, "%.*s", (int)(what.len > 5 && memcmp(what.ptr, "trace", 5) == 0 ? 5 : what.len), what.ptr);
    json_clear(&tape);
}

/* "openai/small" of a verdict. A record may be any text. */
static const char *target_of(const char verdict[NAME_BYTES])
{
    const char *space = strchr(verdict, ' ');
    return space ? space + 1 : "";
}

struct named {
    char who[NAME_BYTES], what[NAME_BYTES], was[NAME_BYTES], is[NAME_BYTES];
};

static void name_it(const struct json_tape *was, const struct json_tape *is, enum replay_outcome outcome,
                    const struct replay_report *report, struct arena *arena, struct named *to)
{
    uint32_t identity = at(was, 0, "identity");
    struct slice who = text(was, at(was, identity, "department"), arena);
    if (!who.len) who = text(was, at(was, identity, "app"), arena);
    snprintf(to->who, sizeof to->who, "%.*s", SLICE_FMT(who));
    name_verdict(was, arena, to->was);
    name_verdict(is, arena, to->is);
    to->what[0] = '\0';
    if (outcome == REPLAY_DENIED) name_rule(is, arena, to->what);
    if (outcome == REPLAY_ALLOWED) name_rule(was, arena, to->what);
    if (outcome == REPLAY_REROUTED)
        snprintf(to->what, sizeof to->what, "%.70s → %.70s", target_of(to->was), target_of(to->is));
    if (outcome == REPLAY_CHANGED) name_difference(report, arena, to->what);
}

/* ---- Listing. */

static void print_item(struct replayed *sums, struct slice id, struct slice time, enum replay_outcome outcome,
                       const struct replay_report *report, const struct named *named)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, sums->has_items ? SLICE(",\n{\"id\":") : SLICE("\n{\"id\":"));
    buf_append_json(&out, id);
    buf_append(&out, SLICE(",\"time\":"));
    buf_append_json(&out, time);
    buf_printf(&out, ",\"outcome\":\"%s\",\"who\":", words[outcome]);
    buf_append_json(&out, slice_str(named->who));
    buf_append(&out, SLICE(",\"was\":"));
    buf_append_json(&out, slice_str(named->was));
    buf_append(&out, SLICE(",\"is\":"));
    buf_append_json(&out, slice_str(named->is));
    buf_append(&out, SLICE(",\"differences\":"));
    buf_append(&out, report->differences);
    buf_append(&out, SLICE(",\"missing\":"));
    buf_append(&out, report->missing);
    if (report->reason) {
        buf_append(&out, SLICE(",\"reason\":"));
        buf_append_json(&out, slice_str(report->reason));
    }
    buf_append_char(&out, '}');
    sums->has_items = true;
    fwrite(buf_ptr(&out), 1, buf_len(&out), stdout);
    buf_clear(&out);
}

static void list(struct replayed *sums, const struct json_tape *was, struct arena *arena, enum replay_outcome outcome,
                 const struct replay_report *report, const struct named *named)
{
    struct slice id = text(was, at(was, 0, "id"), arena), time = text(was, at(was, 0, "time"), arena);
    bool differs = outcome > REPLAY_SAME && outcome < REPLAY_UNKNOWN;
    bool is_listed = sums->only == (int)outcome, is_sample = sums->only == REPLAYED_ALL && differs;
    if (is_sample && sums->samples >= SAMPLES) return;
    if (!is_listed && !is_sample) return;
    if (sums->is_json) print_item(sums, id, time, outcome, report, named);
    else if (is_listed)
        printf("%.*s  %.*s  %s  %s → %s  %s\n", SLICE_FMT(id), SLICE_FMT(time), named->who, named->was, named->is,
               named->what);
    else
        snprintf(sums->sample[sums->samples], sizeof sums->sample[0], "%.*s  %s → %s  %s", SLICE_FMT(id), named->was,
                 named->is, named->what);
    sums->samples += is_sample;
}

static void count_missing(struct replayed *sums, const struct replay_report *report, struct arena *arena)
{
    struct json_tape tape;
    struct fault why;
    char name[NAME_BYTES];
    json_init(&tape);
    if (json_parse(&tape, report->missing, &why)) {
        for (uint32_t node = json_first(&tape, 0); node != JSON_NONE; node = json_next(&tape, node)) {
            snprintf(name, sizeof name, "%.*s", SLICE_FMT(text(&tape, node, arena)));
            count(&sums->what[REPLAY_UNKNOWN], name);
        }
    }
    json_clear(&tape);
}

/* What its record and the decision of now say in full, which only those that are counted by name are read for. */
static void look_at(struct replayed *sums, struct slice record, enum replay_outcome outcome,
                    const struct replay_report *report)
{
    struct json_tape was, is;
    struct arena arena;
    struct fault why;
    struct named named;
    arena_init(&arena);
    json_init(&was);
    json_init(&is);
    if (json_parse(&was, record, &why)) {
        json_parse(&is, report->decision, &why);
        name_it(&was, &is, outcome, report, &arena, &named);
        if (named.who[0]) count(&sums->who[outcome], named.who);
        if (named.what[0]) count(&sums->what[outcome], named.what);
        list(sums, &was, &arena, outcome, report, &named);
    }
    if (outcome == REPLAY_UNKNOWN) count_missing(sums, report, &arena);
    if (outcome == REPLAY_NONE && report->reason) {
        const char *reason = strstr(report->reason, ": "); /* without the id */
        count(&sums->what[REPLAY_NONE], reason ? reason + 2 : report->reason);
    }
    json_clear(&is);
    json_clear(&was);
    arena_clear(&arena);
}

void replayed_add(struct replayed *sums, struct slice record, enum replay_outcome outcome,
                  const struct replay_report *report)
{
    sums->counts[outcome]++;
    sums->all++;
    if (outcome == REPLAY_UNKNOWN) sums->would_be[report->would_be]++;
    if (report->has_cost) {
        sums->nano_was += report->cost_was;
        sums->nano_is += report->cost_is;
        sums->priced++;
    }
    if (outcome != REPLAY_SAME || sums->only == REPLAY_SAME) look_at(sums, record, outcome, report);
}

/* ---- The sums. */

/* The most frequent first. */
static void print_tally(const struct tally *tally)
{
    bool is_shown[REPLAYED_NAMES] = {false};
    for (int shown = 0; shown < SHOWN_NAMES; shown++) {
        size_t best = REPLAYED_NAMES;
        for (size_t i = 0; i < tally->count; i++)
            if (!is_shown[i] && (best == REPLAYED_NAMES || tally->names[i].count > tally->names[best].count)) best = i;
        if (best == REPLAYED_NAMES) return;
        is_shown[best] = true;
        printf("%s%s %" PRIu64, shown ? ", " : "   ", tally->names[best].name, tally->names[best].count);
    }
    if (tally->count > SHOWN_NAMES || tally->others) fputs(", …", stdout);
}

static void print_would_be(const struct replayed *sums)
{
    uint64_t denied = sums->would_be[REPLAY_DENIED], allowed = sums->would_be[REPLAY_ALLOWED];
    if (denied || allowed)
        printf("  %-15s %11s   of them %" PRIu64 " denied and %" PRIu64 " let through, as far as can be told\n", "", "",
               denied, allowed);
}

static void print_line(const struct replayed *sums, const char *name, enum replay_outcome outcome)
{
    char number[AMOUNT_BYTES];
    if (!sums->counts[outcome] && outcome != REPLAY_SAME) return;
    printf("  %-15s %11s", name, amount_count((int64_t)sums->counts[outcome], number));
    if (outcome == REPLAY_DENIED || outcome == REPLAY_ALLOWED || outcome == REPLAY_REROUTED)
        print_tally(&sums->who[outcome]);
    if (outcome != REPLAY_SAME) print_tally(&sums->what[outcome]);
    putchar('\n');
}

static void print_cost(const struct replayed *sums)
{
    char usd[AMOUNT_BYTES];
    int64_t more = sums->nano_is - sums->nano_was;
    if (!sums->priced) return;
    printf("  %-15s %s%s   for the same tokens\n", "cost", more < 0 ? "−" : more > 0 ? "+" : "",
           more ? amount_usd(more < 0 ? -more : more, usd) : "the same");
}

static void print_text(const struct replayed *sums, double seconds)
{
    char number[AMOUNT_BYTES];
    printf("replay  %s decisions in %.1f s\n", amount_count((int64_t)sums->all, number), seconds);
    print_line(sums, "same", REPLAY_SAME);
    print_line(sums, "newly denied", REPLAY_DENIED);
    print_line(sums, "newly allowed", REPLAY_ALLOWED);
    print_line(sums, "re-routed", REPLAY_REROUTED);
    print_line(sums, "changed", REPLAY_CHANGED);
    print_line(sums, "not replayable", REPLAY_UNKNOWN);
    print_would_be(sums);
    print_line(sums, "not decided", REPLAY_NONE);
    print_cost(sums);
    for (unsigned i = 0; i < sums->samples; i++)
        printf("  %-15s %s\n", i ? "" : "sample", sums->sample[i]);
}

static void print_names(struct buf *out, const char *name, const struct tally *tally)
{
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < tally->count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append(out, SLICE("{\"name\":"));
        buf_append_json(out, slice_str(tally->names[i].name));
        buf_printf(out, ",\"n\":%" PRIu64 "}", tally->names[i].count);
    }
    buf_append_char(out, ']');
}

static void print_json(const struct replayed *sums, double seconds)
{
    struct buf out;
    buf_init(&out);
    buf_printf(&out, "],\n\"scanned\":%" PRIu64 ",\"seconds\":%.3f", sums->all, seconds);
    for (int i = 0; i < REPLAY_OUTCOMES; i++)
        buf_printf(&out, ",\"%s\":%" PRIu64, words[i], sums->counts[i]);
    buf_printf(&out, ",\"priced\":%" PRIu64 ",\"nano_usd_was\":%" PRId64 ",\"nano_usd_is\":%" PRId64, sums->priced,
               sums->nano_was, sums->nano_is);
    buf_printf(&out, ",\"perhaps_denied\":%" PRIu64 ",\"perhaps_allowed\":%" PRIu64, sums->would_be[REPLAY_DENIED],
               sums->would_be[REPLAY_ALLOWED]);
    print_names(&out, "denied_by", &sums->what[REPLAY_DENIED]);
    print_names(&out, "allowed_instead_of", &sums->what[REPLAY_ALLOWED]);
    print_names(&out, "ways", &sums->what[REPLAY_REROUTED]);
    print_names(&out, "reasons_not_replayable", &sums->what[REPLAY_UNKNOWN]);
    print_names(&out, "reasons_undecided", &sums->what[REPLAY_NONE]);
    buf_append(&out, SLICE("}\n"));
    fwrite(buf_ptr(&out), 1, buf_len(&out), stdout);
    buf_clear(&out);
}

int replayed_close(struct replayed *sums, double seconds, bool is_whole)
{
    const uint64_t *n = sums->counts;
    bool differs = n[REPLAY_DENIED] || n[REPLAY_ALLOWED] || n[REPLAY_REROUTED] || n[REPLAY_CHANGED];
    if (sums->is_json) print_json(sums, seconds);
    else if (is_whole && sums->only == REPLAYED_ALL) print_text(sums, seconds);
    mem_free(sums);
    return differs ? CLI_FOUND : CLI_OK;
}
