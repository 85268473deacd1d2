#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "store/texts/texts.h"

#define ID_PREFIX_BYTES 4 /* "req_" */

struct wanted {
    char id[sizeof((struct ledger_row *)0)->id];
    uint8_t bits[UUID_BYTES];
    bool is_good;
};

static bool keep_id(void *arg, const struct ledger_row *row)
{
    struct wanted *w = arg;
    snprintf(w->id, sizeof w->id, "%s", row->id);
    w->is_good = strlen(w->id) > ID_PREFIX_BYTES && uuid_read(slice_str(w->id + ID_PREFIX_BYTES), w->bits);
    return true;
}

/* ---- One text. */

static const char *const states[] = {[TEXTS_FOUND] = "kept", [TEXTS_MISSING] = "not kept", [TEXTS_ERASED] = "erased",
                                     [TEXTS_DAMAGED] = "damaged: it is not what was sealed"};

static void add_json(json_t *all, struct slice part, enum texts_found found, const struct buf *text)
{
    char name[16];
    snprintf(name, sizeof name, "%.*s", SLICE_FMT(part));
    json_object_set_new(all, name, json_pack("{s:s, s:o*}", "state", found == TEXTS_DAMAGED ? "damaged" : states[found],
                                             "text", found == TEXTS_FOUND ? json_stringn(buf_ptr(text), buf_len(text))
                                                                          : NULL));
}

static void print_part(struct slice part, enum texts_found found, const struct buf *text)
{
    if (found == TEXTS_FOUND)
        printf("--- %.*s\n%.*s\n", SLICE_FMT(part), SLICE_FMT(buf_slice(text)));
    else
        printf("--- %.*s: %s\n", SLICE_FMT(part), states[found]);
}

/* False: it could not be looked for. *is_found: it was kept, and can be read. */
static bool show_part(struct ledger_read *l, struct texts *t, const struct wanted *w, struct slice part, json_t *all,
                      bool *is_found, struct fault *why)
{
    struct buf text;
    buf_init(&text);
    enum texts_found found = t ? texts_read(t, ledger_read_connection(l), w->bits, part, &text, why) : TEXTS_MISSING;
    if (found == TEXTS_FOUND) *is_found = true;
    if (found != TEXTS_FAILED && all) add_json(all, part, found, &text);
    if (found != TEXTS_FAILED && !all) print_part(part, found, &text);
    buf_clear(&text);
    return found != TEXTS_FAILED;
}

/* ---- The whole. */

static int show(struct ledger_read *l, struct texts *t, const struct wanted *w, bool is_json)
{
    struct fault why = {0};
    bool is_found = false;
    json_t *all = is_json ? json_pack("{s:s}", "id", w->id) : NULL;
    bool ok = show_part(l, t, w, TEXTS_PROMPT, all, &is_found, &why) &&
              show_part(l, t, w, TEXTS_ANSWER, all, &is_found, &why);
    if (ok && all)
        cli_print_json(all);
    else
        json_decref(all);
    if (!ok) return cli_fault(&why, NULL);
    return is_found ? CLI_OK : CLI_FOUND;
}

static int find(const char *data_dir, const char *id, bool is_json)
{
    struct fault why = {0};
    struct wanted w = {.is_good = false};
    struct ledger_read *l = ledger_read_open(data_dir, &why);
    int code = CLI_USAGE;
    if (!l || ledger_read_find(l, slice_str(id), keep_id, &w, &why) != LEDGER_FOUND) {
        cli_fault(&why, NULL);
    } else if (!w.is_good) {
        cli_usage_error(NULL, "%s is no request of this gateway", w.id);
    } else {
        struct texts *t = texts_open_reader(data_dir, &why);
        code = !t && *fault_message(&why) ? cli_fault(&why, NULL) : show(l, t, &w, is_json);
        texts_close(t);
    }
    ledger_read_close(l);
    return code;
}

int command_audit_text(int argc, char **argv)
{
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, NULL, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"audit", "text"});
    if (count == 0) return cli_usage_error("moongate audit text req_0199f3…", "say of which request");
    char *data_dir = folder_with_ledger(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = find(data_dir, id, common.is_json);
    mem_free(data_dir);
    return code;
}
