/*
 * Our count of every recorded request beside its provider's, by family of models.
 *
 *     build/tokens/count_table [--all] FOLDER     the table; --all: every request in a line as well
 *
 * A row is a family and what its requests hold: text alone, tools and pictures too, or tools that the provider runs itself,
 * whose findings it counts as input and nobody else can.
 */
#include <inttypes.h>
#include <stdio.h>

#include "recorded.h"

#include "lua/counting.h"
#include "wire/count.h"

#define ROWS_MAX 256

static const char *const holds[] = {"text", "tools, pictures", "hosted tools"};

struct row {
    char family[64];
    unsigned holds, count, exact, within_1, within_5;
    double error_percent; /* sum of all */
    int64_t worst;
    char worst_id[64];
    bool is_exact;
};

struct table {
    struct row rows[ROWS_MAX];
    size_t count;
    bool is_all;
};

static struct row *row_of(struct table *t, const char *family, unsigned what)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->rows[i].family, family) == 0 && t->rows[i].holds == what) return &t->rows[i];
    }
    struct row *row = &t->rows[t->count < ROWS_MAX - 1 ? t->count++ : ROWS_MAX - 1];
    snprintf(row->family, sizeof row->family, "%s", family);
    row->holds = what;
    return row;
}

static void add(struct row *row, const char *id, int64_t off, uint64_t input_tokens)
{
    int64_t size = off < 0 ? -off : off;
    row->count++;
    row->exact += size == 0;
    row->within_1 += size <= 1;
    row->within_5 += size <= 5;
    row->error_percent += 100.0 * (double)size / (double)input_tokens;
    if (size < (row->worst < 0 ? -row->worst : row->worst)) return;
    row->worst = off;
    snprintf(row->worst_id, sizeof row->worst_id, "%s", id);
}

static void on_request(void *arg, const struct recorded *r)
{
    struct table *t = arg;
    const struct count_rules *rules = counting_find(slice_str(r->model));
    struct count *c = count_new(r->request, 1u << vocabulary_index(count_vocabulary(rules)), NULL);
    while (!count_step(c, UINT64_MAX))
        continue;
    struct count_total total = count_total(c, rules);
    bool is_plain = count_shares(c, rules).is_plain;
    unsigned what = r->has_hosted ? 2 : !is_plain;
    int64_t off = (int64_t)total.input_tokens - (int64_t)r->input_tokens;
    struct row *row = row_of(t, rules ? counting_family(rules) : "(no family)", what);
    row->is_exact = !total.is_estimated && !r->has_hosted;
    add(row, r->id, off, r->input_tokens);
    if (t->is_all) printf("%+6" PRId64 " of %6" PRIu64 "  %-36s %-26s %s\n", off, r->input_tokens, r->id, r->model, holds[what]);
    count_free(c);
}

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = strcmp(x->family, y->family);
    return order ? order : (int)x->holds - (int)y->holds;
}

static void print(struct table *t)
{
    qsort(t->rows, t->count, sizeof t->rows[0], compare);
    printf("%-24s %-16s %-9s %4s %6s %4s %4s %8s  %s\n", "family", "requests of", "we say", "n", "exact", "±1", "±5", "error %", "worst");
    for (size_t i = 0; i < t->count; i++) {
        const struct row *r = &t->rows[i];
        printf("%-24s %-16s %-9s %4u %6u %4u %4u %8.1f  %+" PRId64 " %s\n", r->family, holds[r->holds],
               r->is_exact ? "exact" : "estimated", r->count, r->exact, r->within_1, r->within_5, r->error_percent / r->count,
               r->worst, r->worst ? r->worst_id : "");
    }
}

int main(int argc, char **argv)
{
    static struct table table;
    table.is_all = argc == 3 && strcmp(argv[1], "--all") == 0;
    if (argc != 2 + table.is_all) {
        fprintf(stderr, "usage: count_table [--all] FOLDER\n");
        return 2;
    }
    if (!recorded_each(argv[argc - 1], on_request, &table)) {
        printf("there are no recordings in %s\n", argv[argc - 1]);
        return 0;
    }
    print(&table);
    return 0;
}
