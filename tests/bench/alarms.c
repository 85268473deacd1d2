/*
 * Counts false alarms: texts of each kind that hold nobody's data, and what the detectors find in them all the same.
 *
 *     build/bench/alarms 100000 1 [show]         # texts, seed; show: each hit with what stands around it
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/wire/harmless.h"
#include "base/check.h"
#include "wire/look.h"

static unsigned found[HARMLESS_KINDS][DETECT_KINDS];
static unsigned kind;
static struct buf text;
static bool is_showing;

static size_t scan(const void *list, struct detect_state *at, struct slice piece, bool is_last, detect_hit_fn on_hit,
                   void *arg)
{
    return detect_scan(list, at, piece, is_last, on_hit, arg);
}

static void on_hit(void *arg, unsigned what, const struct sight_part *part)
{
    (void)arg;
    found[kind][what]++;
    if (!is_showing) return;
    size_t from = part->from < 20 ? 0 : (size_t)part->from - 20, len = (size_t)part->to + 10 - from;
    struct slice around = slice_of(buf_ptr(&text) + from, len < buf_len(&text) - from ? len : buf_len(&text) - from);
    printf("%s, %.*s: ", harmless_kinds[kind].name, SLICE_FMT(detect_kind_name(NULL, what)));
    for (size_t i = 0; i < around.len; i++)
        putchar((unsigned char)around.ptr[i] < ' ' ? '|' : around.ptr[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    unsigned long texts = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    struct harmless h = {.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
    struct fault why;
    struct detect *d = detect_new(DETECT_ALL, NULL, 0, &why);
    struct look look;
    uint64_t bytes[HARMLESS_KINDS] = {0};
    is_showing = argc > 3;
    buf_init(&text);
    for (unsigned long i = 0; i < texts; i++) {
        kind = (unsigned)(i % HARMLESS_KINDS);
        harmless_text(&h, kind, &text);
        bytes[kind] += buf_len(&text);
        look_begin(&look, buf_slice(&text));
        while (!look_is_done(&look))
            look_on(&look, 65536, scan, d, on_hit, NULL);
        look_end(&look);
    }
    printf("%-24s %8s %8s", "", "texts", "KB");
    for (unsigned k = 0; k < DETECT_KINDS; k++)
        printf(" %11.*s", SLICE_FMT(detect_kind_name(NULL, k)));
    for (unsigned i = 0; i < HARMLESS_KINDS; i++) {
        printf("\n%-24s %8lu %8lu", harmless_kinds[i].name, texts / HARMLESS_KINDS, (unsigned long)(bytes[i] / 1000));
        for (unsigned k = 0; k < DETECT_KINDS; k++)
            printf(" %11u", found[i][k]);
    }
    printf("\n");
    buf_clear(&text);
    detect_free(d);
    return 0;
}
