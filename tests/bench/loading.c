/*
 * How long a worker's loop is held while a generation of policies is loaded and freed between its turns.
 *
 *     build/bench/loading shipped            # the shipped policies
 *     build/bench/loading access 1000        # an access matrix of so many rows, and their models
 *     build/bench/loading models 5000
 *     build/bench/loading rules 1000
 *     build/bench/loading words 4000         # a list of so many keywords
 *
 * Prints, for loading and for freeing: turns, milliseconds in all and those of the longest turn, by the wall's clock and
 * by the CPU's. Other work on the machine shows in the wall's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "exchange/settings.h"
#include "lua/bundle.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/loading.h"

struct meter {
    struct loop *loop;
    struct background background;
    struct policy_set *policies;
    unsigned turns;
    uint64_t began_ns, began_cpu_ns, mono_ns, cpu_ns, longest_ns, longest_cpu_ns;
};

/* ---- Bundles. */

static const char *const files[] = {"init.lua", "models.lua", "p.lua"};

static void write_models(struct buf *out, unsigned count)
{
    buf_append(out, SLICE("return models {\n"));
    for (unsigned i = 1; i <= count; i++)
        buf_printf(out,
                   "  [\"model-%u\"] = { targets = { \"openai/model-%u\" }, context = 128000, aliases = { \"m%u\" },\n"
                   "    price = usd_per_million { input = \"2.%02u\", output = \"%u.00\" } },\n",
                   i, i, i, i % 100, i % 50 + 1);
    buf_append(out, SLICE("}\n"));
}

static void write_access(struct buf *out, unsigned count)
{
    buf_append(out, SLICE("return access {\n  models = {\n"));
    for (unsigned i = 1; i <= count; i++)
        buf_printf(out, "    [\"model-%u\"] = { departments = { \"d%u\", \"sales\" }, data = \"internal\" },\n", i, i);
    buf_append(out, SLICE("  },\n  default = \"deny\",\n}\n"));
}

static void write_rules(struct buf *out, unsigned count)
{
    buf_append(out, SLICE("return policy {\n  rules = {\n"));
    for (unsigned i = 1; i <= count; i++)
        buf_printf(out, "    { \"rule-%u\", when = { department = \"d%u\", model = \"model-1\" }, deny = { 403, \"c\" } },\n",
                   i, i);
    buf_append(out, SLICE("  },\n}\n"));
}

static void write_words(struct buf *out, unsigned count)
{
    buf_append(out, SLICE("return policy {\n  rules = { { \"words\", deny = { 403, \"c\" }, when = { contains = {\n"));
    for (unsigned i = 1; i <= count; i++)
        buf_printf(out, "    \"some%u secret%u\",\n", i * 7919 % 10007, i);
    buf_append(out, SLICE("  } } } },\n}\n"));
}

static struct bundle *make_bundle(const char *kind, unsigned count, struct fault *why)
{
    struct buf models, policy;
    buf_init(&models);
    buf_init(&policy);
    bool is_rows = strcmp(kind, "access") == 0 || strcmp(kind, "models") == 0;
    write_models(&models, is_rows ? count : 1);
    if (is_rows)
        write_access(&policy, strcmp(kind, "access") == 0 ? count : 1);
    else if (strcmp(kind, "words") == 0)
        write_words(&policy, count);
    else
        write_rules(&policy, count);
    struct bundle_file list[] = {{slice_str(files[0]), SLICE("return chain { \"p\" }\n")},
                                 {slice_str(files[1]), buf_slice(&models)},
                                 {slice_str(files[2]), buf_slice(&policy)}};
    struct bundle *bundle = bundle_of(list, 3, why);
    buf_clear(&models);
    buf_clear(&policy);
    return bundle;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "turns: %s\n", what);
    exit(1);
}

static struct slice map_bundle(int argc, char **argv)
{
    struct fault why;
    struct buf bytes;
    struct slice mapped;
    struct bundle *bundle =
        argc == 2 ? bundle_read("policies", &why) : make_bundle(argv[1], (unsigned)strtoul(argv[2], NULL, 10), &why);
    if (!bundle) die(fault_message(&why));
    buf_init(&bytes);
    bundle_serialise(bundle, &bytes);
    int fd = pipe_memfd_new("bundle", buf_slice(&bytes), &why);
    if (fd < 0 || !pipe_memfd_map(fd, buf_len(&bytes), &mapped, &why)) die(fault_message(&why));
    buf_clear(&bytes);
    bundle_unref(bundle);
    return mapped;
}

/* ---- Turns. */

static void begin(struct meter *m)
{
    m->turns = 0;
    m->longest_ns = m->longest_cpu_ns = 0;
    m->began_ns = m->mono_ns = clock_mono_ns();
    m->began_cpu_ns = m->cpu_ns = clock_cpu_ns();
}

static void on_turn_end(void *arg)
{
    struct meter *m = arg;
    uint64_t now = clock_mono_ns(), cpu = clock_cpu_ns();
    if (now - m->mono_ns > m->longest_ns) m->longest_ns = now - m->mono_ns;
    if (cpu - m->cpu_ns > m->longest_cpu_ns) m->longest_cpu_ns = cpu - m->cpu_ns;
    m->mono_ns = now;
    m->cpu_ns = cpu;
    m->turns++;
}

static void print(const struct meter *m, const char *what)
{
    printf("%s %u turns, %.1f ms, %.1f ms of CPU; longest %.2f ms, %.2f ms of CPU\n", what, m->turns,
           (double)(m->mono_ns - m->began_ns) / 1e6, (double)(m->cpu_ns - m->began_cpu_ns) / 1e6,
           (double)m->longest_ns / 1e6, (double)m->longest_cpu_ns / 1e6);
}

static void on_loaded(void *arg, const struct loading_result *result)
{
    struct meter *m = arg;
    m->policies = result->policies;
}

int main(int argc, char **argv)
{
    struct meter m = {.loop = loop_new()};
    if (argc != 2 && argc != 3) die("a kind and how many; or: shipped");
    struct loading_order order = {.number = 1, .bytes = map_bundle(argc, argv), .settings = settings_new()};
    background_init(&m.background, m.loop);
    loading_watch_dead(&m.background);
    loop_at_turn_end(m.loop, on_turn_end, &m);
    policy_warm();
    loading_begin(&m.background, &order, on_loaded, &m);
    begin(&m);
    loop_run(m.loop);
    print(&m, "load");
    if (!m.policies) die("the policies do not load");
    printf("heap %.1f MB\n", (double)policy_set_memory(m.policies) / MIB);
    policy_set_unref(m.policies);
    begin(&m);
    loop_run(m.loop);
    print(&m, "free");
    settings_unref(order.settings);
    background_clear(&m.background);
    loading_watch_dead(NULL);
    loop_free(m.loop);
    return 0;
}
