/* The circuit breakers of provider accounts (store/breakers.h): whose they are, and which are open, in the metrics. */
#include "base/clock.h"
#include "server/supervisor_inner.h"

static void set_gauge(struct supervisor *sup, const char *name, bool is_open)
{
    struct slice label = slice_str(name);
    stats_set(sup->stats, stats_series(sup->stats, STATS_BREAKER_OPEN, &label), is_open);
}

static void show(struct supervisor *sup, bool is_leaving)
{
    struct breakers_entry entry;
    uint64_t now_ms = clock_mono_ns() / NS_PER_MS;
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        if (!breakers_get(&sup->board->breakers, i, &entry)) continue;
        set_gauge(sup, entry.name, !is_leaving && breaker_view(entry.breaker, now_ms).is_open);
    }
}

void accounts_show(struct supervisor *sup)
{
    show(sup, false);
}

void accounts_on_accepted(struct supervisor *sup)
{
    struct slice names[LIMIT_PROVIDERS];
    size_t count = 0;
    struct config *config = generation_read_config(sup->current.config_fd);
    if (!config) return;
    for (size_t i = 0; i < config->settings->provider_count; i++) {
        const struct provider *p = &config->settings->providers[i];
        if (p->breaker_failures) names[count++] = p->name;
    }
    show(sup, true);
    breakers_keep(&sup->board->breakers, names, count);
    show(sup, false);
    config_free(config);
}
